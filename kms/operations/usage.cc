// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/usage.h"

#include <fmt/format.h>

#include "kms/key_spec.h"

namespace kms::operations {

using base::Error;
using base::ErrorCode;

base::Status RequireUsage(const Key& key, KeyUsage usage,
                          std::string_view operation) {
  if (key.usage == usage) {
    return {};
  }
  return Error{ErrorCode::kInvalidKeyUsage,
               fmt::format("{} key usage is {} which is not valid for {}.",
                           key.Arn(), KeyUsageName(key.usage), operation)};
}

base::Status RequireSymmetric(const Key& key, std::string_view operation) {
  RETURN_IF_ERROR(RequireUsage(key, KeyUsage::kEncryptDecrypt, operation));
  if (key.spec == KeySpec::kSymmetricDefault) {
    return {};
  }
  return Error{ErrorCode::kInvalidKeyUsage,
               fmt::format("{} key spec is {} which is not valid for {}.",
                           key.Arn(), KeySpecName(key.spec), operation)};
}

base::Status RequireAlgorithm(const Key& key, std::string_view algorithm) {
  if (HasAlgorithm(KindOf(key), algorithm)) {
    return {};
  }
  return Error{ErrorCode::kInvalidKeyUsage,
               fmt::format("Algorithm {} is incompatible with key spec {}.",
                           algorithm, KeySpecName(key.spec))};
}

base::Status RefuseContext(const Call& call, std::string_view name) {
  if (call.Context(name).empty()) {
    return {};
  }
  return Error{
      ErrorCode::kValidation,
      fmt::format("You cannot specify {} with an asymmetric KMS key.", name)};
}

}  // namespace kms::operations
