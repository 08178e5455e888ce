// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/aws_policies.h"

#include <algorithm>
#include <array>

#include "policy/policy.h"

namespace kms::identity {
namespace {

constexpr std::string_view kPrefix = "arn:aws:iam::aws:policy/";

constexpr std::array kPolicies = {
    AwsPolicy{
        "AWSKeyManagementServicePowerUser", "ANPACLAVIGERKMSPOWER2",
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[)"
        R"("kms:CreateAlias","kms:CreateKey","kms:DeleteAlias",)"
        R"("kms:Describe*","kms:GenerateRandom","kms:Get*","kms:List*",)"
        R"("kms:TagResource","kms:UntagResource","iam:ListGroups",)"
        R"("iam:ListRoles","iam:ListUsers"],"Resource":"*"}]})"},
    AwsPolicy{"AdministratorAccess", "ANPACLAVIGERADMINISTR",
              R"({"Version":"2012-10-17","Statement":)"
              R"([{"Effect":"Allow","Action":"*","Resource":"*"}]})"},
    AwsPolicy{"IAMFullAccess", "ANPACLAVIGERIAMFULLAC",
              R"({"Version":"2012-10-17","Statement":)"
              R"([{"Effect":"Allow","Action":"iam:*","Resource":"*"}]})"},
    AwsPolicy{"IAMReadOnlyAccess", "ANPACLAVIGERIAMREADON",
              R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
              R"("Action":["iam:Get*","iam:List*"],"Resource":"*"}]})"},
};

}  // namespace

std::string AwsPolicy::Arn() const { return std::string(kPrefix).append(name); }

std::span<const AwsPolicy> AwsPolicies() { return kPolicies; }

const AwsPolicy* FindAwsPolicy(std::string_view arn) {
  if (!arn.starts_with(kPrefix)) {
    return nullptr;
  }
  arn.remove_prefix(kPrefix.size());
  const auto* const found = std::ranges::find(kPolicies, arn, &AwsPolicy::name);
  return found == kPolicies.end() ? nullptr : found;
}

PolicyPtr CompiledAwsPolicy(const AwsPolicy& policy) {
  static const auto compiled = [] {
    std::array<PolicyPtr, kPolicies.size()> all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = CompileStored(policy::PolicyKind::kIdentity,
                             std::string(kPolicies[i].document));
    }
    return all;
  }();
  return compiled[static_cast<std::size_t>(&policy - kPolicies.data())];
}

}  // namespace kms::identity
