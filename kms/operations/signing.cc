// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/signing.h"

#include <fmt/format.h>

#include "kms/operations/usage.h"
#include "kms/public_key.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kPrehashed = "ED25519_PH_SHA_512";

base::Status CheckAlgorithm(const Key& key, std::string_view name) {
  if (name == kPrehashed && key.spec == KeySpec::kEccNistEdwards25519) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "SigningAlgorithm ED25519_PH_SHA_512 is not supported by this "
                 "server. Use ED25519_SHA_512."};
  }
  return RequireAlgorithm(key, name);
}

Error WrongType(std::string_view type, std::string_view algorithm) {
  return {ErrorCode::kValidation,
          fmt::format("MessageType {} is not valid for algorithm {}.", type,
                      algorithm)};
}

}  // namespace

base::Result<Signing> ReadSigning(const Call& call) {
  const Key& key = *call.key;
  RETURN_IF_ERROR(
      RequireUsage(key, KeyUsage::kSignVerify, call.operation.name));
  const std::string_view name = *call.Text("SigningAlgorithm");
  RETURN_IF_ERROR(CheckAlgorithm(key, name));

  Signing signing;
  signing.algorithm = FindSigningAlgorithm(name);
  const base::ByteView message = call.Blob("Message")->Reveal();
  const std::string_view type = call.Text("MessageType").value_or("RAW");
  const bool pure = signing.algorithm->scheme == hsm::SignatureScheme::kEd25519;
  if (type == "EXTERNAL_MU" || (pure && type != "RAW")) {
    return WrongType(type, name);
  }
  if (type == "DIGEST" && message.size() != HashSize(signing.algorithm->hash)) {
    return Error{
        ErrorCode::kValidation,
        fmt::format("Digest is invalid length for algorithm {}.", name)};
  }
  signing.message = pure || type == "DIGEST"
                        ? base::Secret::CopyOf(message)
                        : HashOf(signing.algorithm->hash, message);
  return signing;
}

}  // namespace kms::operations
