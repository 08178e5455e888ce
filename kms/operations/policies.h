// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_POLICIES_H_
#define KMS_OPERATIONS_POLICIES_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"

// AWS KMS Developer Guide, "Key policies in AWS KMS".
namespace kms::operations {

// The only name that a key policy can have.
inline constexpr std::string_view kPolicyName = "default";

// The policy of a key that was created without one.
std::string DefaultPolicy(std::string_view account);

// Fails with kLimitExceeded over 32 KiB, kMalformedPolicy if it is not a
// policy.
base::Status CheckPolicyText(std::string_view policy);

// Whom the Principal and NotPrincipal elements of a policy name, by unique id.
// Fails with kMalformedPolicy if one of them does not exist here.
base::Result<PolicyPrincipals> FindPrincipals(
    const identity::Directory& directory, policy::PolicyKind kind,
    std::string_view policy);

// FindPrincipals of the key's policy, kept in the key.
base::Status BindPrincipals(const Call& call, Key& key);

// Stores the policy of `changed`, whose principals are bound, in the call's
// key.
boost::asio::awaitable<base::Status> CommitPolicy(Call& call,
                                                  const Key& changed);

// The policy `text` as GetKeyPolicy and GetRole show it: of `principals`, whom
// it was saved to name, those that are gone by their ids.
std::string ShownPolicy(const identity::Directory& directory, std::string text,
                        const PolicyPrincipals& principals);

// Fails with kNotFound if PolicyName is given and is not "default".
base::Status CheckPolicyName(const Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_POLICIES_H_
