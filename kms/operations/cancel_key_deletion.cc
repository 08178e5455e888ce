// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/imported_material.h"

namespace kms::operations {

Answer CancelKeyDeletion(Call& call) {
  auto edit = [](Key& key) -> base::Status {
    if (key.destroying) {
      // Between finding the key and here, its day has come.
      return base::Error{base::ErrorCode::kInvalidState,
                         key.Arn() + " is being deleted."};
    }
    key.state = StateWithMaterials(key, KeyState::kDisabled);
    key.deletion_date.reset();
    key.pending_window_days.reset();
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.CommitKey(edit));

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", call.key->Arn())
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
