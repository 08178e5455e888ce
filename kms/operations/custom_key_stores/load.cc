// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/load.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "kms/operations/outbox.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kSecretType = "claviger-custom-key-store-1";

// Null for what has no proxy, or whose secret is not the one that was sealed.
asio::awaitable<base::Result<XksProxyPtr>> OpenProxy(
    Environment& environment, const CustomKeyStoreList& before,
    const CustomKeyStore& store) {
  if (store.type != CustomKeyStoreType::kExternalKeyStore) {
    co_return XksProxyPtr();
  }
  const OpenCustomKeyStore* const known = before.Find(store.id);
  if (known != nullptr && known->proxy != nullptr &&
      IsSameProxy(known->store, store)) {
    co_return known->proxy;
  }
  auto secret = co_await OpenStoreSecret(environment, store);
  if (secret) {
    co_return MakeXksProxy(store, *std::move(secret));
  }
  if (secret.error().code != ErrorCode::kInvalidCiphertext) {
    co_return Error(std::move(secret).error());
  }
  base::LogError(
      "the secret of custom key store {} cannot be opened: it was moved or "
      "changed; update the store with a new credential",
      store.id);
  co_return XksProxyPtr();
}

}  // namespace

bool IsSameProxy(const CustomKeyStore& a, const CustomKeyStore& b) {
  return a.region == b.region && a.proxy.uri_endpoint == b.proxy.uri_endpoint &&
         a.proxy.uri_path == b.proxy.uri_path &&
         a.proxy.access_key_id == b.proxy.access_key_id &&
         a.proxy.sealed_secret.nonce == b.proxy.sealed_secret.nonce &&
         a.proxy.sealed_secret.ciphertext == b.proxy.sealed_secret.ciphertext;
}

asio::awaitable<base::Result<base::Secret>> OpenStoreSecret(
    Environment& environment, const CustomKeyStore& store) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForXksCredentials));
  const hsm::Aad aad = ServiceAad(environment, kSecretType, store.id);
  hsm::Sealed sealed = store.proxy.sealed_secret;
  co_return co_await OpenUnder(environment, key, aad, std::move(sealed));
}

XksProxyPtr MakeXksProxy(const CustomKeyStore& store, base::Secret secret) {
  auto proxy = std::make_shared<hsm::XksProxy>();
  proxy->endpoint = store.proxy.uri_endpoint;
  proxy->path = store.proxy.uri_path;
  proxy->region = store.region;
  proxy->access_key_id = store.proxy.access_key_id;
  proxy->secret_access_key = std::move(secret);
  return proxy;
}

asio::awaitable<base::Status> LoadCustomKeyStores(Environment& environment) {
  CO_ASSIGN_OR_RETURN(auto rows, environment.store.ReadCustomKeyStores());
  const auto before = environment.custom_key_stores.current();
  auto next = std::make_shared<CustomKeyStoreList>();
  next->revision = rows.revision;
  next->stores.reserve(rows.stores.size());
  for (CustomKeyStore& row : rows.stores) {
    OpenCustomKeyStore open;
    open.store = std::move(row);
    CO_ASSIGN_OR_RETURN(open.proxy,
                        co_await OpenProxy(environment, *before, open.store));
    next->stores.push_back(std::move(open));
  }
  environment.custom_key_stores.Replace(std::move(next));
  co_return base::Status();
}

namespace {

// After a commit.
asio::awaitable<base::Status> PutInForce(Environment& environment) {
  base::Status loaded = co_await LoadCustomKeyStores(environment);
  if (!loaded) {
    environment.custom_key_stores.FallBehind(environment.store.info().revision);
  }
  co_return loaded;
}

}  // namespace

asio::awaitable<base::Status> CommitCustomKeyStores(
    Call& call, store::Store::Change change) {
  CO_RETURN_IF_ERROR(co_await call.Commit(std::move(change)));
  co_return co_await PutInForce(call.environment);
}

asio::awaitable<base::Status> CommitCustomKeyStoresStep(
    Environment& environment, ServiceStep& step, store::Store::Change change) {
  CO_ASSIGN_OR_RETURN(
      store::OutboxEvent event,
      co_await CommitStep(environment, step, std::move(change)));
  // What is committed is in force even if the log cannot take the event now.
  const base::Status in_force = co_await PutInForce(environment);
  CO_RETURN_IF_ERROR(co_await AppendCommitted(environment, std::move(event)));
  co_return in_force;
}

asio::awaitable<void> CatchUpWithStores(Environment& environment) {
  if (!environment.custom_key_stores.is_behind()) {
    co_return;
  }
  const base::Status loaded = co_await LoadCustomKeyStores(environment);
  if (!loaded) {
    base::LogError("custom key stores have changed and cannot be read: {}",
                   loaded.error().message);
  }
}

asio::awaitable<base::Result<hsm::Sealed>> SealStoreSecret(
    Environment& environment, std::string_view id, const base::Secret& secret) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForXksCredentials));
  const hsm::Aad aad = ServiceAad(environment, kSecretType, id);
  base::Secret plaintext = base::Secret::CopyOf(secret.Reveal());
  co_return co_await SealUnder(environment, key, aad, std::move(plaintext));
}

}  // namespace kms::operations
