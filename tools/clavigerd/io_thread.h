// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_IO_THREAD_H_
#define TOOLS_CLAVIGERD_IO_THREAD_H_

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/client/client.h"
#include "kms/authorizer.h"
#include "kms/http/api_door.h"
#include "kms/http/aws_json.h"
#include "kms/http/query.h"
#include "kms/http/router.h"
#include "kms/http/server.h"
#include "kms/http/tls.h"
#include "kms/identity/directory.h"
#include "kms/operations/api_service.h"
#include "kms/operations/counters.h"
#include "kms/operations/custom_key_stores/chores.h"
#include "kms/operations/custom_key_stores/source.h"
#include "kms/operations/deletion.h"
#include "kms/operations/housekeeping.h"
#include "kms/operations/last_usage.h"
#include "kms/operations/outbox.h"
#include "kms/operations/session_token.h"
#include "tools/clavigerd/xks_front.h"
#include "tools/clavigerd/xks_workers.h"
#include "tools/config/config.h"

namespace tools {

// What all io threads share. Everything in it is safe to call from any thread.
struct Shared {
  const base::Clock& clock;
  kms::store::Store& store;
  kms::audit::Log& log;
  kms::operations::DeletionGuard& deletion_guard;
  kms::operations::LastUsage& last_usage;
  kms::identity::DirectorySource& directory;
  kms::operations::CustomKeyStoreSource& custom_key_stores;
  const std::vector<kms::identity::IdentityProvider>& identity_providers;
  kms::http::Metrics& metrics;
  const kms::Authorizer& authorizer;
  const kms::Organization& organization;
  kms::xks::TenantSource& tenants;
  kms::xks::Quotas& quotas;
  // By key store, in the configuration's order.
  std::vector<std::shared_ptr<hsm::client::EvictedKeys>> evicted;
};

// An IoThread is all that one thread of the server has of its own: its loop,
// its connections to the workers, its doors. Nothing in it is locked.
class IoThread {
 public:
  IoThread(const config::Config& config, const Shared& shared);

  boost::asio::io_context& io() { return io_; }
  kms::operations::Environment& environment() { return environment_; }
  kms::http::HttpServer& server() { return server_; }
  // One for each key store.
  const std::deque<hsm::client::Client>& hsms() const { return hsms_; }
  // nullptr: the configuration has no XKS proxy; it asks none.
  XksFront* xks_front() { return xks_front_ ? &*xks_front_ : nullptr; }
  const XksWorkers* xks_workers() const { return xks_workers_.get(); }

  // Runs `task` to its end on the calling thread, before Run().
  base::Status RunToEnd(boost::asio::awaitable<base::Status> task);

  // Says which keys every further token of a key store must have. Key stores
  // are named by their place in the configuration. After Connect(), before
  // Run().
  void Require(std::size_t key_store,
               std::vector<hsm::client::RequiredKey> keys) {
    hsms_[key_store].Require(
        std::move(keys), environment_.key_stores.all()[key_store].algorithm);
  }
  // Adopts the further tokens of a key store's new configuration. From any
  // thread.
  void AdoptTokens(std::size_t index, const config::KeyStore& key_store);

  // Connects to all workers of the home token and learns what it can.
  boost::asio::awaitable<base::Status> Connect();

  // Serves on the calling thread until Stop() has done its work.
  void Run(kms::operations::Chores chores);
  void Stop();  // From any thread.

 private:
  boost::asio::awaitable<base::Status> ConnectTo(
      kms::operations::KeyStore& key_store);
  boost::asio::awaitable<void> Close();

  // The order of construction is that of dependence.
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
      work_{io_.get_executor()};
  boost::asio::cancellation_signal stop_chores_;
  boost::asio::cancellation_signal stop_pairs_;   // KeepImportPairs
  boost::asio::cancellation_signal stop_stores_;  // KeepCustomKeyStores
  std::deque<hsm::client::Client> hsms_;          // As in the configuration.
  std::unique_ptr<XksWorkers> xks_workers_;       // Null unless configured.
  kms::operations::Counters counters_;
  kms::operations::Environment environment_;
  kms::operations::ApiService service_;
  kms::operations::SessionTokens sessions_;
  kms::http::ApiDoor api_;
  kms::http::AwsJsonDoor json_{api_};
  kms::http::QueryDoor query_{api_};
  kms::http::Router router_;
  kms::http::HttpServer server_;
  std::optional<XksFront> xks_front_;  // If there is an XKS proxy.
};

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_IO_THREAD_H_
