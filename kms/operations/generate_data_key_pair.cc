// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kms/json_writer.h"
#include "kms/key_spec.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/handlers.h"
#include "kms/operations/seal.h"
#include "kms/operations/usage.h"

namespace kms::operations {
namespace {

Answer Generate(Call& call, bool want_plaintext) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(RequireSymmetric(key, call.operation.name));
  const EncryptionContext context = call.Context("EncryptionContext");
  CO_ASSIGN_OR_RETURN(const Binding binding,
                      co_await BindForSealing(call, key, context));
  const std::string_view spec = *call.Text("KeyPairSpec");

  hsm::GenerateDataKeyPairRequest request;
  request.key = binding.ref;
  request.counter = binding.counter;
  request.aad = binding.aad;
  request.pair = *DataKeyPairAlgorithm(*ParseKeySpec(spec));
  request.want_plaintext = want_plaintext;
  const auto made = co_await binding.hsm->Call(request);
  if (!made) {
    co_return MaterialError(call, key, made.error());
  }

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().Blob("PrivateKeyCiphertextBlob",
                            SerializeCiphertext(binding.header, made->sealed));
  if (want_plaintext) {
    writer.Blob("PrivateKeyPlaintext", made->private_key.Reveal());
  }
  writer.Blob("PublicKey", made->public_key)
      .Text("KeyId", key.Arn())
      .Text("KeyPairSpec", spec)
      .Text("KeyMaterialId", base::HexEncode(binding.header.material))
      .EndObject();
  co_return reply;
}

}  // namespace

base::Status ValidateGenerateDataKeyPair(const Call& call) {
  const std::string_view spec = *call.Text("KeyPairSpec");
  if (!ParseKeySpec(spec)) {
    return base::Error{
        base::ErrorCode::kUnsupportedOperation,
        fmt::format("KeyPairSpec {} is not supported by this server.", spec)};
  }
  return RefuseRecipient(call);
}

Answer GenerateDataKeyPair(Call& call) { return Generate(call, true); }

Answer GenerateDataKeyPairWithoutPlaintext(Call& call) {
  return Generate(call, false);
}

}  // namespace kms::operations
