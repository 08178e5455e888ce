// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/chores.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "kms/operations/at_once.h"
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/custom_key_stores/outcomes.h"
#include "kms/operations/custom_key_stores/rules.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;

constexpr auto kRound = std::chrono::seconds(1);
constexpr int kRoundsPerHealth = 60;

// For so long a store is tried to be connected, whatever trouble of our own
// keeps us from it.
constexpr std::chrono::seconds kPatience{60};

// What becomes of a store that could not be tried: the ConnectionErrorCode, or
// nothing while the trouble may pass.
std::optional<std::string_view> OwnTrouble(Environment& environment,
                                           const OpenCustomKeyStore& open,
                                           const base::Error& error) {
  const OwnTroubleRow& trouble = OwnTroubleOf(error.code);
  const base::MonotonicTime now = environment.clock.Monotonic();
  if (trouble.may_pass &&
      now - environment.custom_key_stores.TroubleSince(open.store.id, now) <
          kPatience) {
    return std::nullopt;
  }
  base::LogError("connecting custom key store {}: {}", open.store.id,
                 error.message);
  return open.HasProxy() ? trouble.connection_error_code
                         : kConnectionInternalError;
}

// The ConnectionErrorCode, or empty if the proxy is well.
asio::awaitable<base::Result<std::string_view>> TryProxy(
    Environment& environment, const CustomKeyStore& store, XksProxyPtr proxy) {
  std::string operation = "ConnectCustomKeyStore";
  std::string request_id = base::NewUuidText();
  CO_ASSIGN_OR_RETURN(
      const hsm::XksOutcome outcome,
      co_await AskHealth(environment, std::move(proxy), std::move(operation),
                         std::move(request_id), store.id));
  co_return outcome == hsm::XksOutcome::kOk
      ? std::string_view()
      : RowOf(outcome).connection_error_code;
}

// The same of any store; nothing if it is not to be connected any more, or the
// next round shall try again.
asio::awaitable<std::optional<std::string_view>> TryToConnect(
    Environment& environment, const OpenCustomKeyStore& open) {
  if (open.HasProxy() && open.proxy == nullptr) {
    co_return kConnectionInternalError;
  }
  if (open.HasProxy() &&
      !CheckConnectivity(environment.custom_key_stores, open.store)) {
    co_return kVpcServiceNotFound;
  }
  const auto pass = environment.custom_key_stores.Admit(
      open.store.id, ConnectionState::kConnecting);
  if (!pass) {
    co_return std::nullopt;
  }
  // Named first: g++ 12 destroys a temporary of ?: inside co_await twice.
  auto attempt = open.HasProxy()
                     ? TryProxy(environment, open.store, pass->proxy())
                     : TryCluster(environment, open.store);
  const auto error_code = co_await std::move(attempt);
  if (!error_code) {
    co_return OwnTrouble(environment, open, error_code.error());
  }
  co_return *error_code;
}

// Whether what was asked is still what the row says.
bool IsAsAsked(const CustomKeyStore& asked, const CustomKeyStore& row) {
  return row.state == asked.state &&
         row.proxy.uri_endpoint == asked.proxy.uri_endpoint &&
         row.proxy.uri_path == asked.proxy.uri_path &&
         row.cloud_hsm_cluster_id == asked.cloud_hsm_cluster_id &&
         row.proxy.credential_set == asked.proxy.credential_set;
}

// Has the audit log tell of it, too. A store that was changed meanwhile is left
// as it is.
asio::awaitable<base::Status> SettleConnection(Environment& environment,
                                               const CustomKeyStore& asked,
                                               std::string_view error_code) {
  const ConnectionState state = error_code.empty() ? ConnectionState::kConnected
                                                   : ConnectionState::kFailed;
  ServiceStep step = {
      .subject = {.account = asked.account, .region = asked.region, .arn = {}},
      .name = "ChangeConnectionState",
      .details = {
          {"customKeyStoreId", asked.id},
          {"connectionState", std::string(ConnectionStateName(state))}}};
  if (!error_code.empty()) {
    step.details.push_back({"connectionErrorCode", std::string(error_code)});
  }
  const auto cluster = ClusterOf(environment, asked);  // If it is in one.
  auto change = [&](store::Transaction& transaction) -> base::Status {
    store::CustomKeyStores& rows = transaction.custom_key_stores();
    ASSIGN_OR_RETURN(CustomKeyStore row, rows.GetCustomKeyStore(asked.id));
    if (!IsAsAsked(asked, row)) {
      return base::Error{base::ErrorCode::kConflict,
                         "it was changed meanwhile"};
    }
    row.state = state;
    row.connection_error_code = error_code;
    RETURN_IF_ERROR(CountPassword(rows, asked, error_code));
    if (cluster && state == ConnectionState::kConnected) {
      row.key_store = (*cluster)->name;
    }
    return rows.UpdateCustomKeyStore(row);
  };
  base::Status settled =
      co_await CommitCustomKeyStoresStep(environment, step, change);
  if (!settled && (settled.error().code == base::ErrorCode::kNotFound ||
                   settled.error().code == base::ErrorCode::kConflict)) {
    co_return base::Status();
  }
  if (settled) {
    base::LogInfo("custom key store {} is {}", asked.id,
                  error_code.empty() ? "connected" : error_code);
  }
  co_return settled;
}

