// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_AWS_POLICIES_H_
#define KMS_IDENTITY_AWS_POLICIES_H_

#include <span>
#include <string>
#include <string_view>

#include "kms/key_policy.h"

// The AWS managed policies that every account has (AWS Managed Policy Reference
// Guide).
namespace kms::identity {

struct AwsPolicy {
  std::string_view name;  // "AdministratorAccess"
  std::string_view id;    // ANPA...
  std::string_view document;

  std::string Arn() const;  // "arn:aws:iam::aws:policy/AdministratorAccess"
};

inline constexpr std::string_view kAdministratorAccessArn =
    "arn:aws:iam::aws:policy/AdministratorAccess";

std::span<const AwsPolicy> AwsPolicies();

// nullptr if `arn` names none.
const AwsPolicy* FindAwsPolicy(std::string_view arn);

// Compiled once. `policy` is one of AwsPolicies().
PolicyPtr CompiledAwsPolicy(const AwsPolicy& policy);

}  // namespace kms::identity

#endif  // KMS_IDENTITY_AWS_POLICIES_H_
