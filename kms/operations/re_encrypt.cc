// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"
#include "kms/operations/seal.h"

namespace kms::operations {

base::Status ValidateReEncrypt(const Call& call) {
  return RequireCiphertext(call, "SourceKeyId");
}

base::Status ResolveReEncrypt(Call& call) {
  const auto source_text = call.Text("SourceKeyId");
  if (source_text) {
    ASSIGN_OR_RETURN(call.source, FindKey(call, *source_text, KeyForms::kAny));
  }
  if (!IgnoresCiphertext(call)) {
    ASSIGN_OR_RETURN(call.ciphertext,
                     ParseCiphertext(call.Blob("CiphertextBlob")->Reveal()));
    ASSIGN_OR_RETURN(call.source,
                     FindCiphertextKey(call, *call.ciphertext, source_text));
  }
  ASSIGN_OR_RETURN(
      call.key, FindKey(call, *call.Text("DestinationKeyId"), KeyForms::kAny));
  AddKeyCheck(call, "kms:ReEncryptFrom", call.source, call.operation.states);
  AddKeyCheck(call, "kms:ReEncryptTo", call.key, call.operation.states);
  return {};
}

Answer ReEncrypt(Call& call) {
  const Key& source = *call.source;
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(
      RequireSymmetricAlgorithm(call, "SourceEncryptionAlgorithm", source));
  CO_RETURN_IF_ERROR(
      RequireSymmetricAlgorithm(call, "DestinationEncryptionAlgorithm", key));
  CO_ASSIGN_OR_RETURN(const Binding from,
                      BindForOpening(source, call.ciphertext->header,
                                     call.Context("SourceEncryptionContext")));
  const EncryptionContext context =
      call.Context("DestinationEncryptionContext");
  CO_ASSIGN_OR_RETURN(const Binding to,
                      co_await BindForSealing(call, key, context));

  hsm::ReEncryptRequest request;
  request.from = from.ref;
  request.from_aad = from.aad;
  request.sealed = std::move(call.ciphertext->sealed);
  request.to = to.ref;
  request.counter = to.counter;
  request.to_aad = to.aad;
  const auto sealed = co_await call.environment.hsm.Call(std::move(request));
  if (!sealed) {
    co_return MaterialError(source, sealed.error());
  }

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Blob("CiphertextBlob", SerializeCiphertext(to.header, *sealed))
      .Text("SourceKeyId", source.Arn())
      .Text("KeyId", key.Arn())
      .Text("SourceEncryptionAlgorithm", KeySpecName(source.spec))
      .Text("DestinationEncryptionAlgorithm", KeySpecName(key.spec))
      .Text("SourceKeyMaterialId", base::HexEncode(from.header.material))
      .Text("DestinationKeyMaterialId", base::HexEncode(to.header.material))
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
