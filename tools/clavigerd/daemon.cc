// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/daemon.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "hsm/client/evicted_keys.h"
#include "kms/managed_keys.h"
#include "kms/operations/custom_key_stores/chores.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/destructions.h"
#include "kms/operations/identities.h"
#include "kms/operations/intents.h"
#include "kms/operations/outbox.h"
#include "kms/operations/reconcile.h"
#include "kms/operations/service_keys.h"
#include "kms/operations/usage_completion.h"
#include "kms/operations/xks/tenants.h"
#include "tools/clavigerd/gauges.h"
#include "tools/clavigerd/identity_providers.h"
#include "tools/clavigerd/io_thread.h"
#include "tools/clavigerd/key_store_changes.h"
#include "tools/clavigerd/local_principals.h"
#include "tools/clavigerd/organization.h"
#include "tools/clavigerd/policy_files.h"
#include "tools/clavigerd/service_credentials.h"
#include "tools/clavigerd/xks_gauges.h"
#include "tools/clavigerd/xks_tenants.h"

namespace tools {
namespace {

namespace asio = boost::asio;

std::vector<std::string_view> OperationNames() {
  std::vector<std::string_view> names;
  for (const auto& operation : kms::operations::AllOperations()) {
    names.push_back(operation.name);
  }
  for (const std::string_view name : kms::xks::MetricNames()) {
    names.push_back(name);
  }
  return names;
}

base::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return base::Error{base::ErrorCode::kIo, "cannot make the folder " + path +
                                                 ": " + std::strerror(errno)};
  }
  return {};
}

// A log that knows of mutations that the store has not seen: the store is older
// than the log, and with it every key made since would be forgotten.
base::Status CheckNotOlder(const kms::store::Store& store,
                           const kms::audit::Log& log) {
  const std::uint64_t logged = log.health().max_store_revision;
  const std::uint64_t reached = store.info().revision;
  if (logged <= reached) {
    return {};
  }
  return base::Error{
      base::ErrorCode::kCorrupt,
      fmt::format("the store is older than the audit log (revision {}, the log "
                  "has seen {}): it was restored from a backup. Restore the "
                  "newest copy of claviger.db; or, to go on with this one and "
                  "without what came after it, move the folder audit/ away "
                  "first and keep it.",
                  reached, logged)};
}

// The store remembers how far the log had come a while before it was closed.
base::Status WarnIfCut(kms::store::Store& store, const kms::audit::Log& log) {
  ASSIGN_OR_RETURN(const auto known, store.GetUsageProgress());
  const std::uint64_t found = log.health().found_sequence;
  if (known && known->log_sequence > found) {
    base::LogWarning(
        "the audit log {}, but this store had one with at least {} records: "
        "the "
        "folder audit/ was moved away or records at its end were removed. If "
        "it "
        "was not you who did so, look for who did",
        found == 0 ? "is begun anew"
                   : fmt::format("ended with record {}", found),
        known->log_sequence);
  }
  return {};
}

// A chore that was cut off may have left a change with the store's writer,
// which borrows from the chore's coroutine; and of one that is answered the
// writer may still hold the executor. Waits until the writer has done with all
// such, before the threads and their coroutines go.
void Drain(kms::store::Store& store) {
  auto nothing = [](kms::store::Transaction&) -> base::Status {
    return base::Error{base::ErrorCode::kConflict, "nothing to change"};
  };
  static_cast<void>(store.WriteNow(nothing));
}

// Of the store of a first administrator: a second account would be made in it,
// to which its access keys do not belong.
base::Status CheckAccount(const config::Config& config,
                          const kms::identity::Directory& directory) {
  if (directory.accounts().empty() || directory.HasAccount(config.account)) {
    return {};
  }
  return base::Error{
      base::ErrorCode::kInvalidArgument,
      fmt::format("{} was made for the account {}, not for {}: start with "
                  "--account {}",
                  config.state, directory.accounts().front().id, config.account,
                  directory.accounts().front().id)};
}

kms::operations::Placement PlacementOf(const config::KeyStore& key_store) {
  using kms::operations::Placement;
  return key_store.shareable ? Placement::kWrappedShareably
         : key_store.wrapped ? Placement::kWrapped
                             : Placement::kResident;
}

}  // namespace

