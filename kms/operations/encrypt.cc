// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/encryption.h"
#include "kms/operations/handlers.h"

namespace kms::operations {
namespace {

constexpr Side kSide = {"Encrypt", "EncryptionAlgorithm", "EncryptionContext"};

}  // namespace

Answer Encrypt(Call& call) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(CheckSide(call, key, kSide));
  base::Secret plaintext =
      base::Secret::CopyOf(call.Blob("Plaintext")->Reveal());
  CO_ASSIGN_OR_RETURN(
      const Encrypted encrypted,
      co_await EncryptUnder(call, key, kSide, std::move(plaintext)));

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Blob("CiphertextBlob", encrypted.blob)
      .Text("KeyId", key.Arn())
      .Text("EncryptionAlgorithm", AlgorithmOf(call, kSide))
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
