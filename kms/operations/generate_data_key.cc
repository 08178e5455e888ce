// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/handlers.h"
#include "kms/operations/seal.h"
#include "kms/operations/usage.h"

namespace kms::operations {
namespace {

std::uint16_t DataKeySize(const Call& call) {
  if (const auto size = call.Number("NumberOfBytes")) {
    return static_cast<std::uint16_t>(*size);  // The shape bounds it: 1..1024.
  }
  return call.Text("KeySpec") == "AES_128" ? 16 : 32;
}

Answer Generate(Call& call, bool want_plaintext) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(RequireSymmetric(key, call.operation.name));
  const EncryptionContext context = call.Context("EncryptionContext");
  CO_ASSIGN_OR_RETURN(const Binding binding,
                      co_await BindForSealing(call, key, context));

  hsm::GenerateDataKeyRequest request;
  request.key = binding.ref;
  request.counter = binding.counter;
  request.aad = binding.aad;
  request.size = DataKeySize(call);
  request.want_plaintext = want_plaintext;
  const auto made = co_await binding.hsm->Call(request);
  if (!made) {
    co_return MaterialError(call, key, made.error());
  }

  CO_ASSIGN_OR_RETURN(
      const base::Bytes blob,
      co_await FinishCiphertext(call, key, binding, made->sealed));

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().Blob("CiphertextBlob", blob);
  if (want_plaintext) {
    writer.Blob("Plaintext", made->plaintext.Reveal());
  }
  writer.Text("KeyId", key.Arn())
      .Text("KeyMaterialId", base::HexEncode(binding.header.material))
      .EndObject();
  co_return reply;
}

}  // namespace

base::Status ValidateGenerateDataKey(const Call& call) {
  const bool has_size = call.Find("NumberOfBytes") != nullptr;
  const bool has_spec = call.Find("KeySpec") != nullptr;
  if (has_size == has_spec) {
    return base::Error{base::ErrorCode::kValidation,
                       "Please specify either number of bytes or key spec."};
  }
  return RefuseRecipient(call);
}

Answer GenerateDataKey(Call& call) { return Generate(call, true); }

Answer GenerateDataKeyWithoutPlaintext(Call& call) {
  return Generate(call, false);
}

}  // namespace kms::operations