struct Daemon::Parts {
  Parts(config::Config the_config, const base::Clock& the_clock)
      : config(std::move(the_config)), clock(the_clock) {
    if (config.xks_client) {
      custom_key_stores.OfferVpcServices(
          config.xks_client->vpc_endpoint_services);
    }
  }

  base::Status OpenStore();
  base::Status OpenLog();
  asio::awaitable<base::Status> Settle(const FirstAdministrator* first);
  asio::awaitable<base::Status> SettleKeyStore(
      kms::operations::KeyStore& key_store, const config::KeyStore& configured);
  base::Status RequireWrappingKey(std::size_t index);
  base::Status MakeDirectory();
  base::Status ListenXks();
  asio::awaitable<base::Status> LoadDirectory(const FirstAdministrator* first);
  void AdoptTokens(const config::Config& changed);

  config::Config config;
  const base::Clock& clock;
  kms::Organization organization;
  base::Digest policy_files{};  // As they were read.
  const kms::PolicyAuthorizer policies{organization};
  const kms::ManagedKeyRules authorizer{policies};
  kms::http::Metrics metrics{OperationNames()};
  std::unique_ptr<kms::identity::DirectorySource> directory;
  kms::operations::CustomKeyStoreSource custom_key_stores;
  std::vector<kms::identity::IdentityProvider> identity_providers;
  std::unique_ptr<kms::store::Store> store;
  std::unique_ptr<kms::audit::Log> log;
  std::unique_ptr<kms::operations::DeletionGuard> deletion_guard;
  std::unique_ptr<kms::operations::LastUsage> last_usage;
  std::unique_ptr<kms::xks::TenantSource> tenants;
  kms::xks::Quotas quotas{clock};
  std::shared_ptr<kms::http::TlsContext> tls;
  std::shared_ptr<kms::http::TlsContext> xks_tls;
  std::vector<std::unique_ptr<IoThread>> threads;
  std::uint16_t http_port = 0;
};

base::Status Daemon::Parts::OpenStore() {
  kms::store::StoreOptions options;
  options.path = config.state + "/claviger.db";
  ASSIGN_OR_RETURN(store, kms::store::Store::Open(options, clock));
  ASSIGN_OR_RETURN(deletion_guard,
                   kms::operations::DeletionGuard::Load(*store, clock));
  last_usage = std::make_unique<kms::operations::LastUsage>(*store);
  return {};
}

base::Status Daemon::Parts::OpenLog() {
  kms::audit::LogOptions options;
  options.folder = config.state + "/audit";
  options.store_id = store->info().id;
  options.epoch = store->info().epoch;
  options.segment_bytes = config.segment_bytes;
  options.segment_seconds = config.segment_seconds;
  options.low_space_bytes = config.low_space_bytes;
  RETURN_IF_ERROR(MakeFolder(options.folder));
  ASSIGN_OR_RETURN(log, kms::audit::Log::Open(options, clock));
  RETURN_IF_ERROR(WarnIfCut(*store, *log));
  RETURN_IF_ERROR(CheckNotOlder(*store, *log));
  RETURN_IF_ERROR(kms::operations::CompleteLog(*store, *log, options.folder));
  const std::uint64_t head = log->health().head_sequence;
  RETURN_IF_ERROR(kms::operations::CompleteUsage(*store, options.folder, head));
  last_usage->Start(head);
  return {};
}

// The directory is that of nobody but the services until the store has told.
base::Status Daemon::Parts::MakeDirectory() {
  ASSIGN_OR_RETURN(std::vector<kms::identity::AccessKey> services,
                   ReadServiceCredentials(config));
  auto initial = std::make_shared<const kms::identity::Directory>(
      kms::store::IdentityRows(), kms::identity::Directory::Secrets(),
      services);
  directory = std::make_unique<kms::identity::DirectorySource>(
      std::move(initial), std::move(services));
  return {};
}

// Who may ask, and that somebody may.
asio::awaitable<base::Status> Daemon::Parts::LoadDirectory(
    const FirstAdministrator* first) {
  auto& environment = threads.front()->environment();
  CO_RETURN_IF_ERROR(co_await kms::operations::LoadIdentities(environment));
  CO_RETURN_IF_ERROR(co_await kms::operations::LoadTenants(environment));
  kms::operations::LogForgottenTenants(environment);
  CO_RETURN_IF_ERROR(
      co_await kms::operations::LoadCustomKeyStores(environment));
  if (first != nullptr) {
    CO_RETURN_IF_ERROR(CheckAccount(config, *directory->current()));
  }
  CO_RETURN_IF_ERROR(
      co_await kms::operations::EnsureAccount(environment, config.account));
  CO_RETURN_IF_ERROR(CheckServiceKeyIds(config, *directory->current()));
  if (first != nullptr) {
    CO_RETURN_IF_ERROR(co_await kms::operations::EnsureAdministratorKey(
        environment, config.account, first->access_key_id, first->secret));
  }
  co_return base::Status();
}

