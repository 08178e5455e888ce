// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/encryption.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"

namespace kms::operations {
namespace {

constexpr Side kSide = {"Decrypt", "EncryptionAlgorithm", "EncryptionContext"};

}  // namespace

base::Status ValidateDecrypt(const Call& call) {
  RETURN_IF_ERROR(RefuseRecipient(call));
  RETURN_IF_ERROR(RequireCiphertext(call, "KeyId"));
  return RequireKeyOfAsymmetric(call, kSide, "KeyId");
}

base::Status ResolveDecrypt(Call& call) {
  // The ciphertext of an asymmetric key does not say whose it is.
  if (IgnoresCiphertext(call) || IsAsymmetric(call, kSide)) {
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
  CO_RETURN_IF_ERROR(CheckSide(call, key, kSide));
  CO_ASSIGN_OR_RETURN(const Decrypted decrypted,
                      co_await DecryptUnder(call, key, kSide));

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject()
      .Text("KeyId", key.Arn())
      .Blob("Plaintext", decrypted.plaintext.Reveal())
      .Text("EncryptionAlgorithm", AlgorithmOf(call, kSide));
  if (decrypted.material) {
    writer.Text("KeyMaterialId", base::HexEncode(*decrypted.material));
  }
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
