// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/handlers.h"
#include "kms/operations/seal.h"
#include "kms/operations/usage.h"
#include "kms/public_key.h"

namespace kms::operations {
namespace {

// The other's public key, written the one way that tokens are given it. AWS
// says nothing about what is wrong with it.
base::Result<base::Bytes> ReadPeer(const Call& call) {
  const base::Error refusal = {base::ErrorCode::kValidation, ""};
  const auto peer = PublicKey::Parse(call.Blob("PublicKey")->Reveal());
  if (!peer) {
    return refusal;
  }
  ASSIGN_OR_RETURN(const PublicKey own,
                   PublicKey::Parse(call.key->CurrentMaterial().public_key));
  return peer->IsOnCurveOf(own) ? peer->Encode() : refusal;
}

}  // namespace

base::Status ValidateDeriveSharedSecret(const Call& call) {
  return RefuseRecipient(call);
}

Answer DeriveSharedSecret(Call& call) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(
      RequireUsage(key, KeyUsage::kKeyAgreement, call.operation.name));
  CO_RETURN_IF_ERROR(
      RequireAlgorithm(key, *call.Text("KeyAgreementAlgorithm")));
  CO_ASSIGN_OR_RETURN(hsm::client::Client* const hsm, HsmOf(call, key));
  hsm::AgreeRequest request;
  request.key = key.CurrentMaterial().ref;
  CO_ASSIGN_OR_RETURN(request.public_key, ReadPeer(call));
  const auto agreed = co_await hsm->Call(std::move(request));
  if (!agreed) {
    co_return MaterialError(call, key, agreed.error());
  }

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", key.Arn())
      .Blob("SharedSecret", agreed->plaintext.Reveal())
      .Text("KeyAgreementAlgorithm", *call.Text("KeyAgreementAlgorithm"))
      .Text("KeyOrigin", OriginName(key.origin))
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
