// SPDX-License-Identifier: Apache-2.0
// Moves a key from one placement to the other while it is in use, by the
// operator. docs/operations.md, "Moving a key".
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "kms/json_writer.h"
#include "kms/operations/destructions.h"
#include "kms/operations/handlers.h"
#include "kms/operations/intents.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/new_material.h"
#include "kms/operations/rotation.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

Error CannotMove(const Key& key, std::string_view why) {
  return {ErrorCode::kUnsupportedOperation,
          fmt::format("{} cannot be moved: {}.", key.Arn(), why)};
}

Error ChangedMeanwhile(const Key& key) {
  return {ErrorCode::kConflict,
          fmt::format("The key material of {} has changed meanwhile: move it "
                      "again.",
                      key.Arn())};
}

bool IsWrapped(const KeyMaterial& material) {
  return material.ref.wrapped != nullptr;
}

// A material that is an object of the token by now, and what it was before.
struct Kept {
  MaterialId id{};
  hsm::Locator before;
  hsm::KeyRef ref;
};

// One object cannot be on the tokens of several key stores.
base::Status CheckLivesInOne(Call& call, const Key& key) {
  KeyStores& key_stores = call.environment.key_stores;
  ASSIGN_OR_RETURN(KeyStore* const own, key_stores.Of(key));
  ASSIGN_OR_RETURN(const auto related, FindRelatedKeys(call, key));
  for (const RelatedKey& each : related) {
    ASSIGN_OR_RETURN(const KeyPtr other,
                     call.environment.store.FindKey(each.row_id));
    ASSIGN_OR_RETURN(KeyStore* const where, key_stores.Of(*other));
    if (where != own) {
      return CannotMove(
          key, fmt::format("its key in {} lives in key store '{}', and an "
                           "object of one token cannot be in another",
                           each.region, where->name));
    }
  }
  return {};
}

asio::awaitable<base::Result<Kept>> Keep(Environment& environment,
                                         KeyStore& key_store, const Key& key,
                                         const KeyMaterial& material) {
  CO_ASSIGN_OR_RETURN(const hsm::Locator announced,
                      co_await AnnounceKey(environment, key_store, key.row_id));
  const hsm::KeepWrappedKeyRequest request = {material.ref, announced};
  const auto kept = co_await key_store.hsm.Call(request);
  if (!kept) {
    co_await RollBackCreation(environment, key_store, announced);
    co_return kept.error().code == ErrorCode::kUnsupportedOperation
        ? CannotMove(key, kept.error().message)
        : Error(kept.error());
  }
  co_return Kept{.id = material.id,
                 .before = material.ref.locator,
                 .ref = {announced, material.ref.algorithm}};
}

// Within the transaction: the key has what was read of it, and it may be moved.
base::Status CheckIsAsRead(const Call& call, const Key& key,
                           const std::vector<Kept>& kept) {
  RETURN_IF_ERROR(CheckState(call.operation.states, key));
  const auto wrapped = std::ranges::count_if(key.materials, IsWrapped);
  const bool same = std::ranges::all_of(kept, [&key](const Kept& each) {
    const KeyMaterial* const material = key.FindMaterial(each.id);
    return material != nullptr && material->ref.locator == each.before;
  });
  return same && static_cast<std::size_t>(wrapped) == kept.size()
             ? base::Status()
             : base::Status(ChangedMeanwhile(key));
}

// One transaction: whoever reads the key finds all of it in one place.
base::Status CommitKept(Call& call, store::Transaction& transaction,
                        const std::string& key_store,
                        const std::vector<Kept>& kept) {
  ASSIGN_OR_RETURN(const Key key, transaction.GetKey(call.key->row_id));
  RETURN_IF_ERROR(CheckIsAsRead(call, key, kept));
  ASSIGN_OR_RETURN(const auto related, transaction.GetRelatedKeys(key.id));
  for (const RelatedKey& each : related) {
    ASSIGN_OR_RETURN(const Key row, transaction.GetKey(each.row_id));
    if (row.key_store != key.key_store) {
      return ChangedMeanwhile(key);
    }
  }
  for (const Kept& each : kept) {
    KeyMaterial moved = *key.FindMaterial(each.id);
    moved.ref = each.ref;
    moved.key_store = key_store;
    RETURN_IF_ERROR(transaction.MoveMaterial(key.id, moved));
    RETURN_IF_ERROR(transaction.DeleteIntent(each.ref.locator));
    RETURN_IF_ERROR(AnnounceDestruction(
        call.environment, transaction, key_store, each.before, kMovedMaterial));
  }
  return {};
}

