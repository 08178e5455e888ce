// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUTHORIZER_H_
#define KMS_AUTHORIZER_H_

#include "kms/caller.h"
#include "kms/organization.h"
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

// `request` and `resource` with all that the caller brings along, and what
// bounds the accounts of the two: what a decision by policies rests on. Borrows
// what the four do.
policy::Candidate WithCaller(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource,
                             const Organization& organization);

// Decides by policies (policy::Decide): the resource's, the caller's own, and
// their organization's.
class PolicyAuthorizer final : public Authorizer {
 public:
  // `organization` is borrowed.
  explicit PolicyAuthorizer(const Organization& organization)
      : organization_(organization) {}

  policy::Decision Authorize(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource,
                             policy::Trace* trace) const override;

 private:
  const Organization& organization_;
};

}  // namespace kms

#endif  // KMS_AUTHORIZER_H_
