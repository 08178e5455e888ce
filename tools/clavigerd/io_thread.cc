// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/io_thread.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "base/log.h"
#include "tools/clavigerd/local_principals.h"

namespace tools {
namespace {

namespace asio = boost::asio;

constexpr auto kShutdownLimit = std::chrono::seconds(10);

std::vector<hsm::client::FurtherToken> FurtherTokensOf(
    const config::KeyStore& key_store) {
  std::vector<hsm::client::FurtherToken> tokens;
  for (const config::FurtherToken& token : key_store.further_tokens) {
    tokens.push_back({.name = token.name,
                      .supervisor_socket = token.socket,
                      .workers = token.workers,
                      .slow_worker = true,
                      .drain = token.drain});
  }
  return tokens;
}

hsm::client::ClientConfig WorkersOf(
    const config::KeyStore& key_store,
    std::shared_ptr<hsm::client::EvictedKeys> evicted) {
  return {.key_store = key_store.name,
          .supervisor_socket = key_store.socket,
          .workers = key_store.workers,
          .slow_worker = true,
          .further_tokens = FurtherTokensOf(key_store),
          .evicted = std::move(evicted)};
}

std::deque<hsm::client::Client> ClientsOf(asio::io_context& io,
                                          const config::Config& config,
                                          const Shared& shared) {
  std::deque<hsm::client::Client> clients;
  for (std::size_t i = 0; i < config.key_stores.size(); ++i) {
    clients.emplace_back(io, WorkersOf(config.key_stores[i], shared.evicted[i]),
                         shared.clock);
  }
  return clients;
}

// `clients` are those of the configuration's key stores.
kms::operations::KeyStores KeyStoresOf(
    const config::Config& config, std::deque<hsm::client::Client>& clients) {
  std::deque<kms::operations::KeyStore> key_stores;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    key_stores.push_back({.name = config.key_stores[i].name,
                          .hsm = clients[i],
                          .regions = config.key_stores[i].regions,
                          .cluster_id = config.key_stores[i].cluster_id});
  }
  return kms::operations::KeyStores(std::move(key_stores));
}

kms::http::ApiDoor::Options DoorOptions(const config::Config& config) {
  return {.local = LocalIdentityOf(config, geteuid()),
          .most_in_flight =
              static_cast<std::size_t>(config.max_requests_in_flight)};
}

kms::http::ServerLimits LimitsOf(const config::Config& config) {
  kms::http::ServerLimits limits;
  limits.connections = static_cast<std::size_t>(
      std::max(config.max_connections / config.threads, 1));
  return limits;
}

}  // namespace

IoThread::IoThread(const config::Config& config, const Shared& shared)
    : hsms_(ClientsOf(io_, config, shared)),
      xks_workers_(config.xks_client
                       ? std::make_unique<XksWorkers>(io_, *config.xks_client,
                                                      shared.clock)
                       : nullptr),
      counters_(shared.store),
      environment_{.store = shared.store,
                   .key_stores = KeyStoresOf(config, hsms_),
                   .authorizer = shared.authorizer,
                   .organization = shared.organization,
                   .directory = shared.directory,
                   .custom_key_stores = shared.custom_key_stores,
                   .identity_providers = shared.identity_providers,
                   .clock = shared.clock,
                   .counters = counters_,
                   .deletion_guard = shared.deletion_guard,
                   .last_usage = shared.last_usage,
                   .log = shared.log,
                   .log_folder = config.state + "/audit",
                   .strict_boundary = config.strict_boundary,
                   .xks = xks_workers_.get(),
                   .tenants = config.xks_proxy ? &shared.tenants : nullptr},
      service_(environment_),
      sessions_(environment_),
      api_(service_, shared.directory, sessions_, shared.metrics, shared.clock,
           DoorOptions(config)),
      router_(json_, query_, shared.metrics, service_,
              config.public_metrics ? kms::http::Observers::kAll
                                    : kms::http::Observers::kLocal),
      server_(io_, shared.clock, LimitsOf(config),
              [this](const kms::http::HttpRequest& request) {
                return router_.Handle(request);
              }) {
  if (config.xks_proxy) {
    xks_front_.emplace(io_, config, environment_, shared.quotas,
                       shared.metrics);
  }
}

