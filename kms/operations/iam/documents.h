// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IAM_DOCUMENTS_H_
#define KMS_OPERATIONS_IAM_DOCUMENTS_H_

#include <string_view>

#include "base/result.h"
#include "kms/entity.h"
#include "kms/identity/directory.h"
#include "kms/operations/call.h"
#include "kms/store/identities.h"

// Policy documents that come in, and their quotas (IAM User Guide, "IAM and AWS
// STS quotas").
namespace kms::operations::iam {

inline constexpr std::size_t kMostPolicyBytes = 6144;  // Of a managed policy.
inline constexpr std::size_t kMostTrustBytes = 2048;

// Fails with kMalformedPolicy if `document` is no policy of an identity.
base::Status CheckIdentityPolicy(std::string_view document);

// Likewise for a version of a managed policy; kLimitExceeded if it is too
// large.
base::Status CheckManagedPolicy(std::string_view document);

// Whom a role's trust policy names, by unique id. Fails like
// CheckManagedPolicy, and with kMalformedPolicy if it names a user, role or
// account that is not here.
base::Result<PolicyPrincipals> CheckTrustPolicy(
    std::string_view document, const identity::Directory& directory);

// Fails unless `arn` names a policy of AWS or one that `account` has: with
// kNotFound.
base::Status CheckPolicyExists(store::Transaction& transaction,
                               std::string_view account, std::string_view arn);

// The same of a boundary, which may be absent: "".
base::Status CheckBoundary(store::Transaction& transaction,
                           std::string_view account, std::string_view arn);

}  // namespace kms::operations::iam

#endif  // KMS_OPERATIONS_IAM_DOCUMENTS_H_