asio::awaitable<base::Status> Daemon::Parts::SettleKeyStore(
    kms::operations::KeyStore& key_store, const config::KeyStore& configured) {
  auto& environment = threads.front()->environment();
  if (&key_store != &environment.key_stores.primary()) {
    CO_RETURN_IF_ERROR(
        co_await kms::operations::CheckIdentity(environment, key_store));
  }
  CO_RETURN_IF_ERROR(co_await kms::operations::EnsureWrappingKey(
      environment, key_store, PlacementOf(configured)));
  if (configured.shareable && !key_store.shares_wrapping_key) {
    base::LogWarning(
        "key store {}: shareable_wrapping_key is set, but its wrapping key was "
        "made without it, and never leaves its token: remove the setting, or "
        "have a key store of another name whose wrapping key is made with it",
        key_store.name);
  }
  const base::Status settled = co_await kms::operations::SettleIntents(
      environment, key_store, store->info().epoch);
  if (!settled && settled.error().code != base::ErrorCode::kHsmUnavailable) {
    co_return base::Error(settled.error());
  }
  if (!settled) {  // A further token may be down. The next start goes on.
    base::LogWarning("unfinished creations in key store {} stay announced: {}",
                     key_store.name, settled.error().message);
  }
  CO_ASSIGN_OR_RETURN(
      const auto difference,
      co_await kms::operations::CompareToken(environment, key_store));
  kms::operations::LogDifference(key_store, difference);
  co_return base::Status();
}

// A further token without it could do nothing.
base::Status Daemon::Parts::RequireWrappingKey(std::size_t index) {
  const config::KeyStore& key_store = config.key_stores[index];
  if (!key_store.wrapped) {
    return {};
  }
  auto& environment = threads.front()->environment();
  ASSIGN_OR_RETURN(
      const kms::store::ServiceKey key,
      kms::operations::FindServiceKey(
          environment, kms::operations::ForWrapping(key_store.name)));
  for (const auto& thread : threads) {
    thread->Require(index, {{.key = key.ref, .check_value = key.check_value}});
  }
  return {};
}

// Nothing on the token is touched before the service keys have shown that it
// is this store's token.
asio::awaitable<base::Status> Daemon::Parts::Settle(
    const FirstAdministrator* first) {
  auto& environment = threads.front()->environment();
  CO_ASSIGN_OR_RETURN(const auto service_keys, store->ListServiceKeys());
  CO_ASSIGN_OR_RETURN(const auto due, store->ListServiceKeysDue());
  // The first start may have been interrupted when it had made the wrapping
  // key.
  const bool fresh = first != nullptr && !due.empty() &&
                     std::ranges::all_of(service_keys, [](const auto& key) {
                       return key.ref.algorithm == hsm::Algorithm::kAesWrap;
                     });
  CO_RETURN_IF_ERROR(co_await kms::operations::CheckServiceKeys(
      environment,
      fresh ? kms::operations::NewStore::kAllow
            : kms::operations::NewStore::kRefuse,
      PlacementOf(config.key_stores.front())));
  for (std::size_t i = 0; i < config.key_stores.size(); ++i) {
    CO_RETURN_IF_ERROR(co_await SettleKeyStore(environment.key_stores.all()[i],
                                               config.key_stores[i]));
    CO_RETURN_IF_ERROR(RequireWrappingKey(i));
  }
  for (const auto& thread : threads) {
    thread->environment().key_stores.TakeNames(environment.key_stores);
  }
  const base::Status finished =
      co_await kms::operations::FinishDestructions(environment);
  if (!finished) {
    base::LogWarning("{}", finished.error().message);
  }
  CO_RETURN_IF_ERROR(co_await LoadDirectory(first));
  co_return co_await kms::operations::FailLostClusters(environment);
}

