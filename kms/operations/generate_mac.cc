// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/mac.h"
#include "kms/operations/seal.h"
#include "kms/operations/usage.h"

namespace kms::operations {

boost::asio::awaitable<base::Result<base::Bytes>> ComputeMac(Call& call) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(
      RequireUsage(key, KeyUsage::kGenerateVerifyMac, call.operation.name));
  CO_RETURN_IF_ERROR(RequireAlgorithm(key, *call.Text("MacAlgorithm")));
  CO_ASSIGN_OR_RETURN(hsm::client::Client* const hsm, HsmOf(call, key));
  hsm::MacRequest request;
  request.key = key.CurrentMaterial().ref;
  request.message = base::Secret::CopyOf(call.Blob("Message")->Reveal());
  auto made = co_await hsm->Call(std::move(request));
  if (!made) {
    co_return MaterialError(call, key, made.error());
  }
  co_return std::move(made->mac);
}

Answer GenerateMac(Call& call) {
  CO_ASSIGN_OR_RETURN(const base::Bytes mac, co_await ComputeMac(call));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Blob("Mac", mac)
      .Text("MacAlgorithm", *call.Text("MacAlgorithm"))
      .Text("KeyId", call.key->Arn())
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
