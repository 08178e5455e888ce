// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>

#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/custom_key_stores/rules.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;

constexpr auto kPause = std::chrono::milliseconds(5);

// Until the last request that was let out so far is answered, or has missed its
// deadline: each has one. Those that follow are of somebody who has connected
// the store again, and may never cease.
asio::awaitable<void> WaitForAnswers(const CustomKeyStoreSource& source,
                                     std::string_view id) {
  const std::uint64_t last = source.LastPass();
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (source.IsAsked(id, last)) {
    timer.expires_after(kPause);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace

// When this has answered, nothing leaves for the proxy or the cluster any more,
// unless the store is connected again.
Answer DisconnectCustomKeyStore(Call& call) {
  const std::string_view id = *call.Text("CustomKeyStoreId");
  CO_RETURN_IF_ERROR(FindCustomKeyStore(call, id));
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(CustomKeyStore store,
                     TakeCustomKeyStore(call, transaction));
    RETURN_IF_ERROR(RequireStoreState(
        store, {ConnectionState::kConnected, ConnectionState::kConnecting,
                ConnectionState::kFailed}));
    store::CustomKeyStores& rows = transaction.custom_key_stores();
    ASSIGN_OR_RETURN(const std::uint64_t keys, rows.CountKeys(store.id));
    store.state = ConnectionState::kDisconnected;
    store.connection_error_code.clear();
    if (keys == 0) {  // Nothing binds it to the place where it was connected.
      store.key_store.clear();
    }
    return rows.UpdateCustomKeyStore(store);
  };
  CO_RETURN_IF_ERROR(co_await CommitCustomKeyStores(call, change));
  co_await WaitForAnswers(call.environment.custom_key_stores, id);
  // Not before: an attempt that was out may have had trouble.
  call.environment.custom_key_stores.EndTrouble(id);
  co_return EmptyObject();
}

}  // namespace kms::operations
