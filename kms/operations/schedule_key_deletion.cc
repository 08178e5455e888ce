// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/multi_region.h"

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
  Key key;
  auto schedule = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(key, transaction.GetKey(call.key->row_id));
    RETURN_IF_ERROR(CheckState(call.operation.states, key));
    return ScheduleDeletion(transaction, key, call.now, days);
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(schedule));

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().Text("KeyId", call.key->Arn());
  if (key.deletion_date) {
    writer.Time("DeletionDate", *key.deletion_date);
  }
  writer.Text("KeyState", KeyStateName(key.state))
      .Number("PendingWindowInDays", days)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
