// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/handlers.h"

namespace kms::operations {

Answer EnableKey(Call& call) {
  auto edit = [](Key& key) -> base::Status {
    key.state = KeyState::kEnabled;
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.CommitKey(edit));
  co_return Reply();
}

}  // namespace kms::operations
