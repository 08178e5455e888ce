// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/multi_region.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace kms::operations {
namespace {

namespace asio = boost::asio;

base::Error NotPrimary(const Key& key) {
  return {base::ErrorCode::kUnsupportedOperation,
          key.Arn() + " is not a multi-region primary key."};
}

}  // namespace

base::Result<std::vector<RelatedKey>> FindRelatedKeys(Call& call,
                                                      const Key& key) {
  if (!key.IsMultiRegion()) {
    return std::vector<RelatedKey>();
  }
  return call.environment.store.ListRelatedKeys(key.id);
}

RelatedKey AsRelatedKey(const Key& key) {
  return {.row_id = key.row_id,
          .region = key.region,
          .type = key.multi_region,
          .state = key.state,
          .destroying = key.destroying};
}

base::Status CheckPrimary(const Key& key) {
  if (key.multi_region != MultiRegionType::kPrimary) {
    return NotPrimary(key);
  }
  return {};
}

base::Status CheckNotReplica(const Key& key) {
  if (key.multi_region == MultiRegionType::kReplica) {
    return NotPrimary(key);
  }
  return {};
}

base::Status ScheduleDeletion(store::Transaction& transaction, Key& key,
                              base::WallTime now, std::int64_t window_days) {
  ASSIGN_OR_RETURN(const auto related, transaction.GetRelatedKeys(key.id));
  if (key.multi_region == MultiRegionType::kPrimary && related.size() > 1) {
    key.state = KeyState::kPendingReplicaDeletion;
    key.pending_window_days = window_days;
  } else {
    key.state = KeyState::kPendingDeletion;
    key.deletion_date = now + std::chrono::days(window_days);
  }
  return transaction.UpdateKey(key);
}

base::Status StartCountdown(store::Transaction& transaction,
                            std::string_view key_id, base::WallTime now) {
  ASSIGN_OR_RETURN(const auto left, transaction.GetRelatedKeys(key_id));
  if (left.size() != 1 ||
      left.front().state != KeyState::kPendingReplicaDeletion) {
    return {};
  }
  ASSIGN_OR_RETURN(Key primary, transaction.GetKey(left.front().row_id));
  const std::int64_t days = primary.pending_window_days.value_or(0);
  primary.pending_window_days.reset();
  return ScheduleDeletion(transaction, primary, now, days);
}

namespace {

base::Error CannotLiveIn(const KeyStore& target, const Key& key,
                         std::string_view why) {
  return {base::ErrorCode::kUnsupportedOperation,
          fmt::format("{} cannot be replicated to a Region of key store '{}': "
                      "{}.",
                      key.Arn(), target.name, why)};
}

}  // namespace

asio::awaitable<base::Status> CheckCanLiveIn(Environment& environment,
                                             const Key& key, KeyStore& target) {
  CO_ASSIGN_OR_RETURN(KeyStore* const source, environment.key_stores.Of(key));
  if (source == &target) {
    co_return base::Status();
  }
  if (key.origin == Origin::kExternal) {
    co_return CannotLiveIn(
        target, key,
        "imported key material stays in the key store that it was imported "
        "into");
  }
  for (const KeyMaterial& material : key.materials) {
    if (material.ref.wrapped == nullptr) {
      co_return CannotLiveIn(
          target, key,
          fmt::format("its key material is an object of the token of key store "
                      "'{}', which never leaves it. Only key material of the "
                      "placement \"wrapped\" can be in several",
                      material.key_store));
    }
    hsm::CheckKeyRequest request;
    request.key = material.ref;
    const auto used = co_await target.hsm.Call(std::move(request));
    if (!used && used.error().code == base::ErrorCode::kNotFound) {
      co_return CannotLiveIn(
          target, key,
          fmt::format("its token does not have the wrapping key of key store "
                      "'{}'. Pair the two tokens first (docs/pairing.md)",
                      material.key_store));
    }
    if (!used && used.error().code == base::ErrorCode::kUnsupportedOperation) {
      co_return CannotLiveIn(target, key, used.error().message);
    }
    CO_RETURN_IF_ERROR(used);
  }
  co_return base::Status();
}

}  // namespace kms::operations
