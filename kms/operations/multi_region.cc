// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/multi_region.h"

#include <chrono>

namespace kms::operations {
namespace {

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

}  // namespace kms::operations
