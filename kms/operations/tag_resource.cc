// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/handlers.h"
#include "kms/operations/tags.h"

namespace kms::operations {

base::Status ValidateTagResource(const Call& call) {
  return CheckTags(ReadTags(call));
}

Answer TagResource(Call& call) {
  const std::vector<Tag> tags = ReadTags(call);
  auto change = [&call,
                 &tags](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Key key, transaction.GetKey(call.key->row_id));
    RETURN_IF_ERROR(CheckState(call.operation.states, key));
    for (const Tag& tag : tags) {
      RETURN_IF_ERROR(transaction.PutTag(key.row_id, tag));
    }
    ASSIGN_OR_RETURN(const auto all, transaction.GetTags(key.row_id));
    if (all.size() > kMaxTagsPerKey) {
      return base::Error{base::ErrorCode::kTag, "Too many tags"};
    }
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  co_return Reply();
}

}  // namespace kms::operations
