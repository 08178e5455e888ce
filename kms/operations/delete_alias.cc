// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/aliases.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"

namespace kms::operations {

base::Status ResolveDeleteAlias(Call& call) {
  const std::string_view name = *call.Text("AliasName");
  auto alias = call.environment.store.FindAlias(call.request.caller.account,
                                                call.request.region, name);
  if (!alias && alias.error().code == base::ErrorCode::kNotFound) {
    return NoSuchAlias(call, name);
  }
  ASSIGN_OR_RETURN(call.alias, std::move(alias));
  ASSIGN_OR_RETURN(call.key,
                   call.environment.store.FindKey(call.alias->key_row_id));
  AddAliasCheck(call, call.operation.action, name);
  AddKeyCheck(call, call.operation.action, call.key, call.operation.states);
  return {};
}

Answer DeleteAlias(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    auto alias = transaction.GetAlias(call.alias->account, call.alias->region,
                                      call.alias->name);
    if (!alias && alias.error().code == base::ErrorCode::kNotFound) {
      return NoSuchAlias(call, call.alias->name);
    }
    RETURN_IF_ERROR(alias);
    return transaction.DeleteAlias(*alias);
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  co_return Reply();
}

}  // namespace kms::operations