Daemon::Daemon(config::Config config, const base::Clock& clock)
    : parts_(std::make_unique<Parts>(std::move(config), clock)) {}

// Open may have failed.
Daemon::~Daemon() {
  if (parts_->store != nullptr) {
    Drain(*parts_->store);
  }
  if (parts_->log != nullptr) {
    parts_->log->Close();
  }
}

base::Status Daemon::Open(const FirstAdministrator* first) {
  Parts& parts = *parts_;
  RETURN_IF_ERROR(CheckLocalUids(parts.config, geteuid()));
  RETURN_IF_ERROR(parts.MakeDirectory());
  ASSIGN_OR_RETURN(parts.identity_providers,
                   LoadIdentityProviders(parts.config));
  ASSIGN_OR_RETURN(parts.organization, LoadOrganization(parts.config));
  ASSIGN_OR_RETURN(parts.policy_files, DigestOfPolicies(parts.config));
  ASSIGN_OR_RETURN(auto tenants, LoadXksTenants(parts.config));
  parts.tenants = std::make_unique<kms::xks::TenantSource>(std::move(tenants));
  RETURN_IF_ERROR(MakeFolder(parts.config.state));
  RETURN_IF_ERROR(parts.OpenStore());
  RETURN_IF_ERROR(parts.OpenLog());
  std::vector<std::shared_ptr<hsm::client::EvictedKeys>> evicted;
  for (std::size_t i = 0; i < parts.config.key_stores.size(); ++i) {
    evicted.push_back(std::make_shared<hsm::client::EvictedKeys>());
  }
  const Shared shared = {.clock = parts.clock,
                         .store = *parts.store,
                         .log = *parts.log,
                         .deletion_guard = *parts.deletion_guard,
                         .last_usage = *parts.last_usage,
                         .directory = *parts.directory,
                         .custom_key_stores = parts.custom_key_stores,
                         .identity_providers = parts.identity_providers,
                         .metrics = parts.metrics,
                         .authorizer = parts.authorizer,
                         .organization = parts.organization,
                         .tenants = *parts.tenants,
                         .quotas = parts.quotas,
                         .evicted = std::move(evicted)};
  for (int i = 0; i < parts.config.threads; ++i) {
    parts.threads.push_back(std::make_unique<IoThread>(parts.config, shared));
    IoThread& thread = *parts.threads.back();
    RETURN_IF_ERROR(thread.RunToEnd(thread.Connect()));
  }
  AddGauges(parts.metrics, parts.threads, *parts.store, *parts.log);
  AddXksGauges(parts.metrics, parts.custom_key_stores, parts.clock);
  return parts.threads.front()->RunToEnd(parts.Settle(first));
}

base::Status Daemon::Parts::ListenXks() {
  if (!config.xks_proxy) {
    return {};
  }
  ASSIGN_OR_RETURN(xks_tls, LoadXksTls(*config.xks_proxy));
  for (const auto& thread : threads) {
    RETURN_IF_ERROR(thread->RunToEnd(thread->xks_front()->Try()));
    RETURN_IF_ERROR(thread->xks_front()->Listen(*config.xks_proxy, xks_tls));
  }
  return {};
}

base::Status Daemon::Listen() {
  Parts& parts = *parts_;
  const config::Config& config = parts.config;
  RETURN_IF_ERROR(parts.ListenXks());
  if (config.https) {
    const auto clients = config.certificate_principals.empty()
                             ? kms::http::ClientCertificates::kIgnore
                             : kms::http::ClientCertificates::kAsk;
    ASSIGN_OR_RETURN(parts.tls, kms::http::TlsContext::Load(
                                    {.certificate_chain = config.certificate,
                                     .private_key = config.private_key},
                                    clients));
  }
  for (const auto& thread : parts.threads) {
    if (config.http) {
      // All threads share the port that the first was given.
      const std::uint16_t port =
          parts.http_port != 0 ? parts.http_port : config.http->port;
      ASSIGN_OR_RETURN(parts.http_port,
                       thread->server().ListenTcp(config.http->host, port));
    }
    if (config.https) {
      RETURN_IF_ERROR(thread->server().ListenTls(
          config.https->host, config.https->port, parts.tls));
    }
  }
  return parts.threads.front()->server().ListenUnix(config.unix_socket);
}

std::uint16_t Daemon::http_port() const { return parts_->http_port; }

