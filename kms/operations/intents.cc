// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/intents.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;

constexpr int kRollBackAttempts = 20;
constexpr auto kRollBackPause = std::chrono::milliseconds(250);

asio::awaitable<void> Pause(std::chrono::milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// One attempt: gone from the token, and then from the store.
//
// A commit that the disk refused may be there after a crash, until another one
// succeeds (store::Connection). So the first step is a commit: if it finds the
// intent, no key has the object, and no crash makes one of what failed.
asio::awaitable<base::Status> DestroyAnnounced(Environment& environment,
                                               KeyStore& key_store,
                                               hsm::Locator locator) {
  auto abandon = [locator](store::Transaction& transaction) {
    return transaction.AbandonIntent(locator);
  };
  const base::Status abandoned = co_await environment.store.Write(abandon);
  if (!abandoned) {
    co_return abandoned.error().code == base::ErrorCode::kNotFound
        ? base::Status()  // Settled: the object is gone, or a key's.
        : abandoned;
  }
  // No other worker can have a copy: the locator was never used.
  const hsm::DestroyKeyRequest request = {locator};
  const auto destroyed = co_await key_store.hsm.Call(request);
  if (!destroyed && destroyed.error().code != base::ErrorCode::kNotFound) {
    co_return base::Error(destroyed.error());
  }
  auto clear = [locator](store::Transaction& transaction) {
    return transaction.DeleteIntent(locator);
  };
  co_return co_await environment.store.Write(clear);
}

}  // namespace

asio::awaitable<base::Result<hsm::Locator>> AnnounceKey(
    Environment& environment, const KeyStore& key_store,
    std::string_view key_id) {
  store::Intent intent;
  base::RandomBytes(intent.locator.bytes);
  intent.key_store = key_store.name;
  intent.kind = store::IntentKind::kCreate;
  intent.epoch = environment.store.info().epoch;
  intent.key_id = key_id;
  auto insert = [&intent](store::Transaction& transaction) {
    return transaction.InsertIntent(intent);
  };
  CO_RETURN_IF_ERROR(co_await environment.store.Write(insert));
  co_return intent.locator;
}

asio::awaitable<void> RollBackCreation(Environment& environment,
                                       KeyStore& key_store,
                                       hsm::Locator locator) {
  base::Status status;
  for (int attempt = 0; attempt < kRollBackAttempts; ++attempt) {
    status = co_await DestroyAnnounced(environment, key_store, locator);
    if (status) {
      co_return;
    }
    co_await Pause(kRollBackPause);
  }
  base::LogWarning(
      "could not roll back the creation of object {}: {}; it stays announced "
      "and is settled later",
      base::HexEncode(locator.bytes), status.error().message);
}

asio::awaitable<base::Status> SettleIntents(Environment& environment,
                                            KeyStore& key_store,
                                            std::uint64_t before_epoch) {
  CO_ASSIGN_OR_RETURN(auto intents, environment.store.ListIntents());
  CO_ASSIGN_OR_RETURN(const auto known,
                      environment.store.ListLocators(key_store.name));
  std::erase_if(intents, [&](const store::Intent& intent) {
    return intent.kind != store::IntentKind::kCreate ||
           intent.epoch >= before_epoch || intent.key_store != key_store.name;
  });
  if (!intents.empty()) {
    // A worker may still be making what a killed clavigerd has asked for. When
    // all have answered, or were replaced, nothing of that can happen any more.
    CO_RETURN_IF_ERROR(co_await key_store.hsm.EvictEverywhere(
        intents.front().locator, hsm::client::SlowWorker::kReplace));
  }
  for (const store::Intent& intent : intents) {
    if (std::ranges::find(known, intent.locator) != known.end()) {
      co_return base::Error{
          base::ErrorCode::kCorrupt,
          "the store holds both an intent and a key for object " +
              base::HexEncode(intent.locator.bytes)};
    }
    base::LogInfo("rolling back the unfinished creation of object {}",
                  base::HexEncode(intent.locator.bytes));
    CO_RETURN_IF_ERROR(
        co_await DestroyAnnounced(environment, key_store, intent.locator));
  }
  co_return base::Status();
}

}  // namespace kms::operations
