// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kms/operations/aliases.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"

namespace kms::operations {

base::Status ValidateAliasName(const Call& call) {
  return CheckAliasName(*call.Text("AliasName"));
}

base::Status ResolveCreateAlias(Call& call) {
  ASSIGN_OR_RETURN(call.key, FindTargetKey(call));
  AddAliasCheck(call, call.operation.action, *call.Text("AliasName"));
  AddKeyCheck(call, call.operation.action, call.key, call.operation.states);
  return {};
}

Answer CreateAlias(Call& call) {
  const Alias alias = {.account = call.key->account,
                       .region = call.key->region,
                       .name = std::string(*call.Text("AliasName")),
                       .key_row_id = call.key->row_id,
                       .created = call.now,
                       .updated = call.now};
  auto change = [&call,
                 &alias](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Key key, transaction.GetKey(alias.key_row_id));
    RETURN_IF_ERROR(CheckState(call.operation.states, key));
    ASSIGN_OR_RETURN(const std::uint64_t count,
                     transaction.CountAliases(alias.key_row_id));
    if (count >= kMaxAliasesPerKey) {
      return base::Error{
          base::ErrorCode::kLimitExceeded,
          fmt::format("{} has {} aliases already, which is the limit.",
                      key.Arn(), count)};
    }
    base::Status inserted = transaction.InsertAlias(alias);
    if (!inserted && inserted.error().code == base::ErrorCode::kAlreadyExists) {
      return base::Error{
          base::ErrorCode::kAlreadyExists,
          fmt::format("An alias with the name {} already exists", alias.Arn())};
    }
    return inserted;
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  co_return Reply();
}

}  // namespace kms::operations
