// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"
#include "kms/operations/seal.h"

namespace kms::operations {

base::Status ValidateDecrypt(const Call& call) {
  RETURN_IF_ERROR(RefuseRecipient(call));
  return RequireCiphertext(call, "KeyId");
}

base::Status ResolveDecrypt(Call& call) {
  if (IgnoresCiphertext(call)) {
    return ResolveKeyId(call);
  }
  // The key is looked for first: a KeyId that is none is NotFoundException even
  // beside a ciphertext that is garbage.
  if (const auto key_id = call.Text("KeyId")) {
    RETURN_IF_ERROR(FindKey(call, *key_id, KeyForms::kAny));
  }
  ASSIGN_OR_RETURN(call.ciphertext,
                   ParseCiphertext(call.Blob("CiphertextBlob")->Reveal()));
  ASSIGN_OR_RETURN(
      call.key, FindCiphertextKey(call, *call.ciphertext, call.Text("KeyId")));
  AddKeyCheck(call, call.operation.action, call.key, call.operation.states);
  return {};
}

Answer Decrypt(Call& call) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(
      RequireSymmetricAlgorithm(call, "EncryptionAlgorithm", key));
  CO_ASSIGN_OR_RETURN(const Binding binding,
                      BindForOpening(key, call.ciphertext->header,
                                     call.Context("EncryptionContext")));

  hsm::DecryptRequest request;
  request.key = binding.ref;
  request.aad = binding.aad;
  request.sealed = std::move(call.ciphertext->sealed);
  const auto opened = co_await call.environment.hsm.Call(std::move(request));
  if (!opened) {
    co_return MaterialError(key, opened.error());
  }

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", key.Arn())
      .Blob("Plaintext", opened->plaintext.Reveal())
      .Text("EncryptionAlgorithm", KeySpecName(key.spec))
      .Text("KeyMaterialId", base::HexEncode(binding.header.material))
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