base::Status IoThread::RunToEnd(asio::awaitable<base::Status> task) {
  std::optional<base::Status> result;
  asio::co_spawn(
      io_, std::move(task),
      [&result](const std::exception_ptr& thrown, base::Status status) {
        result = thrown == nullptr ? std::move(status)
                                   : base::Error{base::ErrorCode::kInternal,
                                                 "an exception escaped"};
      });
  while (!result) {
    io_.run_one();
  }
  return *std::move(result);
}

void IoThread::AdoptTokens(std::size_t index,
                           const config::KeyStore& key_store) {
  asio::post(io_, [this, index, tokens = FurtherTokensOf(key_store)]() mutable {
    hsms_[index].SetFurtherTokens(std::move(tokens));
  });
}

asio::awaitable<base::Status> IoThread::ConnectTo(
    kms::operations::KeyStore& key_store) {
  CO_RETURN_IF_ERROR(co_await key_store.hsm.Start());
  const hsm::CapabilitiesRequest request;
  CO_ASSIGN_OR_RETURN(const hsm::Capabilities capabilities,
                      co_await key_store.hsm.Call(request));
  key_store.algorithm = capabilities.algorithm;
  const bool is_primary = &key_store == &environment_.key_stores.primary();
  if (xks_front_ && is_primary) {
    xks_front_->Describe(capabilities.manufacturer + " " + capabilities.model);
  }
  for (const std::string& note : capabilities.notes) {
    base::LogInfo("token '{}': {}", capabilities.token_label, note);
  }
  co_return base::Status();
}

asio::awaitable<base::Status> IoThread::Connect() {
  for (auto& key_store : environment_.key_stores.all()) {
    CO_RETURN_IF_ERROR(co_await ConnectTo(key_store));
  }
  if (xks_workers_ != nullptr) {
    CO_RETURN_IF_ERROR(co_await xks_workers_->Start());
  }
  co_return base::Status();
}

void IoThread::Run(kms::operations::Chores chores) {
  asio::co_spawn(
      io_, kms::operations::KeepHouse(environment_, chores),
      asio::bind_cancellation_slot(stop_chores_.slot(), asio::detached));
  if (chores == kms::operations::Chores::kAll) {
    asio::co_spawn(
        io_, kms::operations::KeepImportPairs(environment_),
        asio::bind_cancellation_slot(stop_pairs_.slot(), asio::detached));
    asio::co_spawn(
        io_, kms::operations::KeepCustomKeyStores(environment_),
        asio::bind_cancellation_slot(stop_stores_.slot(), asio::detached));
  }
  if (xks_front_) {
    xks_front_->Start();
  }
  io_.run();
}

asio::awaitable<void> IoThread::Close() {
  bool all_ended = co_await server_.Shutdown(kShutdownLimit);
  if (xks_front_) {
    const bool others_ended = co_await xks_front_->Close(kShutdownLimit);
    all_ended = all_ended && others_ended;
  }
  if (!all_ended) {
    base::LogWarning("some connections did not end in time and were cut");
  }
  // A chore that is under way ends first; the next is not begun.
  stop_chores_.emit(asio::cancellation_type::terminal);
  stop_pairs_.emit(asio::cancellation_type::terminal);
  stop_stores_.emit(asio::cancellation_type::terminal);
  co_await kms::operations::RetryUnlogged(environment_);
  for (hsm::client::Client& client : hsms_) {
    client.Stop();
  }
  if (xks_workers_ != nullptr) {
    xks_workers_->Stop();
  }
  work_.reset();
  io_.stop();
}

void IoThread::Stop() {
  asio::post(io_, [this] { asio::co_spawn(io_, Close(), asio::detached); });
}

}  // namespace tools