// `first_error` is of those that are connected at once.
asio::awaitable<void> ConnectStore(Environment& environment,
                                   OpenCustomKeyStore open,
                                   base::Status& first_error) {
  const auto error_code = co_await TryToConnect(environment, open);
  if (!error_code) {
    co_return;
  }
  environment.custom_key_stores.EndTrouble(open.store.id);
  base::Status settled =
      co_await SettleConnection(environment, open.store, *error_code);
  if (first_error && !settled) {
    first_error = std::move(settled);
  }
}

}  // namespace

asio::awaitable<base::Status> ConnectPendingStores(Environment& environment) {
  const auto list = environment.custom_key_stores.current();
  base::Status first_error;
  std::vector<asio::awaitable<void>> tasks;
  for (const OpenCustomKeyStore& open : list->stores) {
    if (open.store.state == ConnectionState::kConnecting) {
      tasks.push_back(ConnectStore(environment, open, first_error));
    }
  }
  co_await RunAtOnce(std::move(tasks), kMostProxiesAtOnce);
  co_return first_error;
}

asio::awaitable<base::Status> FailLostClusters(Environment& environment) {
  const auto list = environment.custom_key_stores.current();
  for (const OpenCustomKeyStore& open : list->stores) {
    if (open.store.type != CustomKeyStoreType::kAwsCloudHsm ||
        open.store.state != ConnectionState::kConnected) {
      continue;
    }
    const auto cluster = ClusterOf(environment, open.store);
    if (cluster) {
      continue;
    }
    base::LogError(
        "the keys of custom key store {}, which was connected, are "
        "unavailable: {}",
        open.store.id, cluster.error().message);
    CO_RETURN_IF_ERROR(
        co_await SettleConnection(environment, open.store, kClusterNotFound));
  }
  co_return base::Status();
}

void HealthWatch::Note(const std::string& id, hsm::XksOutcome outcome) {
  const hsm::XksOutcome before = std::exchange(
      last_.try_emplace(id, hsm::XksOutcome::kOk).first->second, outcome);
  if (outcome == hsm::XksOutcome::kOk && before != hsm::XksOutcome::kOk) {
    base::LogInfo("the proxy of custom key store {} is well again", id);
  }
}

asio::awaitable<void> HealthWatch::AskOne(std::string id) {
  const auto pass = environment_.custom_key_stores.Admit(id);
  if (!pass || pass->proxy() == nullptr) {
    co_return;
  }
  std::string operation = "KmsHealthCheck";
  std::string request_id = base::NewUuidText();
  const auto outcome =
      co_await AskHealth(environment_, pass->proxy(), std::move(operation),
                         std::move(request_id), id);
  if (outcome) {
    Note(id, *outcome);
  } else if (outcome.error().code == base::ErrorCode::kBusy) {
    Note(id, hsm::XksOutcome::kTimedOut);
  } else {
    base::LogWarning("the proxy of custom key store {} cannot be asked: {}", id,
                     outcome.error().message);
  }
}

asio::awaitable<void> HealthWatch::AskAll() {
  const auto list = environment_.custom_key_stores.current();
  std::erase_if(last_, [&list](const auto& entry) {
    return list->Find(entry.first) == nullptr;
  });
  const auto is_there = [&list](std::string_view id) {
    return list->Find(id) != nullptr;
  };
  environment_.custom_key_stores.stats().Retain(is_there);
  environment_.custom_key_stores.failures().Retain(is_there);
  std::vector<asio::awaitable<void>> tasks;
  tasks.reserve(list->stores.size());
  for (const OpenCustomKeyStore& open : list->stores) {
    tasks.push_back(AskOne(open.store.id));
  }
  co_await RunAtOnce(std::move(tasks), kMostProxiesAtOnce);
}

asio::awaitable<void> KeepCustomKeyStores(Environment& environment) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  HealthWatch watch(environment);
  for (int round = 1;; ++round) {
    boost::system::error_code cancelled;
    timer.expires_after(kRound);
    co_await timer.async_wait(
        asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled) {
      co_return;
    }
    co_await CatchUpWithStores(environment);
    const base::Status connected = co_await ConnectPendingStores(environment);
    if (!connected) {
      base::LogError("connecting custom key stores: {}",
                     connected.error().message);
    }
    if (round % kRoundsPerHealth == 0) {
      co_await watch.AskAll();
    }
  }
}

}  // namespace kms::operations
