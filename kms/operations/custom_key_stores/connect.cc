// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/custom_key_stores/rules.h"

namespace kms::operations {

// Answers at once. Housekeeping sees what is to be connected, and does it
// (chores.h): also after a restart.
Answer ConnectCustomKeyStore(Call& call) {
  const std::string_view id = *call.Text("CustomKeyStoreId");
  CO_ASSIGN_OR_RETURN(const OpenCustomKeyStore open,
                      FindCustomKeyStore(call, id));
  if (open.HasProxy()) {
    CO_RETURN_IF_ERROR(RequireXks(call.environment));
  }
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(CustomKeyStore store,
                     TakeCustomKeyStore(call, transaction));
    RETURN_IF_ERROR(RequireStoreState(store, {ConnectionState::kDisconnected}));
    store.state = ConnectionState::kConnecting;
    // Its time begins now, however the last disconnect ended.
    call.environment.custom_key_stores.EndTrouble(store.id);
    return transaction.custom_key_stores().UpdateCustomKeyStore(store);
  };
  CO_RETURN_IF_ERROR(co_await CommitCustomKeyStores(call, change));
  co_return EmptyObject();
}

}  // namespace kms::operations
