// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/seal.h"
#include "kms/operations/signing.h"

namespace kms::operations {

Answer Sign(Call& call) {
  const Key& key = *call.key;
  CO_ASSIGN_OR_RETURN(Signing signing, ReadSigning(call));
  CO_ASSIGN_OR_RETURN(hsm::client::Client* const hsm, HsmOf(call, key));
  hsm::SignRequest request;
  request.key = key.CurrentMaterial().ref;
  request.scheme = signing.algorithm->scheme;
  request.hash = signing.algorithm->hash;
  request.message = std::move(signing.message);
  const auto made = co_await hsm->Call(std::move(request));
  if (!made) {
    co_return MaterialError(call, key, made.error());
  }

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", key.Arn())
      .Blob("Signature", made->signature)
      .Text("SigningAlgorithm", signing.algorithm->name)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
