// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_USAGE_H_
#define KMS_OPERATIONS_USAGE_H_

#include <string_view>

#include "base/result.h"
#include "kms/model.h"
#include "kms/operations/call.h"

// What a key is for, and with which algorithms: checked after its state and
// before any work.
namespace kms::operations {

// Fails with kInvalidKeyUsage, as AWS says it, unless `key` is for `usage`.
// `operation` is the name in the sentence.
base::Status RequireUsage(const Key& key, KeyUsage usage,
                          std::string_view operation);

// Fails likewise unless `key` is a symmetric encryption key.
base::Status RequireSymmetric(const Key& key, std::string_view operation);

// Fails with kInvalidKeyUsage unless `algorithm` is one that `key` reports.
base::Status RequireAlgorithm(const Key& key, std::string_view algorithm);

// Fails with kValidation if member `name` holds pairs: only symmetric
// encryption authenticates a context.
base::Status RefuseContext(const Call& call, std::string_view name);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_USAGE_H_
