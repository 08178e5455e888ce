// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUTHORIZER_H_
#define KMS_AUTHORIZER_H_

#include "kms/caller.h"
#include "kms/key_policy.h"
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
  // grants on it. The Authorizer knows what the caller has.
  virtual policy::Decision Authorize(
      const Caller& caller, const policy::Request& request,
      const policy::Authority& resource) const = 0;
};

// Decides by policies (policy::Decide). The bootstrap administrator of an
// account has the identity policy AdministratorAccess of AWS, which allows
// everything; no other user has one yet.
class PolicyAuthorizer final : public Authorizer {
 public:
  PolicyAuthorizer();

  policy::Decision Authorize(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource) const override;

 private:
  const PolicyPtr administrator_access_;
};

}  // namespace kms

#endif  // KMS_AUTHORIZER_H_
