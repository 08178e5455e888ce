// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"
#include "kms/operations/seal.h"

namespace kms::operations {

Answer Encrypt(Call& call) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(
      RequireSymmetricAlgorithm(call, "EncryptionAlgorithm", key));
  const EncryptionContext context = call.Context("EncryptionContext");
  CO_ASSIGN_OR_RETURN(const Binding binding,
                      co_await BindForSealing(call, key, context));

  hsm::EncryptRequest request;
  request.key = binding.ref;
  request.counter = binding.counter;
  request.aad = binding.aad;
  request.plaintext = base::Secret::CopyOf(call.Blob("Plaintext")->Reveal());
  const auto sealed = co_await call.environment.hsm.Call(std::move(request));
  if (!sealed) {
    co_return MaterialError(key, sealed.error());
  }

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Blob("CiphertextBlob", SerializeCiphertext(binding.header, *sealed))
      .Text("KeyId", key.Arn())
      .Text("EncryptionAlgorithm", KeySpecName(key.spec))
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
