// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/bootstrap.h"

#include <algorithm>

#include "base/buffer.h"
#include "base/hash.h"
#include "kms/identity/principals.h"
#include "kms/operations/counters.h"
#include "kms/operations/intents.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kCredentials = "credentials";

Error ServiceKeyGone(const Environment& environment, std::string_view purpose,
                     std::string_view reason) {
  return {ErrorCode::kKeyUnavailable,
          "the token of key store '" + environment.key_store +
              "' cannot use this store's service key '" + std::string(purpose) +
              "' (" + std::string(reason) +
              "). Check that --state and the token belong together, and that "
              "both were restored from the same backup; nothing was changed."};
}

asio::awaitable<base::Status> MakeServiceKey(Environment& environment) {
  CO_ASSIGN_OR_RETURN(const hsm::Locator locator,
                      co_await AnnounceKey(environment, kCredentials));
  hsm::GenerateKeyRequest request;
  request.key = {locator, environment.algorithm};
  const auto made = co_await environment.hsm.Call(request);
  if (!made) {
    co_await RollBackCreation(environment, locator);
    co_return Error(made.error());
  }
  store::ServiceKey key;
  key.purpose = kCredentials;
  key.key_store = environment.key_store;
  key.ref = request.key;
  key.check_value = made->check_value;
  auto insert = [&key](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(transaction.InsertServiceKey(key));
    return transaction.DeleteIntent(key.ref.locator);
  };
  co_return co_await environment.store.Write(insert);
}

base::Result<store::ServiceKey> FindServiceKey(Environment& environment) {
  ASSIGN_OR_RETURN(const auto keys, environment.store.ListServiceKeys());
  const auto it =
      std::ranges::find(keys, kCredentials, &store::ServiceKey::purpose);
  if (it == keys.end()) {
    return Error{ErrorCode::kNotFound, "no service key"};
  }
  return *it;
}

// Binds a sealed secret to its type, its row and its store.
hsm::Aad SecretAad(const Environment& environment, std::string_view row) {
  base::Writer writer(1024);
  writer.Sized("claviger-access-key-1")
      .Sized(environment.store.info().id)
      .Sized(row);
  return base::ThreadHasher().Sha256(writer.view());
}

// A service key under algorithm 2 counts like a material of that id.
MaterialId CounterIdOf(const store::ServiceKey& key) {
  return base::ThreadHasher().Sha256(key.ref.locator.bytes);
}

asio::awaitable<base::Result<hsm::Counter>> NextCounter(
    Environment& environment, const store::ServiceKey& key) {
  hsm::Counter first = 0;
  auto reserve = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(first, transaction.ReserveCounters(CounterIdOf(key), 1));
    return {};
  };
  CO_RETURN_IF_ERROR(co_await environment.store.Write(reserve));
  co_return first;
}

}  // namespace

asio::awaitable<base::Status> CheckServiceKeys(Environment& environment,
                                               NewStore new_store) {
  const auto key = FindServiceKey(environment);
  if (!key) {
    if (key.error().code != ErrorCode::kNotFound) {
      co_return Error(key.error());
    }
    if (new_store == NewStore::kAllow) {
      co_return co_await MakeServiceKey(environment);
    }
    co_return Error{ErrorCode::kKeyUnavailable,
                    "the store has no service key '" +
                        std::string(kCredentials) +
                        "': make a new store with `claviger init`, or restore "
                        "this one from a backup"};
  }
  hsm::CheckKeyRequest request;
  request.key = key->ref;
  const auto used = co_await environment.hsm.Call(request);
  if (!used) {
    co_return ServiceKeyGone(environment, key->purpose, used.error().message);
  }
  if (used->check_value != key->check_value) {
    co_return ServiceKeyGone(environment, key->purpose,
                             "another key has its place");
  }
  co_return base::Status();
}

asio::awaitable<base::Status> AddAdministratorKey(
    Environment& environment, const std::string& account,
    const std::string& access_key_id, const base::Secret& secret) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key, FindServiceKey(environment));
  hsm::EncryptRequest request;
  request.key = key.ref;
  request.aad = SecretAad(environment, access_key_id);
  request.plaintext = base::Secret::CopyOf(secret.Reveal());
  if (key.ref.algorithm == hsm::Algorithm::kAes256GcmCounter) {
    CO_ASSIGN_OR_RETURN(request.counter,
                        co_await NextCounter(environment, key));
  }
  CO_ASSIGN_OR_RETURN(hsm::Sealed sealed,
                      co_await environment.hsm.Call(std::move(request)));
  const Caller administrator = identity::Administrator(account);
  store::AccessKey row;
  row.id = access_key_id;
  row.account = account;
  row.user_name = administrator.user_name;
  row.user_id = administrator.principal_id;
  row.sealed_secret = std::move(sealed);
  row.created = environment.clock.Now();
  auto insert = [&row](store::Transaction& transaction) {
    return transaction.InsertAccessKey(row);
  };
  co_return co_await environment.store.Write(insert);
}

asio::awaitable<base::Result<std::vector<identity::AccessKey>>> LoadAccessKeys(
    Environment& environment) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key, FindServiceKey(environment));
  CO_ASSIGN_OR_RETURN(auto rows, environment.store.ListAccessKeys());
  std::vector<identity::AccessKey> keys;
  for (store::AccessKey& row : rows) {
    hsm::DecryptRequest request;
    request.key = key.ref;
    request.aad = SecretAad(environment, row.id);
    request.sealed = std::move(row.sealed_secret);
    auto opened = co_await environment.hsm.Call(std::move(request));
    if (!opened) {
      co_return Error{ErrorCode::kCorrupt,
                      "the secret of access key " + row.id +
                          " cannot be opened: it was moved or changed"};
    }
    identity::AccessKey access_key;
    access_key.id = row.id;
    access_key.secret = std::move(opened->plaintext);
    access_key.active = row.active;
    // Until there are other users, every user in the store is the
    // administrator of its account.
    access_key.caller = identity::Administrator(row.account);
    access_key.caller.access_key_id = row.id;
    keys.push_back(std::move(access_key));
  }
  co_return keys;
}

}  // namespace kms::operations
