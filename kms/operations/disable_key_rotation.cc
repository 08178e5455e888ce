// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/handlers.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/rotation.h"

namespace kms::operations {

Answer DisableKeyRotation(Call& call) {
  auto edit = [](Key& key) -> base::Status {
    RETURN_IF_ERROR(CheckRotatable(key));
    RETURN_IF_ERROR(CheckNotReplica(key));
    key.rotation.reset();
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.CommitKey(edit));
  co_return Reply();
}

}  // namespace kms::operations
