// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_ALIASES_H_
#define KMS_OPERATIONS_ALIASES_H_

#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"

// AWS KMS Developer Guide, "Aliases in AWS KMS".
namespace kms::operations {

inline constexpr std::uint64_t kMaxAliasesPerKey = 50;

// Whether a customer may have an alias of this name: begins with alias/, has
// only the characters that aliases may have, is not reserved for AWS.
base::Status CheckAliasName(std::string_view name);

// The key in TargetKeyId: by id or ARN, of the caller's account and Region.
base::Result<KeyPtr> FindTargetKey(Call& call);

// kNotFound with AWS's text.
base::Error NoSuchAlias(const Call& call, std::string_view name);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_ALIASES_H_
