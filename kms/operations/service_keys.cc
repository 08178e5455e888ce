// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/service_keys.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/random.h"
#include "kms/operations/intents.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

Error ServiceKeyGone(const store::ServiceKey& key, std::string_view reason) {
  return {ErrorCode::kKeyUnavailable,
          "the token of key store '" + key.key_store +
              "' cannot use this store's service key '" + key.purpose + "' (" +
              std::string(reason) +
              "). Check that --state and the token belong together, and that "
              "both were restored from the same backup; nothing was changed."};
}

// A row may name the first key store as an earlier configuration did.
hsm::client::Client& TokenOf(Environment& environment,
                             const store::ServiceKey& key) {
  const auto key_store = environment.key_stores.Find(key.key_store);
  return key_store ? (*key_store)->hsm : environment.key_stores.primary().hsm;
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

// Makes the token's object for `key`, under an intent.
asio::awaitable<base::Status> GenerateResident(Environment& environment,
                                               KeyStore& key_store,
                                               bool shareable,
                                               store::ServiceKey& key) {
  CO_ASSIGN_OR_RETURN(
      key.ref.locator,
      co_await AnnounceKey(environment, key_store, key.purpose));
  hsm::GenerateKeyRequest request;
  request.key = key.ref;
  request.shareable = shareable;
  const auto made = co_await key_store.hsm.Call(request);
  if (!made) {
    co_await RollBackCreation(environment, key_store, key.ref.locator);
    co_return Error(made.error());
  }
  key.check_value = made->check_value;
  co_return base::Status();
}

// Nothing of it stays on the token.
asio::awaitable<base::Status> GenerateWrapped(KeyStore& key_store,
                                              store::ServiceKey& key) {
  base::RandomBytes(key.ref.locator.bytes);
  hsm::GenerateWrappedKeyRequest request;
  request.key = key.ref;
  request.wrapping_key = *key_store.wrapping_key;
  CO_ASSIGN_OR_RETURN(hsm::GenerateWrappedKeyReply made,
                      co_await key_store.hsm.Call(request));
  key.check_value = made.check_value;
  key.ref.wrapped = std::make_shared<const hsm::WrappedKey>(
      hsm::WrappedKey{.wrapping_key = request.wrapping_key,
                      .bytes = std::move(made.wrapped),
                      .check_value = made.check_value,
                      .public_key = {}});
  co_return base::Status();
}

}  // namespace

asio::awaitable<base::Status> MakeServiceKey(Environment& environment,
                                             KeyStore& key_store,
                                             std::string_view purpose,
                                             hsm::Algorithm algorithm,
                                             bool shareable) {
  store::ServiceKey key;
  key.purpose = purpose;
  key.key_store = key_store.name;
  key.ref.algorithm = algorithm;
  const bool is_wrapped = key_store.shares_wrapping_key &&
                          key_store.wrapping_key &&
                          algorithm != hsm::Algorithm::kAesWrap;
  if (is_wrapped) {
    CO_RETURN_IF_ERROR(co_await GenerateWrapped(key_store, key));
  } else {
    CO_RETURN_IF_ERROR(
        co_await GenerateResident(environment, key_store, shareable, key));
  }
  auto insert = [&](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(transaction.InsertServiceKey(key));
    return is_wrapped ? base::Status()
                      : transaction.DeleteIntent(key.ref.locator);
  };
  co_return co_await environment.store.Write(insert);
}

std::string ForWrapping(std::string_view key_store) {
  return "wrapping-key/" + std::string(key_store);
}

std::string ForIdentity(std::string_view key_store) {
  return "identity/" + std::string(key_store);
}

asio::awaitable<base::Status> CheckServiceKey(Environment& environment,
                                              const store::ServiceKey& key) {
  hsm::CheckKeyRequest request;
  request.key = key.ref;
  const auto used = co_await TokenOf(environment, key).Call(request);
  if (!used) {
    co_return ServiceKeyGone(key, used.error().message);
  }
  if (used->check_value != key.check_value) {
    co_return ServiceKeyGone(key, "another key has its place");
  }
  co_return base::Status();
}

base::Result<store::ServiceKey> FindServiceKey(Environment& environment,
                                               std::string_view purpose) {
  ASSIGN_OR_RETURN(const auto keys, environment.store.ListServiceKeys());
  const auto it = std::ranges::find(keys, purpose, &store::ServiceKey::purpose);
  if (it == keys.end()) {
    return Error{ErrorCode::kKeyUnavailable,
                 "the store has no service key '" + std::string(purpose) +
                     "': make a new store with `claviger init`, or restore "
                     "this one from a backup"};
  }
  return *it;
}

hsm::Aad ServiceAad(const Environment& environment, std::string_view type,
                    std::string_view row) {
  base::Writer writer(1024);
  writer.Sized(type).Sized(environment.store.info().id).Sized(row);
  return base::ThreadHasher().Sha256(writer.view());
}

asio::awaitable<base::Result<hsm::Sealed>> SealUnder(
    Environment& environment, const store::ServiceKey& key, hsm::Aad aad,
    base::Secret plaintext) {
  hsm::EncryptRequest request;
  request.key = key.ref;
  request.aad = aad;
  request.plaintext = std::move(plaintext);
  if (key.ref.algorithm == hsm::Algorithm::kAes256GcmCounter) {
    CO_ASSIGN_OR_RETURN(request.counter,
                        co_await NextCounter(environment, key));
  }
  auto sealed = co_await TokenOf(environment, key).Call(std::move(request));
  if (!sealed && sealed.error().code == ErrorCode::kNotFound) {
    co_return ServiceKeyGone(key, sealed.error().message);
  }
  co_return sealed;
}

asio::awaitable<base::Result<base::Secret>> OpenUnder(
    Environment& environment, const store::ServiceKey& key, hsm::Aad aad,
    hsm::Sealed sealed) {
  hsm::DecryptRequest request;
  request.key = key.ref;
  request.aad = aad;
  request.sealed = std::move(sealed);
  auto opened = co_await TokenOf(environment, key).Call(std::move(request));
  if (opened) {
    co_return std::move(opened->plaintext);
  }
  if (opened.error().code == ErrorCode::kNotFound) {
    co_return ServiceKeyGone(key, opened.error().message);
  }
  co_return Error(opened.error());
}

}  // namespace kms::operations
