// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "kms/operations/handlers.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/rotation.h"

namespace kms::operations {
namespace {

constexpr std::int64_t kDefaultPeriod = 365;  // Days.

}  // namespace

// Also on a key whose rotation is enabled: the period counts from now.
Answer EnableKeyRotation(Call& call) {
  RotationSchedule schedule;
  schedule.period_days =
      call.Number("RotationPeriodInDays").value_or(kDefaultPeriod);
  schedule.next = call.now + std::chrono::days(schedule.period_days);
  auto edit = [schedule](Key& key) -> base::Status {
    RETURN_IF_ERROR(CheckRotatable(key));
    RETURN_IF_ERROR(CheckNotReplica(key));
    key.rotation = schedule;
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.CommitKey(edit));
  co_return Reply();
}

}  // namespace kms::operations
