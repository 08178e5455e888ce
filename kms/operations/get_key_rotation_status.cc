// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/rotation.h"

namespace kms::operations {

// OnDemandRotationStartDate is never there: an on-demand rotation is complete
// when its call returns.
Answer GetKeyRotationStatus(Call& call) {
  const Key& key = *call.key;
  // Keys of a kind that does not rotate have rotation disabled, always.
  if (IsRotatableKind(key)) {
    CO_RETURN_IF_ERROR(CheckRotatable(key));
  }
  // While a key is pending deletion its schedule is kept, but not in force.
  const bool deleting = (kOnlyPendingDeletion & Bit(key.state)) != 0;
  const bool enabled = key.rotation && !deleting;
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject()
      .Bool("KeyRotationEnabled", enabled)
      .Text("KeyId", key.id);
  if (enabled) {
    writer.Number("RotationPeriodInDays", key.rotation->period_days)
        .Time("NextRotationDate", key.rotation->next);
  }
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
