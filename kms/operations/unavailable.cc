// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/unavailable.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace kms::operations {
namespace {

using base::ErrorCode;

// AWS KMS API Reference, "Errors" of each operation. Those that have
// KeyUnavailableException:
constexpr std::array<std::string_view, 13> kUseKeys = {
    "Decrypt",
    "DeriveSharedSecret",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac"};
static_assert(std::ranges::is_sorted(kUseKeys));

// Those that do not have DependencyTimeoutException:
constexpr std::array<std::string_view, 14> kNeverLate = {
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "DeleteCustomKeyStore",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "GenerateMac",
    "ListKeyRotations",
    "ListResourceTags",
    "ReplicateKey",
    "TagResource",
    "UntagResource",
    "UpdateCustomKeyStore",
    "UpdatePrimaryRegion",
    "VerifyMac"};
static_assert(std::ranges::is_sorted(kNeverLate));

}  // namespace

base::Error AsModelled(const Operation& operation, base::Error error) {
  if (operation.service != "TrentService") {
    return error;
  }
  const bool uses_keys = std::ranges::binary_search(kUseKeys, operation.name);
  const bool may_be_late =
      !std::ranges::binary_search(kNeverLate, operation.name);
  switch (error.code) {
    case ErrorCode::kHsmUnavailable:
      if (!uses_keys) {
        error.code = may_be_late ? ErrorCode::kTimeout : ErrorCode::kInternal;
      }
      return error;
    case ErrorCode::kTimeout:
      if (!may_be_late) {
        error.code =
            uses_keys ? ErrorCode::kHsmUnavailable : ErrorCode::kInternal;
      }
      return error;
    case ErrorCode::kKeyUnavailable:
      if (!uses_keys) {
        error.code = ErrorCode::kInternal;
      }
      return error;
    default:
      return error;
  }
}

}  // namespace kms::operations
