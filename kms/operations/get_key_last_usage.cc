// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/last_usage.h"

namespace kms::operations {

Answer GetKeyLastUsage(Call& call) {
  const Key& key = *call.key;
  CO_ASSIGN_OR_RETURN(const auto usage,
                      call.environment.last_usage.Find(key.row_id));
  // When this store began to remember; keys may be older.
  CO_ASSIGN_OR_RETURN(const base::WallTime since,
                      call.environment.store.KeyUsageSince());
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().Text("KeyId", key.id);
  if (usage) {
    writer.BeginObject("KeyLastUsage")
        .Text("Operation", usage->operation)
        .Time("Timestamp", usage->time)
        .Text("CloudTrailEventId", usage->event_id)
        .Text("KmsRequestId", usage->request_id)
        .EndObject();
  }
  writer.Time("TrackingStartDate", std::max(since, key.created))
      .Time("KeyCreationDate", key.created)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
