// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/import_pairs.h"
#include "kms/operations/import_token.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/new_material.h"
#include "kms/operations/wrapping.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

constexpr auto kValidity = std::chrono::hours(24);

// Nobody is to be given a way that ImportKeyMaterial will refuse.
boost::asio::awaitable<base::Status> CheckBoundary(Call& call,
                                                   KeyStore& key_store,
                                                   const Wrapping& wrapping) {
  if (!call.environment.strict_boundary) {
    co_return base::Status();
  }
  const hsm::ImportRouteRequest request = {NewAlgorithm(key_store, *call.key),
                                           wrapping.algorithm};
  CO_ASSIGN_OR_RETURN(const hsm::ImportRouteReply reply,
                      co_await key_store.hsm.Call(request));
  if (reply.route != hsm::ImportRoute::kInside) {
    co_return Error{
        ErrorCode::kUnsupportedOperation,
        fmt::format("Key material of key spec {} that is wrapped by {} cannot "
                    "be unwrapped within the key store of this server, which "
                    "is set to refuse it then (import.strict_boundary).",
                    KeySpecName(call.key->spec),
                    *call.Text("WrappingAlgorithm"))};
  }
  co_return base::Status();
}

}  // namespace

Answer GetParametersForImport(Call& call) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(CheckImportable(key));
  CO_ASSIGN_OR_RETURN(const Wrapping wrapping,
                      ChooseWrapping(key, *call.Text("WrappingKeySpec"),
                                     *call.Text("WrappingAlgorithm")));
  CO_ASSIGN_OR_RETURN(KeyStore* const key_store,
                      call.environment.key_stores.Of(key));
  CO_RETURN_IF_ERROR(co_await CheckBoundary(call, *key_store, wrapping));
  store::ImportPair terms;
  terms.ref.algorithm = wrapping.pair;
  terms.key_store = key_store->name;
  terms.key_row_id = key.row_id;
  terms.wrapping = wrapping.algorithm;
  terms.valid_to = call.now + kValidity;
  CO_ASSIGN_OR_RETURN(const store::ImportPair pair,
                      co_await OpenImportPair(call, std::move(terms)));
  CO_ASSIGN_OR_RETURN(const base::Bytes token,
                      co_await MakeImportToken(call.environment, pair));

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", key.Arn())
      .Blob("ImportToken", token)
      .Blob("PublicKey", pair.public_key)
      .Time("ParametersValidTo", *pair.valid_to)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
