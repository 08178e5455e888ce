// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/new_material.h"
#include "kms/operations/rotation.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t kMostOnDemand = 25;  // In a key's whole life.
constexpr auto kAutomaticIsNear = std::chrono::minutes(20);

Error NothingToRotateTo(const Key& key) {
  return {
      ErrorCode::kInvalidState,
      fmt::format("No available key material pending rotation for the key: {}.",
                  key.Arn())};
}

// Whether this key may be rotated now. Checked before the token makes anything,
// and again in the transaction.
base::Status CheckOnDemand(const Call& call, const Key& key) {
  RETURN_IF_ERROR(CheckState(call.operation.states, key));
  if (!IsRotatableKind(key)) {
    return Error{ErrorCode::kUnsupportedOperation, ""};  // As AWS: no message.
  }
  RETURN_IF_ERROR(CheckNotReplica(key));
  const KeyMaterial* const pending = key.PendingRotation();
  if (key.origin == Origin::kExternal && pending == nullptr) {
    return NothingToRotateTo(key);
  }
  if (key.on_demand_rotations >= kMostOnDemand) {
    return Error{
        ErrorCode::kLimitExceeded,
        fmt::format("The on-demand rotations limit has been reached for the "
                    "given keyId. No more on-demand rotations can be performed "
                    "for this key: {}",
                    key.Arn())};
  }
  if (key.rotation && key.rotation->next <= call.now + kAutomaticIsNear) {
    return Error{
        ErrorCode::kConflict,
        fmt::format("An automatic rotation of {} is in progress or due "
                    "within the next 20 minutes.",
                    key.Arn())};
  }
  return {};
}

// The material that was imported to be the next one, into each of the keys of
// this id, becomes the current one.
boost::asio::awaitable<base::Status> RotateToImported(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Key key, transaction.GetKey(call.key->row_id));
    RETURN_IF_ERROR(CheckOnDemand(call, key));
    const MaterialId next = key.PendingRotation()->id;
    call.material_id = base::HexEncode(next);
    ASSIGN_OR_RETURN(const auto related, transaction.GetRelatedKeys(key.id));
    ASSIGN_OR_RETURN(const auto importers, transaction.GetImporters(next));
    if (!IsImportedEverywhere(related, importers)) {
      return NothingToRotateTo(key);
    }
    ++key.on_demand_rotations;
    RETURN_IF_ERROR(transaction.UpdateKey(key));
    const Rotation rotation = {call.now, RotationType::kOnDemand};
    return transaction.RotateToMaterial(key.id, next, rotation);
  };
  co_return co_await call.Commit(change);
}

boost::asio::awaitable<base::Status> RotateToGenerated(Call& call) {
  CO_ASSIGN_OR_RETURN(
      KeyMaterial material,
      co_await MakeMaterial(call.environment, *call.key, call.now));
  auto edit = [&call](Key& key) -> base::Status {
    RETURN_IF_ERROR(CheckOnDemand(call, key));
    ++key.on_demand_rotations;
    return {};
  };
  co_return co_await CommitOnDemandRotation(call, std::move(material), edit);
}

}  // namespace

Answer RotateKeyOnDemand(Call& call) {
  CO_RETURN_IF_ERROR(CheckOnDemand(call, *call.key));
  const bool imported = call.key->origin == Origin::kExternal;
  // Named first: g++ 12 destroys a temporary of ?: inside co_await twice.
  auto rotation = imported ? RotateToImported(call) : RotateToGenerated(call);
  CO_RETURN_IF_ERROR(co_await std::move(rotation));

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", call.key->Arn())
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
