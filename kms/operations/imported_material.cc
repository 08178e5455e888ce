// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/imported_material.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "kms/operations/deletion.h"
#include "kms/operations/destructions.h"
#include "kms/operations/outbox.h"
#include "kms/operations/service_event.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

// Marks one that has expired, unless it was imported again or deleted
// meanwhile: then kConflict.
asio::awaitable<base::Status> Expire(Environment& environment,
                                     const store::DueMaterial& due,
                                     base::WallTime now) {
  const auto key = environment.store.FindKey(due.row_id);
  if (!key) {
    co_return Error(key.error());
  }
  ServiceStep step{SubjectOf(**key),
                   "DeleteExpiredKeyMaterial",
                   {{"keyMaterialId", base::HexEncode(due.material)}}};
  auto mark = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Key current, transaction.GetKey(due.row_id));
    const KeyMaterial* const material = current.FindMaterial(due.material);
    const bool expired = material != nullptr && material->IsImported() &&
                         material->import->valid_to &&
                         *material->import->valid_to <= now;
    if (!expired) {
      return Error{ErrorCode::kConflict, "the material is not due any more"};
    }
    const KeyMaterial lost = *material;
    RETURN_IF_ERROR(LoseMaterial(environment, transaction, current, lost));
    return {};
  };
  CO_ASSIGN_OR_RETURN(store::OutboxEvent event,
                      co_await CommitStep(environment, step, mark));
  co_return co_await AppendCommitted(environment, std::move(event));
}

bool IsPendingRotation(const Key& key, const KeyMaterial& material) {
  const KeyMaterial* const pending = key.PendingRotation();
  return pending != nullptr && pending->id == material.id;
}

bool IsOnlyOne(std::span<const std::string> importers,
               std::string_view row_id) {
  return importers.size() == 1 && importers.front() == row_id;
}

bool IsSettled(const base::Status& status) {
  return status || status.error().code == ErrorCode::kConflict ||
         status.error().code == ErrorCode::kNotFound;
}

// The part of a transaction that destroys a material: an object of the token
// goes afterwards, what a wrapped one was goes now, and workers forget both.
base::Status Destroy(Environment& environment, store::Transaction& transaction,
                     const Key& key, const KeyMaterial& material) {
  if (material.ref.wrapped != nullptr) {
    KeyMaterial gone = material;
    gone.ref.wrapped = nullptr;
    RETURN_IF_ERROR(transaction.MoveMaterial(key.id, gone));
  }
  const auto where = environment.key_stores.Of(key, material);
  return AnnounceDestruction(environment, transaction,
                             where ? (*where)->name : material.key_store,
                             material.ref.locator, key.row_id);
}

}  // namespace

base::Status CheckImportable(const Key& key) {
  if (key.origin != Origin::kExternal) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("{} origin is {} which is not valid for this "
                             "operation.",
                             key.Arn(), OriginName(key.origin))};
  }
  return {};
}

bool HasExpiredMaterial(const Key& key, base::WallTime now) {
  return key.origin == Origin::kExternal && key.state == KeyState::kEnabled &&
         std::ranges::any_of(key.materials, [&](const KeyMaterial& material) {
           return material.IsImported() && material.import->valid_to &&
                  *material.import->valid_to <= now &&
                  &material != key.PendingRotation();
         });
}

KeyState StateWithMaterials(const Key& key, KeyState otherwise) {
  return key.HasAllMaterials() ? otherwise : KeyState::kPendingImport;
}

base::Result<bool> LoseMaterial(Environment& environment,
                                store::Transaction& transaction, Key& key,
                                const KeyMaterial& material) {
  const bool is_pending = IsPendingRotation(key, material);
  const bool is_forgotten =
      is_pending && key.multi_region != MultiRegionType::kReplica;
  ASSIGN_OR_RETURN(const auto importers, transaction.GetImporters(material.id));
  const bool is_destroyed =
      is_forgotten ? !importers.empty() : IsOnlyOne(importers, key.row_id);
  if (is_destroyed) {
    RETURN_IF_ERROR(Destroy(environment, transaction, key, material));
  }
  if (is_forgotten) {
    RETURN_IF_ERROR(transaction.DeleteMaterial(key.id, material.id));
  } else if (material.IsImported()) {
    KeyMaterial lost = material;
    lost.import->imported = false;
    lost.import->valid_to.reset();
    RETURN_IF_ERROR(transaction.PutImportTerms(key.row_id, lost));
    const bool stays = is_pending || key.state == KeyState::kPendingDeletion ||
                       key.state == KeyState::kPendingReplicaDeletion;
    key.state = stays ? key.state : KeyState::kPendingImport;
  }
  RETURN_IF_ERROR(transaction.UpdateKey(key));
  return is_destroyed;
}

bool IsImportedEverywhere(std::span<const RelatedKey> related,
                          std::span<const std::string> importers) {
  return std::ranges::all_of(related, [importers](const RelatedKey& key) {
    return key.destroying ||
           std::ranges::find(importers, key.row_id) != importers.end();
  });
}

base::Status LeaveMaterials(Environment& environment,
                            store::Transaction& transaction, const Key& key) {
  for (const KeyMaterial& material : key.materials) {
    ASSIGN_OR_RETURN(const auto importers,
                     transaction.GetImporters(material.id));
    if (IsOnlyOne(importers, key.row_id)) {
      RETURN_IF_ERROR(Destroy(environment, transaction, key, material));
    }
  }
  return {};
}

asio::awaitable<base::Status> ExpireMaterials(Environment& environment) {
  const auto due_time = environment.deletion_guard.DueTime();
  if (!due_time || !environment.unlogged.empty()) {
    co_return base::Status();
  }
  CO_ASSIGN_OR_RETURN(const auto due,
                      environment.store.ListDueMaterials(*due_time));
  base::Status first_error;
  for (const store::DueMaterial& material : due) {
    const base::Status status =
        co_await Expire(environment, material, *due_time);
    if (!IsSettled(status) && first_error) {
      first_error = Error(status.error());
    }
  }
  co_return first_error;
}

}  // namespace kms::operations
