// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/signing.h"
#include "kms/public_key.h"

namespace kms::operations {

// The token is not asked: the public key is in the store.
Answer Verify(Call& call) {
  const Key& key = *call.key;
  CO_ASSIGN_OR_RETURN(const Signing signing, ReadSigning(call));
  CO_ASSIGN_OR_RETURN(const PublicKey public_key,
                      PublicKey::Parse(key.CurrentMaterial().public_key));
  CO_RETURN_IF_ERROR(public_key.Verify(
      signing.algorithm->scheme, signing.algorithm->hash,
      signing.message.Reveal(), call.Blob("Signature")->Reveal()));

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", key.Arn())
      .Bool("SignatureValid", true)
      .Text("SigningAlgorithm", signing.algorithm->name)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
