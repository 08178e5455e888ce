// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/deletion.h"

#include <algorithm>
#include <memory>

#include "base/log.h"
#include "kms/operations/destructions.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/outbox.h"
#include "kms/operations/service_event.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;

constexpr auto kToleratedLead = std::chrono::hours(1);

// Commits `change` with its event, and has the event in the log on return.
asio::awaitable<base::Status> RecordStep(Environment& environment,
                                         const Key& key, std::string_view name,
                                         store::Store::Change change) {
  ServiceStep step{SubjectOf(key), name};
  CO_ASSIGN_OR_RETURN(
      store::OutboxEvent event,
      co_await CommitStep(environment, step, std::move(change)));
  co_return co_await AppendCommitted(environment, std::move(event));
}

// Marks the key, unless it was saved meanwhile: then kConflict.
asio::awaitable<base::Status> BeginDestruction(Environment& environment,
                                               const Key& key) {
  auto mark = [&key](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Key current, transaction.GetKey(key.row_id));
    if (current.state != KeyState::kPendingDeletion ||
        current.deletion_date != key.deletion_date) {
      return base::Error{base::ErrorCode::kConflict,
                         "the deletion was cancelled"};
    }
    current.destroying = true;
    return transaction.UpdateKey(current);
  };
  co_return co_await RecordStep(environment, key, "DeleteKeyStarted", mark);
}

// Whether nothing needs the materials any more: each of the keys that share
// them is being destroyed. Asked after the mark of `key`, whoever is marked
// last sees that all are; and it stays so, for a replica is made only of a key
// that is not being destroyed.
base::Result<bool> AreMaterialsUnneeded(Environment& environment,
                                        const Key& key) {
  ASSIGN_OR_RETURN(const auto related,
                   environment.store.ListRelatedKeys(key.id));
  return std::ranges::all_of(related, &RelatedKey::destroying);
}

asio::awaitable<base::Status> DestroyMaterials(Environment& environment,
                                               const Key& key) {
  for (const KeyMaterial& material : key.materials) {
    const hsm::Locator locator = material.ref.locator;
    if (material.ref.wrapped != nullptr) {
      // What there is of it goes with the key's rows.
      CO_RETURN_IF_ERROR(co_await ForgetEverywhere(environment, locator));
      continue;
    }
    CO_ASSIGN_OR_RETURN(KeyStore* const key_store,
                        environment.key_stores.Of(key, material));
    CO_RETURN_IF_ERROR(co_await key_store->hsm.EvictEverywhere(locator));
    const hsm::DestroyKeyRequest request = {locator};
    const auto destroyed = co_await key_store->hsm.Call(request);
    // Gone already: an earlier run was interrupted after this point.
    if (!destroyed && destroyed.error().code != base::ErrorCode::kNotFound) {
      co_return base::Error(destroyed.error());
    }
  }
  co_return base::Status();
}

asio::awaitable<base::Status> DestroyKey(Environment& environment,
                                         const Key& key) {
  if (!key.destroying) {
    CO_RETURN_IF_ERROR(co_await BeginDestruction(environment, key));
  }
  CO_ASSIGN_OR_RETURN(const bool unneeded,
                      AreMaterialsUnneeded(environment, key));
  if (unneeded) {
    CO_RETURN_IF_ERROR(co_await DestroyMaterials(environment, key));
  }
  const base::WallTime now = environment.clock.Now();
  auto forget = [&, now](store::Transaction& transaction) -> base::Status {
    if (!unneeded) {
      RETURN_IF_ERROR(LeaveMaterials(environment, transaction, key));
    }
    RETURN_IF_ERROR(transaction.DeleteKey(key.row_id));
    return StartCountdown(transaction, key.id, now);
  };
  co_return co_await RecordStep(environment, key, "DeleteKey", forget);
}

}  // namespace

base::Result<std::unique_ptr<DeletionGuard>> DeletionGuard::Load(
    store::Store& store, const base::Clock& clock) {
  ASSIGN_OR_RETURN(const auto progress, store.GetClockProgress());
  return std::unique_ptr<DeletionGuard>(
      new DeletionGuard(progress ? progress->trusted : clock.Now(), clock));
}

void DeletionGuard::Follow() {
  const base::MonotonicTime now = clock_.Monotonic();
  trusted_ += std::chrono::floor<std::chrono::microseconds>(now - seen_);
  seen_ = now;
}

std::chrono::seconds DeletionGuard::Lead() {
  const std::lock_guard lock(mutex_);
  Follow();
  return std::max(
      std::chrono::floor<std::chrono::seconds>(clock_.Now() - trusted_),
      std::chrono::seconds(0));
}

std::optional<base::WallTime> DeletionGuard::DueTime() {
  if (Lead() > kToleratedLead) {
    return std::nullopt;
  }
  return clock_.Now();
}

void DeletionGuard::Accept() {
  const std::lock_guard lock(mutex_);
  Follow();
  trusted_ = std::max(trusted_, clock_.Now());
}

store::ClockProgress DeletionGuard::progress() {
  const std::lock_guard lock(mutex_);
  Follow();
  return {trusted_};
}

asio::awaitable<base::Status> DestroyDueKeys(Environment& environment) {
  // What has begun goes on only when the log has the record of its beginning.
  co_await RetryUnlogged(environment);
  if (!environment.unlogged.empty()) {
    co_return base::Error{base::ErrorCode::kAuditUnavailable,
                          "the audit log lacks earlier events"};
  }
  const auto due_time = environment.deletion_guard.DueTime();
  // Without a trusted time, only what has begun goes on.
  CO_ASSIGN_OR_RETURN(const auto due, environment.store.ListDueDeletions(
                                          due_time.value_or(base::WallTime())));
  base::Status first_error;
  for (const std::string& row_id : due) {
    const auto key = environment.store.FindKey(row_id);
    if (!key) {
      continue;  // Somebody else was faster.
    }
    const base::Status status = co_await DestroyKey(environment, **key);
    const bool cancelled =
        !status && status.error().code == base::ErrorCode::kConflict;
    if (!status && !cancelled && first_error) {
      base::LogError("destroying {} failed, and is tried again: {}",
                     (*key)->Arn(), status.error().message);
      first_error = base::Error(status.error());
    }
  }
  co_return first_error;
}

}  // namespace kms::operations
