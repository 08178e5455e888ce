// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "kms/operations/handlers.h"
#include "kms/operations/tags.h"

namespace kms::operations {

base::Status ValidateUntagResource(const Call& call) {
  for (const base::Json& tag_key : *call.Find("TagKeys")) {
    RETURN_IF_ERROR(CheckTagKey(base::TextOf(tag_key)));
  }
  return {};
}

Answer UntagResource(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Key key, transaction.GetKey(call.key->row_id));
    RETURN_IF_ERROR(CheckState(call.operation.states, key));
    // Removing a tag that is not there succeeds.
    for (const base::Json& tag_key : *call.Find("TagKeys")) {
      RETURN_IF_ERROR(transaction.DeleteTag(key.row_id, base::TextOf(tag_key)));
    }
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  co_return Reply();
}

}  // namespace kms::operations
