// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUTHORIZER_H_
#define KMS_AUTHORIZER_H_

#include "kms/caller.h"
#include "policy/request.h"

namespace policy {
struct Authority;
}

namespace kms {

// An Authorizer says whether a caller may do something. It denies by default.
// Safe to call from any thread; must not block.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  // `resource` is what there is to know of the resource: its policy, and the
  // grants on it. What the caller has, it has itself.
  virtual policy::Decision Authorize(
      const Caller& caller, const policy::Request& request,
      const policy::Authority& resource) const = 0;
};

// Decides by policies (policy::Decide): the resource's, and the caller's own.
class PolicyAuthorizer final : public Authorizer {
 public:
  policy::Decision Authorize(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource) const override;
};

}  // namespace kms

#endif  // KMS_AUTHORIZER_H_
