// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/custom_key_stores/rules.h"

namespace kms::operations {
namespace {

// Keys that are pending deletion count: until they are gone their ciphertexts
// can be wanted back.
base::Status RequireNoKeys(store::CustomKeyStores& rows, std::string_view id) {
  ASSIGN_OR_RETURN(const std::uint64_t keys, rows.CountKeys(id));
  if (keys == 0) {
    return {};
  }
  return base::Error{
      base::ErrorCode::kCustomKeyStoreHasKeys,
      fmt::format("Custom key store {} has {} KMS keys. Schedule their "
                  "deletion, and delete the store when they are gone.",
                  id, keys)};
}

}  // namespace

Answer DeleteCustomKeyStore(Call& call) {
  const std::string_view id = *call.Text("CustomKeyStoreId");
  CO_RETURN_IF_ERROR(FindCustomKeyStore(call, id));
  auto change = [&](store::Transaction& transaction) -> base::Status {
    store::CustomKeyStores& rows = transaction.custom_key_stores();
    ASSIGN_OR_RETURN(const CustomKeyStore store,
                     TakeCustomKeyStore(call, transaction));
    RETURN_IF_ERROR(RequireStoreState(store, {ConnectionState::kDisconnected}));
    RETURN_IF_ERROR(RequireNoKeys(rows, id));
    return rows.DeleteCustomKeyStore(id);
  };
  CO_RETURN_IF_ERROR(co_await CommitCustomKeyStores(call, change));
  co_return EmptyObject();
}

}  // namespace kms::operations
