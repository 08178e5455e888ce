// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "kms/json_writer.h"
#include "kms/operations/handlers.h"

namespace kms::operations {
namespace {

constexpr std::int64_t kMinWindow = 7;  // Days.
constexpr std::int64_t kMaxWindow = 30;
constexpr std::int64_t kDefaultWindow = 30;

}  // namespace

base::Status ValidateScheduleKeyDeletion(const Call& call) {
  const auto days = call.Number("PendingWindowInDays").value_or(kDefaultWindow);
  if (days < kMinWindow || days > kMaxWindow) {
    return base::Error{base::ErrorCode::kValidation,
                       "PendingWindowInDays must be between 7 and 30"};
  }
  return {};
}

Answer ScheduleKeyDeletion(Call& call) {
  const auto days = call.Number("PendingWindowInDays").value_or(kDefaultWindow);
  const base::WallTime date = call.now + std::chrono::days(days);
  auto edit = [date](Key& key) -> base::Status {
    key.state = KeyState::kPendingDeletion;
    key.deletion_date = date;
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.CommitKey(edit));

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", call.key->Arn())
      .Time("DeletionDate", date)
      .Text("KeyState", KeyStateName(KeyState::kPendingDeletion))
      .Number("PendingWindowInDays", days)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
