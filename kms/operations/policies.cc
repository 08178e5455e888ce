// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/policies.h"

#include <fmt/format.h>

#include "policy/document.h"
#include "policy/policy.h"

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

base::Result<PolicyPrincipals> FindPrincipals(
    const identity::Directory& directory, policy::PolicyKind kind,
    std::string_view policy) {
  ASSIGN_OR_RETURN(const policy::Policy parsed,
                   policy::Policy::Parse(kind, policy));
  PolicyPrincipals principals;
  for (const std::string_view name : parsed.NamedPrincipals()) {
    const auto id = directory.PrincipalIdOf(name);
    if (!id) {
      return base::Error{
          base::ErrorCode::kMalformedPolicy,
          fmt::format("Policy contains a statement with one or more invalid "
                      "principals. {}",
                      id.error().message)};
    }
    if (!id->empty() && name.starts_with("arn:")) {
      principals.emplace(name, *id);
    }
  }
  return principals;
}

base::Status BindPrincipals(const Call& call, Key& key) {
  const auto directory = call.environment.directory.current();
  ASSIGN_OR_RETURN(
      key.policy_principals,
      FindPrincipals(*directory, policy::PolicyKind::kKey, key.policy));
  return {};
}

boost::asio::awaitable<base::Status> CommitPolicy(Call& call,
                                                  const Key& changed) {
  auto edit = [&changed](Key& key) -> base::Status {
    key.policy = changed.policy;
    key.policy_principals = changed.policy_principals;
    return {};
  };
  co_return co_await call.CommitKey(edit);
}

std::string ShownPolicy(const identity::Directory& directory, std::string text,
                        const PolicyPrincipals& principals) {
  for (const auto& [arn, id] : principals) {
    if (directory.FindById(id) != nullptr) {
      continue;
    }
    const std::string quoted = fmt::format("\"{}\"", arn);
    const std::string shown = fmt::format("\"{}\"", id);
    for (std::size_t at = text.find(quoted); at != std::string::npos;
         at = text.find(quoted, at + shown.size())) {
      text.replace(at, quoted.size(), shown);
    }
  }
  return text;
}

base::Status CheckPolicyName(const Call& call) {
  if (call.Text("PolicyName").value_or(kPolicyName) != kPolicyName) {
    return base::Error{base::ErrorCode::kNotFound, "No such policy exists"};
  }
  return {};
}

}  // namespace kms::operations
