// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/destructions.h"

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "kms/operations/outbox.h"
#include "kms/operations/service_event.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

asio::awaitable<base::Status> Settle(Environment& environment,
                                     const store::Intent& intent) {
  const hsm::Locator locator = intent.locator;
  auto clear = [locator](store::Transaction& transaction) {
    return transaction.DeleteIntent(locator);
  };
  const auto key = environment.store.FindKey(intent.key_id);
  if (!key) {  // A pair, or a key that is gone meanwhile.
    co_return co_await environment.store.Write(clear);
  }
  ServiceStep step{SubjectOf(**key), "DestroyKeyMaterial"};
  CO_ASSIGN_OR_RETURN(store::OutboxEvent event,
                      co_await CommitStep(environment, step, clear));
  co_return co_await AppendCommitted(environment, std::move(event));
}

asio::awaitable<base::Status> DestroyObject(Environment& environment,
                                            const store::Intent& intent) {
  const hsm::Locator locator = intent.locator;
  CO_ASSIGN_OR_RETURN(KeyStore* const key_store,
                      environment.key_stores.Find(intent.key_store));
  CO_RETURN_IF_ERROR(co_await key_store->hsm.EvictEverywhere(locator));
  const hsm::DestroyKeyRequest request = {locator};
  const auto destroyed = co_await key_store->hsm.Call(request);
  if (!destroyed && destroyed.error().code != ErrorCode::kNotFound) {
    co_return Error(destroyed.error());
  }
  // The object is gone, whatever becomes of the others: of what was wrapped,
  // whoever shares the wrapping key may have a copy.
  co_return intent.key_id == kImportPair
      ? base::Status()
      : co_await ForgetEverywhere(environment, locator);
}

}  // namespace

asio::awaitable<base::Status> ForgetEverywhere(Environment& environment,
                                               hsm::Locator locator) {
  for (KeyStore& key_store : environment.key_stores.all()) {
    CO_RETURN_IF_ERROR(co_await key_store.hsm.EvictEverywhere(locator));
  }
  co_return base::Status();
}

base::Status AnnounceDestruction(const Environment& environment,
                                 store::Transaction& transaction,
                                 std::string_view key_store,
                                 const hsm::Locator& locator,
                                 std::string_view of) {
  store::Intent intent;
  intent.locator = locator;
  intent.key_store = key_store;
  intent.kind = store::IntentKind::kDestroy;
  intent.epoch = environment.store.info().epoch;
  intent.key_id = of;
  return transaction.InsertIntent(intent);
}

asio::awaitable<base::Status> FinishDestruction(Environment& environment,
                                                store::Intent intent) {
  // Named first: g++ 12 destroys a temporary of ?: inside co_await twice.
  auto gone = intent.key_id == kMovedMaterial
                  ? ForgetEverywhere(environment, intent.locator)
                  : DestroyObject(environment, intent);
  CO_RETURN_IF_ERROR(co_await std::move(gone));
  const base::Status settled = co_await Settle(environment, intent);
  if (!settled && settled.error().code == ErrorCode::kNotFound) {
    co_return base::Status();  // Somebody else was faster.
  }
  co_return settled;
}

asio::awaitable<base::Status> FinishDestructions(Environment& environment) {
  if (!environment.unlogged.empty()) {
    co_return base::Status();  // What has begun must be on record first.
  }
  CO_ASSIGN_OR_RETURN(const auto intents, environment.store.ListIntents());
  base::Status first_error;
  for (const store::Intent& intent : intents) {
    // What is where nobody can be asked waits for its key store.
    if (intent.kind != store::IntentKind::kDestroy ||
        !environment.key_stores.Find(intent.key_store)) {
      continue;
    }
    const base::Status status = co_await FinishDestruction(environment, intent);
    if (!status && first_error) {
      first_error =
          Error{status.error().code,
                "destroying object " + base::HexEncode(intent.locator.bytes) +
                    " failed, and is tried again: " + status.error().message};
    }
  }
  co_return first_error;
}

}  // namespace kms::operations
