// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/import_pairs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "kms/operations/destructions.h"
#include "kms/operations/intents.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostOpen = 5;  // Of one key.
constexpr std::uint64_t kInAdvance = 2;
constexpr int kAttempts = 8;

asio::awaitable<base::Status> MakePair(Environment& environment,
                                       KeyStore& key_store,
                                       hsm::Algorithm algorithm) {
  CO_ASSIGN_OR_RETURN(
      const hsm::Locator announced,
      co_await AnnounceKey(environment, key_store, kImportPair));
  const hsm::GenerateKeyPairRequest request = {{announced, algorithm}};
  auto made = co_await key_store.hsm.Call(request);
  if (!made) {
    co_await RollBackCreation(environment, key_store, announced);
    co_return Error(made.error());
  }
  store::ImportPair pair;
  pair.ref = request.key;
  pair.key_store = key_store.name;
  pair.public_key = std::move(made->public_key);
  pair.created = environment.clock.Now();
  auto insert = [&pair](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(transaction.InsertImportPair(pair));
    return transaction.DeleteIntent(pair.ref.locator);
  };
  const base::Status kept = co_await environment.store.Write(insert);
  if (!kept) {
    co_await RollBackCreation(environment, key_store, announced);
  }
  co_return kept;
}

base::Status Retire(const Environment& environment,
                    store::Transaction& transaction,
                    const store::ImportPair& pair) {
  RETURN_IF_ERROR(transaction.DeleteImportPair(pair.ref.locator));
  return AnnounceDestruction(environment, transaction, pair.key_store,
                             pair.ref.locator, kImportPair);
}

// Of those that were open before the newest, one fewer than the limit stays.
base::Status RetireOldest(const Environment& environment,
                          store::Transaction& transaction,
                          const store::ImportPair& newest) {
  ASSIGN_OR_RETURN(auto open, transaction.GetImportPairs(newest.key_row_id));
  std::erase_if(open, [&newest](const store::ImportPair& pair) {
    return pair.ref.locator == newest.ref.locator;
  });
  for (std::size_t i = 0; i + kMostOpen <= open.size(); ++i) {
    RETURN_IF_ERROR(Retire(environment, transaction, open[i]));
  }
  return {};
}

}  // namespace

asio::awaitable<base::Result<store::ImportPair>> OpenImportPair(
    Call& call, store::ImportPair terms) {
  Environment& environment = call.environment;
  CO_ASSIGN_OR_RETURN(KeyStore* const key_store,
                      environment.key_stores.Find(terms.key_store));
  std::optional<store::ImportPair> claimed;
  auto claim = [&](store::Transaction& transaction) -> base::Status {
    claimed.reset();
    ASSIGN_OR_RETURN(const Key key, transaction.GetKey(terms.key_row_id));
    RETURN_IF_ERROR(CheckState(call.operation.states, key));
    ASSIGN_OR_RETURN(claimed, transaction.ClaimImportPair(terms));
    return claimed ? RetireOldest(environment, transaction, *claimed)
                   : base::Status();
  };
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    CO_RETURN_IF_ERROR(co_await environment.store.Write(claim));
    if (claimed) {
      co_return *std::move(claimed);
    }
    CO_RETURN_IF_ERROR(
        co_await MakePair(environment, *key_store, terms.ref.algorithm));
  }
  // Others took each pair that this request made.
  co_return Error{ErrorCode::kThrottled,
                  "You have exceeded the rate at which you may call KMS. "
                  "Reduce the frequency of your calls."};
}

asio::awaitable<base::Status> RetireExpiredPairs(Environment& environment) {
  const base::WallTime now = environment.clock.Now();
  CO_ASSIGN_OR_RETURN(const auto expired,
                      environment.store.ListExpiredImportPairs(now));
  if (expired.empty()) {
    co_return base::Status();
  }
  auto retire = [&](store::Transaction& transaction) -> base::Status {
    for (const store::ImportPair& pair : expired) {
      RETURN_IF_ERROR(Retire(environment, transaction, pair));
    }
    return {};
  };
  const base::Status retired = co_await environment.store.Write(retire);
  // A request was faster: the next round sees what is left.
  if (!retired && retired.error().code == ErrorCode::kNotFound) {
    co_return base::Status();
  }
  co_return retired;
}

namespace {

asio::awaitable<base::Status> Refill(Environment& environment,
                                     KeyStore& key_store) {
  if (!key_store.hsm.Ready()) {
    co_return base::Status();
  }
  CO_ASSIGN_OR_RETURN(const auto stock,
                      environment.store.ListImportPairStock(key_store.name));
  const auto scarce =
      std::ranges::find_if(stock, [](const store::ImportPairStock& row) {
        return row.open > 0 && row.waiting < kInAdvance;
      });
  if (scarce == stock.end()) {
    co_return base::Status();
  }
  co_return co_await MakePair(environment, key_store, scarce->algorithm);
}

}  // namespace

asio::awaitable<base::Status> RefillImportPairs(Environment& environment) {
  base::Status first_error;
  for (KeyStore& key_store : environment.key_stores.all()) {
    base::Status status = co_await Refill(environment, key_store);
    if (first_error) {
      first_error = std::move(status);
    }
  }
  co_return first_error;
}

}  // namespace kms::operations
