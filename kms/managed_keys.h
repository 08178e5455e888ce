// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_MANAGED_KEYS_H_
#define KMS_MANAGED_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "kms/authorizer.h"

// AWS managed keys: the keys that a service has in a customer's account, one in
// each Region, under an alias that only the service's first use makes. AWS KMS
// Developer Guide, "AWS managed keys".
//
// `service` is always the name of its principal: "s3.amazonaws.com".
namespace kms {

// AWS rotates them once a year, and nobody can change that.
inline constexpr std::int64_t kManagedKeyRotationDays = 365;

// The alias of the service's key: "alias/aws/s3" for "s3.amazonaws.com". AWS
// names it for the service but for one: EC2's key is alias/aws/ebs.
std::string ManagedKeyAlias(std::string_view service);

// The value of kms:ViaService: "s3.eu-west-1.amazonaws.com".
std::string ViaService(std::string_view service, std::string_view region);

// The key policy of the service's key, in the form that AWS gives it: everyone
// in the account may use the key, but only through the service; the account
// may look at it.
std::string ManagedKeyPolicy(std::string_view service, std::string_view account,
                             std::string_view region);

// A ManagedKeyRules decides about a service and its own key, and leaves the
// rest to another Authorizer. The key's policy is about the users for whom the
// service acts, who are not the ones that ask: in their stead the service may
// use its key and create grants on it. For everyone else the policy says what
// it means: the account may let its users look at the key and revoke its
// grants.
class ManagedKeyRules final : public Authorizer {
 public:
  // `others` is borrowed.
  explicit ManagedKeyRules(const Authorizer& others) : others_(others) {}

  policy::Decision Authorize(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource,
                             policy::Trace* trace) const override;

 private:
  const Authorizer& others_;
};

}  // namespace kms

#endif  // KMS_MANAGED_KEYS_H_
