// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/dry_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace kms::operations {
namespace {

base::Error MustNotBeNull(std::string_view path) {
  return {base::ErrorCode::kValidation,
          fmt::format("1 validation error detected: Value null at '{}' failed "
                      "to satisfy constraint: Member must not be null",
                      path)};
}

}  // namespace

base::Error DryRunSucceeded() {
  return {base::ErrorCode::kDryRun,
          "The request would have succeeded, but the DryRun option is set."};
}

bool IgnoresCiphertext(const Call& call) {
  const base::Json* const modifiers = call.Find("DryRunModifiers");
  return call.Flag("DryRun") && modifiers != nullptr && !modifiers->empty();
}

base::Status RequireCiphertext(const Call& call, std::string_view key_member) {
  if (IgnoresCiphertext(call)) {
    if (call.Find(key_member) == nullptr) {
      return MustNotBeNull(key_member == "KeyId" ? "keyId" : "sourceKeyId");
    }
    return {};
  }
  return call.Find("CiphertextBlob") == nullptr
             ? MustNotBeNull("ciphertextBlob")
             : base::Status();
}

base::Status RefuseRecipient(const Call& call) {
  if (call.Find("Recipient") == nullptr) {
    return {};
  }
  return base::Error{base::ErrorCode::kUnsupportedOperation,
                     "Recipient is not supported: this server does not verify "
                     "attestation documents."};
}

}  // namespace kms::operations