void Daemon::Run() {
  Parts& parts = *parts_;
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < parts.threads.size(); ++i) {
    others.emplace_back([thread = parts.threads[i].get()] {
      thread->Run(kms::operations::Chores::kOwnOnly);
    });
  }
  parts.threads.front()->Run(kms::operations::Chores::kAll);
  others.clear();
  Drain(*parts.store);
  const base::Status saved =
      parts.last_usage->SaveNow(parts.log->health().head_sequence);
  if (!saved) {
    base::LogWarning("cannot save when keys were last used: {}",
                     saved.error().message);
  }
  parts.log->Close();
}

void Daemon::Stop() {
  for (const auto& thread : parts_->threads) {
    thread->Stop();
  }
}

namespace {

// The first table about who may ask that is not alike; nullptr if none.
const char* WhoMayAskDiffers(const config::Config& a, const config::Config& b) {
  if (a.peer_principals != b.peer_principals) {
    return "[peer_principals]";
  }
  if (a.certificate_principals != b.certificate_principals) {
    return "[certificate_principals]";
  }
  if (a.service_principals != b.service_principals) {
    return "[[service_principal]]";
  }
  if (a.oidc_providers != b.oidc_providers) {
    return "[[oidc_provider]]";
  }
  if (a.xks_tenants != b.xks_tenants) {
    return "[[xks_tenant]]";
  }
  return a.organization != b.organization ? "[organization]" : nullptr;
}

bool XksFilesDiffer(const config::Config& a, const config::Config& b) {
  if (!a.xks_proxy || !b.xks_proxy) {
    return a.xks_proxy.has_value() != b.xks_proxy.has_value();
  }
  return a.xks_proxy->certificate != b.xks_proxy->certificate ||
         a.xks_proxy->private_key != b.xks_proxy->private_key ||
         a.xks_proxy->client_ca != b.xks_proxy->client_ca ||
         a.xks_proxy->client_names != b.xks_proxy->client_names;
}

}  // namespace

void Daemon::Parts::AdoptTokens(const config::Config& changed) {
  for (std::size_t i = 0; i < config.key_stores.size(); ++i) {
    config::KeyStore& key_store = config.key_stores[i];
    key_store.further_tokens = changed.key_stores[i].further_tokens;
    for (const auto& thread : threads) {
      thread->AdoptTokens(i, key_store);
    }
  }
}

base::Result<bool> Daemon::Reload(const config::Config& config) {
  const config::Config& current = parts_->config;
  // Whoever takes somebody out must not be told that all is well.
  if (const char* const changed = WhoMayAskDiffers(config, current)) {
    return base::Error{
        base::ErrorCode::kInvalidArgument,
        fmt::format("{} has changed: that needs a restart", changed)};
  }
  RETURN_IF_ERROR(CheckKeyStoreChanges(current, config));
  ASSIGN_OR_RETURN(const base::Digest files, DigestOfPolicies(config));
  if (files != parts_->policy_files) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "a file that [[oidc_provider]], [[xks_tenant]] or "
                       "[organization] names has changed: that needs a "
                       "restart"};
  }
  const bool has_tls = parts_->tls != nullptr || parts_->xks_tls != nullptr;
  const bool tokens_changed = FurtherTokensChanged(current, config);
  if (has_tls && (config.certificate != current.certificate ||
                  config.private_key != current.private_key ||
                  XksFilesDiffer(config, current))) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "listen or xks_proxy name other certificates, keys or "
                       "clients: that needs a restart"};
  }
  // Whole or not at all: nothing is adopted before all is read.
  std::vector<std::function<void()>> adopt;
  for (const auto& tls : {parts_->tls, parts_->xks_tls}) {
    if (tls != nullptr) {
      ASSIGN_OR_RETURN(auto read, tls->Read());
      adopt.emplace_back([tls, read] { tls->Adopt(read); });
    }
  }
  if (tokens_changed) {
    adopt.emplace_back([&] { parts_->AdoptTokens(config); });
  }
  for (const auto& each : adopt) {
    each();
  }
  base::Result<bool> forgotten =
      kms::operations::ForgetWrongPasswords(*parts_->store);
  if (adopt.empty()) {
    return forgotten;
  }
  if (!forgotten) {
    base::LogError(
        "the passwords of CloudHSM clusters cannot be compared again: {}",
        forgotten.error().message);
  }
  return true;
}

}  // namespace tools
