// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/iam/documents.h"

#include <fmt/format.h>

#include "kms/identity/aws_policies.h"
#include "kms/operations/iam/subject.h"
#include "policy/policy.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;
using policy::Policy;
using policy::PolicyKind;

base::Status CheckSize(std::string_view document, std::size_t most,
                       std::string_view quota) {
  if (policy::SizeWithoutWhiteSpace(document) > most) {
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("Cannot exceed quota for {}: {}", quota, most)};
  }
  return {};
}

// Users and roles have unique ids; accounts stay what they are.
bool HasUniqueId(std::string_view id) {
  return id.starts_with("AIDA") || id.starts_with("AROA");
}

}  // namespace

base::Status CheckIdentityPolicy(std::string_view document) {
  RETURN_IF_ERROR(Policy::Parse(PolicyKind::kIdentity, document));
  return {};
}

base::Status CheckManagedPolicy(std::string_view document) {
  RETURN_IF_ERROR(CheckSize(document, kMostPolicyBytes, "PolicySize"));
  return CheckIdentityPolicy(document);
}

base::Result<PolicyPrincipals> CheckTrustPolicy(
    std::string_view document, const identity::Directory& directory) {
  RETURN_IF_ERROR(CheckSize(document, kMostTrustBytes, "ACLSizePerRole"));
  ASSIGN_OR_RETURN(const Policy policy,
                   Policy::Parse(PolicyKind::kTrust, document));
  PolicyPrincipals trusted;
  for (const std::string_view name : policy.NamedPrincipals()) {
    ASSIGN_OR_RETURN(std::string id, directory.PrincipalIdOf(name));
    if (HasUniqueId(id) && id != name) {
      trusted.emplace(name, std::move(id));
    }
  }
  return trusted;
}

base::Status CheckPolicyExists(store::Transaction& transaction,
                               std::string_view account, std::string_view arn) {
  if (identity::FindAwsPolicy(arn) != nullptr) {
    return {};
  }
  const auto found =
      Get(transaction, account, {KindOf(EntityKind::kPolicy), arn});
  if (!found && found.error().code == ErrorCode::kNotFound) {
    return Error{
        ErrorCode::kNotFound,
        fmt::format("Policy {} does not exist or is not attachable.", arn)};
  }
  RETURN_IF_ERROR(found);
  return {};
}

base::Status CheckBoundary(store::Transaction& transaction,
                           std::string_view account, std::string_view arn) {
  return arn.empty() ? base::Status()
                     : CheckPolicyExists(transaction, account, arn);
}

}  // namespace kms::operations::iam
