// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/policies.h"

#include <fmt/format.h>

#include "policy/document.h"

namespace kms::operations {
namespace {

constexpr std::size_t kMaxPolicySize = 32768;  // Bytes.

}  // namespace

std::string DefaultPolicy(std::string_view account) {
  return fmt::format(
      R"({{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}})",
      account);
}

base::Status CheckPolicyText(std::string_view policy) {
  if (policy.size() > kMaxPolicySize) {
    return base::Error{
        base::ErrorCode::kLimitExceeded,
        fmt::format("The key policy has {} bytes; the limit is {}.",
                    policy.size(), kMaxPolicySize)};
  }
  return policy::CheckKeyPolicy(policy);
}

base::Status CheckPolicyName(const Call& call) {
  if (call.Text("PolicyName").value_or(kPolicyName) != kPolicyName) {
    return base::Error{base::ErrorCode::kNotFound, "No such policy exists"};
  }
  return {};
}

}  // namespace kms::operations
