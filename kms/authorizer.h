// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUTHORIZER_H_
#define KMS_AUTHORIZER_H_

#include "kms/caller.h"
#include "policy/request.h"
#include "policy/who_can.h"

namespace kms {

// An Authorizer says whether a caller may do something. It denies by default.
// Safe to call from any thread; must not block.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  // `resource` is what there is to know of the resource: its policy, and the
  // grants on it. What the caller has, it has itself. `trace`, unless nullptr,
  // is told what each statement and grant did.
  virtual policy::Decision Authorize(const Caller& caller,
                                     const policy::Request& request,
                                     const policy::Authority& resource,
                                     policy::Trace* trace) const = 0;
};

// `request` and `resource` with all that the caller brings along: what a
// decision by policies rests on. Borrows what the three do.
policy::Candidate WithCaller(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource);

// Decides by policies (policy::Decide): the resource's, and the caller's own.
class PolicyAuthorizer final : public Authorizer {
 public:
  policy::Decision Authorize(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource,
                             policy::Trace* trace) const override;
};

}  // namespace kms

#endif  // KMS_AUTHORIZER_H_