// What fails, housekeeping tries again: the key is moved.
asio::awaitable<void> ForgetWrapped(Environment& environment,
                                    const std::string& key_store,
                                    const std::vector<Kept>& kept) {
  for (const Kept& each : kept) {
    store::Intent intent;
    intent.locator = each.before;
    intent.key_store = key_store;
    intent.kind = store::IntentKind::kDestroy;
    intent.key_id = kMovedMaterial;
    const base::Status forgotten =
        co_await FinishDestruction(environment, intent);
    if (!forgotten) {
      base::LogWarning(
          "a key was moved to the token, and workers may still have the "
          "wrapped one {}, which is tried again: {}",
          base::HexEncode(each.before.bytes), forgotten.error().message);
    }
  }
}

asio::awaitable<base::Status> KeepAll(Call& call, KeyStore& key_store,
                                      std::vector<Kept>& kept) {
  for (const KeyMaterial& material : call.key->materials) {
    if (IsWrapped(material)) {
      CO_ASSIGN_OR_RETURN(
          kept.emplace_back(),
          co_await Keep(call.environment, key_store, *call.key, material));
    }
  }
  auto change = [&](store::Transaction& transaction) {
    return CommitKept(call, transaction, key_store.name, kept);
  };
  co_return co_await call.Commit(change);
}

// Of all materials, or of none.
asio::awaitable<base::Status> MoveToToken(Call& call) {
  const Key& key = *call.key;
  if (std::ranges::none_of(key.materials, IsWrapped)) {
    co_return base::Status();
  }
  if (key.origin == Origin::kExternal) {
    co_return CannotMove(key,
                         "its key material is imported. Import it again while "
                         "the placement of the key store is \"resident\"");
  }
  CO_RETURN_IF_ERROR(CheckLivesInOne(call, key));
  CO_ASSIGN_OR_RETURN(KeyStore* const key_store,
                      call.environment.key_stores.Of(key));
  std::vector<Kept> kept;
  const base::Status moved = co_await KeepAll(call, *key_store, kept);
  if (moved) {
    co_await ForgetWrapped(call.environment, key_store->name, kept);
    co_return moved;
  }
  for (const Kept& each : kept) {
    co_await RollBackCreation(call.environment, *key_store, each.ref.locator);
  }
  co_return moved;
}

// Whether the key can have a new material, which is the only one that can be
// wrapped. Checked before the token makes anything, and in the transaction.
base::Status CheckCanBeWrapped(const Key& key) {
  if (key.origin == Origin::kExternal) {
    return CannotMove(key,
                      "its key material is imported, and an object of the "
                      "token never leaves it");
  }
  if (!CheckRotatable(key)) {
    return CannotMove(key,
                      "its key material is an object of the token, which never "
                      "leaves it, and keys of that kind never get another one. "
                      "Only symmetric encryption keys of origin AWS_KMS do");
  }
  RETURN_IF_ERROR(CheckNotReplica(key));
  return CheckState(kForRotation, key);
}

// An object cannot leave the token: the next material is wrapped, and the old
// ones stay to open what they have sealed.
asio::awaitable<base::Status> MoveToWrapped(Call& call) {
  const Key& key = *call.key;
  const KeyMaterial* const current = key.FindCurrentMaterial();
  if (current != nullptr && IsWrapped(*current)) {
    co_return base::Status();
  }
  CO_RETURN_IF_ERROR(CheckCanBeWrapped(key));
  CO_ASSIGN_OR_RETURN(
      KeyMaterial material,
      co_await MakeWrappedMaterial(call.environment, key, call.now));
  auto check = [&key](Key& now) -> base::Status {
    RETURN_IF_ERROR(CheckCanBeWrapped(now));
    return now.CurrentMaterial().id == key.CurrentMaterial().id
               ? base::Status()
               : base::Status(ChangedMeanwhile(now));
  };
  co_return co_await CommitOnDemandRotation(call, std::move(material), check);
}

}  // namespace

Answer MoveKey(Call& call) {
  CO_RETURN_IF_ERROR(CheckState(call.operation.states, *call.key));
  const bool to_token = call.Text("Placement") == "resident";
  // Named first: g++ 12 destroys a temporary of ?: inside co_await twice.
  auto move = to_token ? MoveToToken(call) : MoveToWrapped(call);
  CO_RETURN_IF_ERROR(co_await std::move(move));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", call.key->Arn())
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
