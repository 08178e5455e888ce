// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "kms/json_writer.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/encryption.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"
#include "kms/operations/seal.h"

namespace kms::operations {
namespace {

constexpr Side kFrom = {"ReEncryptFrom", "SourceEncryptionAlgorithm",
                        "SourceEncryptionContext"};
constexpr Side kTo = {"ReEncryptTo", "DestinationEncryptionAlgorithm",
                      "DestinationEncryptionContext"};

// What the reply says beside the names of keys and algorithms.
struct Moved {
  base::Bytes blob;
  std::optional<MaterialId> from;
  std::optional<MaterialId> to;
};
using Moving = boost::asio::awaitable<base::Result<Moved>>;

// Between symmetric keys of one key store: the plaintext stays in the worker.
// Outer layers of external key stores come off and on here.
Moving MoveInToken(Call& call, Binding from, Binding to) {
  hsm::ReEncryptRequest request;
  request.from = from.ref;
  request.from_aad = from.aad;
  CO_ASSIGN_OR_RETURN(request.sealed,
                      co_await TakeSealed(call, *call.source, from));
  request.to = to.ref;
  request.counter = to.counter;
  request.to_aad = to.aad;
  const auto sealed = co_await from.hsm->Call(std::move(request));
  if (!sealed) {
    co_return MaterialError(call, *call.source, sealed.error());
  }
  Moved moved;
  CO_ASSIGN_OR_RETURN(moved.blob,
                      co_await FinishCiphertext(call, *call.key, to, *sealed));
  moved.from = from.header.material;
  moved.to = to.header.material;
  co_return moved;
}

// From or to an asymmetric key, or another token: through our secure heap.
Moving MoveThroughHere(Call& call) {
  CO_ASSIGN_OR_RETURN(Decrypted decrypted,
                      co_await DecryptUnder(call, *call.source, kFrom));
  base::Secret plaintext = std::move(decrypted.plaintext);
  CO_ASSIGN_OR_RETURN(
      Encrypted encrypted,
      co_await EncryptUnder(call, *call.key, kTo, std::move(plaintext)));
  Moved moved;
  moved.blob = std::move(encrypted.blob);
  moved.from = decrypted.material;
  moved.to = encrypted.material;
  co_return moved;
}

Moving Move(Call& call) {
  if (IsAsymmetric(call, kFrom) || IsAsymmetric(call, kTo)) {
    co_return co_await MoveThroughHere(call);
  }
  CO_ASSIGN_OR_RETURN(
      Binding from, BindForOpening(call, *call.source, call.ciphertext->header,
                                   call.Context(kFrom.context)));
  CO_ASSIGN_OR_RETURN(hsm::client::Client* const to_hsm,
                      HsmOf(call, *call.key));
  if (from.hsm != to_hsm) {
    co_return co_await MoveThroughHere(call);
  }
  const EncryptionContext context = call.Context(kTo.context);
  CO_ASSIGN_OR_RETURN(Binding to,
                      co_await BindForSealing(call, *call.key, context));
  co_return co_await MoveInToken(call, std::move(from), std::move(to));
}

}  // namespace

base::Status ValidateReEncrypt(const Call& call) {
  RETURN_IF_ERROR(RequireCiphertext(call, "SourceKeyId"));
  return RequireKeyOfAsymmetric(call, kFrom, "SourceKeyId");
}

base::Status ResolveReEncrypt(Call& call) {
  const auto source_text = call.Text("SourceKeyId");
  if (source_text) {
    ASSIGN_OR_RETURN(call.source, FindKey(call, *source_text, KeyForms::kAny));
  }
  if (!IgnoresCiphertext(call) && !IsAsymmetric(call, kFrom)) {
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
  CO_RETURN_IF_ERROR(CheckSide(call, *call.source, kFrom));
  CO_RETURN_IF_ERROR(CheckSide(call, *call.key, kTo));
  CO_ASSIGN_OR_RETURN(const Moved moved, co_await Move(call));

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject()
      .Blob("CiphertextBlob", moved.blob)
      .Text("SourceKeyId", call.source->Arn())
      .Text("KeyId", call.key->Arn())
      .Text("SourceEncryptionAlgorithm", AlgorithmOf(call, kFrom))
      .Text("DestinationEncryptionAlgorithm", AlgorithmOf(call, kTo));
  if (moved.from) {
    writer.Text("SourceKeyMaterialId", base::HexEncode(*moved.from));
  }
  if (moved.to) {
    writer.Text("DestinationKeyMaterialId", base::HexEncode(*moved.to));
  }
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
