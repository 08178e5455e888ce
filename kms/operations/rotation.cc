// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/rotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/new_material.h"
#include "kms/operations/outbox.h"
#include "kms/operations/service_event.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

// Housekeeping has other things to do, too.
constexpr int kMostPerPass = 32;
constexpr auto kFirstPause = std::chrono::minutes(1);
constexpr auto kLongestPause = std::chrono::minutes(60);

// What CloudTrail says of a rotation. AWS KMS Developer Guide, "RotateKey".
std::vector<ServiceDetail> DetailsOf(const Key& before,
                                     const KeyMaterial& material) {
  return {
      {"rotationType", std::string(RotationTypeName(
                           material.rotation.value_or(Rotation()).type))},
      {"keyOrigin", std::string(OriginName(before.origin))},
      {"previousKeyMaterialId", base::HexEncode(before.CurrentMaterial().id)},
      {"currentKeyMaterialId", base::HexEncode(material.id)},
      {"keyId", before.id}};
}

}  // namespace

bool IsRotatableKind(const Key& key) {
  return key.spec == KeySpec::kSymmetricDefault &&
         key.usage == KeyUsage::kEncryptDecrypt;
}

base::Status CheckRotatableKind(const Key& key) {
  if (!IsRotatableKind(key)) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("{} key spec is {} which is not valid for this "
                             "operation.",
                             key.Arn(), KeySpecName(key.spec))};
  }
  return {};
}

base::Status CheckRotatable(const Key& key) {
  RETURN_IF_ERROR(CheckRotatableKind(key));
  if (key.origin != Origin::kAwsKms) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("{} origin is {} which is not valid for this "
                             "operation.",
                             key.Arn(), OriginName(key.origin))};
  }
  return {};
}

base::Status CommitRotation(store::Transaction& transaction,
                            std::string_view row_id,
                            const KeyMaterial& material,
                            const std::function<base::Status(Key&)>& edit) {
  ASSIGN_OR_RETURN(Key key, transaction.GetKey(row_id));
  RETURN_IF_ERROR(edit(key));
  RETURN_IF_ERROR(transaction.UpdateKey(key));
  RETURN_IF_ERROR(transaction.AddMaterial(key.id, material));
  return SettleMaterial(transaction, material);
}

asio::awaitable<base::Status> CommitOnDemandRotation(
    Call& call, KeyMaterial material, std::function<base::Status(Key&)> edit) {
  material.rotation = Rotation{call.now, RotationType::kOnDemand};
  call.material_id = base::HexEncode(material.id);
  auto change = [&](store::Transaction& transaction) {
    return CommitRotation(transaction, call.key->row_id, material, edit);
  };
  const base::Status committed = co_await call.Commit(change);
  if (!committed) {
    co_await AbandonMaterial(call.environment, material);
  }
  co_return committed;
}

asio::awaitable<base::Status> RotationScheduler::Rotate(const Key& key) {
  if (!key.rotation) {
    co_return Error{ErrorCode::kConflict, "the key is not to be rotated"};
  }
  const base::WallTime now = environment_.clock.Now();
  CO_ASSIGN_OR_RETURN(KeyMaterial material,
                      co_await MakeMaterial(environment_, key, now));
  material.rotation = Rotation{now, RotationType::kAutomatic};
  ServiceStep step{SubjectOf(key), "RotateKey"};
  const base::WallTime due = key.rotation->next;
  // The same due date, so that nothing rotates twice for one.
  auto edit = [&](Key& current) -> base::Status {
    if (current.state != KeyState::kEnabled || !CheckNotReplica(current) ||
        !current.rotation || current.rotation->next != due) {
      return Error{ErrorCode::kConflict, "the key is not due any more"};
    }
    step.details = DetailsOf(current, material);
    current.rotation->next =
        now + std::chrono::days(current.rotation->period_days);
    return {};
  };
  auto change = [&](store::Transaction& transaction) {
    return CommitRotation(transaction, key.row_id, material, edit);
  };
  auto event = co_await CommitStep(environment_, step, change);
  if (!event) {
    co_await AbandonMaterial(environment_, material);
    co_return Error(std::move(event).error());
  }
  // The key is rotated. If the log does not take the event now, it is in the
  // outbox, and the next pass waits for it.
  const base::Status logged =
      co_await AppendCommitted(environment_, *std::move(event));
  if (!logged) {
    base::LogWarning("key {} is rotated, its audit event waits: {}", key.id,
                     logged.error().message);
  }
  co_return base::Status();
}

asio::awaitable<base::Status> RotationScheduler::RotateRow(
    const std::string& row_id) {
  const auto key = environment_.store.FindKey(row_id);
  if (!key) {
    co_return Error(key.error());
  }
  const Key& found = **key;
  co_return co_await Rotate(found);
}

bool RotationScheduler::Waits(const std::string& row_id,
                              base::MonotonicTime now) const {
  const auto it = failures_.find(row_id);
  return it != failures_.end() && it->second.again > now;
}

void RotationScheduler::NoteFailure(const std::string& row_id,
                                    base::MonotonicTime now) {
  Failure& failure = failures_[row_id];
  failure.pause = std::clamp(failure.pause * 2, kFirstPause, kLongestPause);
  failure.again = now + failure.pause;
}

// Without it, a try would only leave an announcement behind.
bool RotationScheduler::IsTokenReady(const std::string& row_id) const {
  const auto key = environment_.store.FindKey(row_id);
  if (!key) {
    return true;  // RotateRow() says why.
  }
  const auto key_store = environment_.key_stores.Of(**key);
  return key_store && (*key_store)->hsm.Ready();
}

asio::awaitable<base::Status> RotationScheduler::RunPass() {
  const base::MonotonicTime now = environment_.clock.Monotonic();
  // A key that was not tried again in all this time is not due any more.
  std::erase_if(failures_, [now](const auto& entry) {
    return entry.second.again + kLongestPause <= now;
  });
  // As many more as are skipped.
  const int limit = kMostPerPass + static_cast<int>(failures_.size());
  CO_ASSIGN_OR_RETURN(const auto due, environment_.store.ListDueRotations(
                                          environment_.clock.Now(), limit));
  for (const std::string& row_id : due) {
    if (!environment_.unlogged.empty()) {
      co_return base::Status();
    }
    if (Waits(row_id, now) || !IsTokenReady(row_id)) {
      continue;
    }
    const base::Status status = co_await RotateRow(row_id);
    const bool settled = status ||
                         status.error().code == ErrorCode::kConflict ||
                         status.error().code == ErrorCode::kNotFound;
    if (!settled) {
      NoteFailure(row_id, now);
      co_return Error{status.error().code,
                      fmt::format("the rotation of key {} failed, and is tried "
                                  "again: {}",
                                  row_id, status.error().message)};
    }
    failures_.erase(row_id);
  }
  co_return base::Status();
}

}  // namespace kms::operations
