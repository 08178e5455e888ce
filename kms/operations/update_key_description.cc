// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/handlers.h"

namespace kms::operations {

Answer UpdateKeyDescription(Call& call) {
  const std::string description(*call.Text("Description"));
  auto edit = [&description](Key& key) -> base::Status {
    key.description = description;
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.CommitKey(edit));
  co_return Reply();
}

}  // namespace kms::operations
