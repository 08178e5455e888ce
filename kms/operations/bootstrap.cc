// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "kms/identity/directory.h"
#include "kms/identity/principals.h"
#include "kms/operations/identities.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

// The keys that the store's schema has marked as due: those of purposes that
// came with a later release than the store, or all but the first of a new one.
asio::awaitable<base::Status> MakeDueKeys(Environment& environment) {
  KeyStore& primary = environment.key_stores.primary();
  CO_ASSIGN_OR_RETURN(const auto due, environment.store.ListServiceKeysDue());
  for (const std::string& purpose : due) {
    CO_RETURN_IF_ERROR(co_await MakeServiceKey(environment, primary, purpose,
                                               primary.algorithm));
  }
  co_return base::Status();
}

// Of a service key that the first key store is known to have: it may have had
// another name when the key was made, and so may materials.
void NoteFormerName(KeyStores& key_stores, const store::ServiceKey& key) {
  if (!key_stores.Find(key.key_store)) {
    key_stores.primary().former_names.push_back(key.key_store);
  }
}

// An identity encrypts nothing: a token without AES-GCM can have one, too.
asio::awaitable<base::Status> MakeIdentity(Environment& environment,
                                           KeyStore& key_store,
                                           std::string_view purpose) {
  const hsm::Algorithm algorithm = key_store.algorithm;
  base::Status made =
      co_await MakeServiceKey(environment, key_store, purpose, algorithm);
  if (!made && made.error().code == ErrorCode::kUnsupportedOperation) {
    made = co_await MakeServiceKey(environment, key_store, purpose,
                                   hsm::Algorithm::kHmacSha256);
  }
  co_return made;
}

}  // namespace

asio::awaitable<base::Status> CheckServiceKeys(Environment& environment,
                                               NewStore new_store,
                                               Placement placement) {
  KeyStore& primary = environment.key_stores.primary();
  const bool is_shared = placement == Placement::kWrappedShareably;
  CO_ASSIGN_OR_RETURN(auto keys, environment.store.ListServiceKeys());
  const auto is_first = [](const store::ServiceKey& key) {
    return key.purpose == kForCredentials;
  };
  if (new_store == NewStore::kAllow && std::ranges::none_of(keys, is_first)) {
    if (is_shared) {
      CO_RETURN_IF_ERROR(
          co_await EnsureWrappingKey(environment, primary, placement));
    }
    CO_RETURN_IF_ERROR(co_await MakeServiceKey(
        environment, primary, kForCredentials, primary.algorithm));
  }
  // That this is the store's token is known before anything is made on it.
  CO_ASSIGN_OR_RETURN(const store::ServiceKey first,
                      FindServiceKey(environment, kForCredentials));
  CO_RETURN_IF_ERROR(co_await CheckServiceKey(environment, first));
  NoteFormerName(environment.key_stores, first);
  if (is_shared) {
    CO_RETURN_IF_ERROR(
        co_await EnsureWrappingKey(environment, primary, placement));
  }
  CO_RETURN_IF_ERROR(co_await MakeDueKeys(environment));
  for (const std::string_view purpose :
       {kForGrantTokens, kForImportTokens, kForSessionTokens,
        kForXksCredentials}) {
    CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                        FindServiceKey(environment, purpose));
    CO_RETURN_IF_ERROR(co_await CheckServiceKey(environment, key));
    NoteFormerName(environment.key_stores, key);
  }
  co_return base::Status();
}

namespace {

// Whether the store was made with this key store, which was the first then.
bool IsOfFirst(const std::vector<store::ServiceKey>& keys,
               const KeyStore& key_store) {
  return std::ranges::any_of(keys, [&](const store::ServiceKey& key) {
    return key.purpose == kForCredentials && key.key_store == key_store.name;
  });
}

}  // namespace

asio::awaitable<base::Status> CheckIdentity(Environment& environment,
                                            KeyStore& key_store) {
  const std::string purpose = ForIdentity(key_store.name);
  CO_ASSIGN_OR_RETURN(auto keys, environment.store.ListServiceKeys());
  const auto is_it = [&](const store::ServiceKey& key) {
    return key.purpose == purpose;
  };
  if (std::ranges::none_of(keys, is_it)) {
    CO_ASSIGN_OR_RETURN(const auto objects,
                        environment.store.ListLocators(key_store.name));
    CO_ASSIGN_OR_RETURN(const bool has_wrapped,
                        environment.store.HasWrappedMaterials(key_store.name));
    if (IsOfFirst(keys, key_store)) {
      co_return Error{
          ErrorCode::kKeyUnavailable,
          "this store was made with the key store '" + key_store.name +
              "', which must be the first [[key_store]] of the configuration: "
              "move it before '" +
              environment.key_stores.primary().name + "'"};
    }
    if (!objects.empty() || has_wrapped) {
      co_return FindServiceKey(environment, purpose).error();
    }
    CO_RETURN_IF_ERROR(co_await MakeIdentity(environment, key_store, purpose));
  }
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, purpose));
  co_return co_await CheckServiceKey(environment, key);
}

namespace {

// Whether the wrapping key was made such that it may leave its token. It is
// asked to leave for nobody: that is refused in any case, and why tells.
asio::awaitable<bool> MayBeShared(KeyStore& key_store,
                                  const store::ServiceKey& key) {
  hsm::ShareWrappingKeyRequest request;
  request.wrapping_key = key.ref;
  request.check_value = key.check_value;
  const auto refused = co_await key_store.hsm.Call(std::move(request));
  co_return refused || refused.error().code != ErrorCode::kUnsupportedOperation;
}

}  // namespace

asio::awaitable<base::Status> EnsureWrappingKey(Environment& environment,
                                                KeyStore& key_store,
                                                Placement placement) {
  const std::string purpose = ForWrapping(key_store.name);
  CO_ASSIGN_OR_RETURN(auto keys, environment.store.ListServiceKeys());
  const auto is_it = [&](const store::ServiceKey& key) {
    return key.purpose == purpose;
  };
  const bool is_there = std::ranges::any_of(keys, is_it);
  if (!is_there) {
    // What it has wrapped nothing else can unwrap: it is not made again.
    CO_ASSIGN_OR_RETURN(const bool is_needed,
                        environment.store.HasWrappedMaterials(key_store.name));
    if (is_needed) {
      CO_RETURN_IF_ERROR(FindServiceKey(environment, purpose));
    }
  }
  if (placement != Placement::kResident && !is_there) {
    CO_RETURN_IF_ERROR(co_await MakeServiceKey(
        environment, key_store, purpose, hsm::Algorithm::kAesWrap,
        placement == Placement::kWrappedShareably));
  }
  // Also those of a key store that had another name: keys may need them.
  CO_ASSIGN_OR_RETURN(keys, environment.store.ListServiceKeys());
  for (const store::ServiceKey& key : keys) {
    const auto where = environment.key_stores.Find(key.key_store);
    if (key.ref.algorithm == hsm::Algorithm::kAesWrap && where &&
        *where == &key_store) {
      CO_RETURN_IF_ERROR(co_await CheckServiceKey(environment, key));
    }
    if (is_it(key) && placement != Placement::kResident) {
      key_store.wrapping_key = key.ref.locator;
      key_store.shares_wrapping_key = false;
      if (placement == Placement::kWrappedShareably) {
        key_store.shares_wrapping_key = co_await MayBeShared(key_store, key);
      }
    }
  }
  co_return base::Status();
}

asio::awaitable<base::Status> AddAdministratorKey(
    Environment& environment, const std::string& account,
    const std::string& access_key_id, const base::Secret& secret) {
  CO_ASSIGN_OR_RETURN(
      const NewAccount made,
      co_await PrepareAccount(environment, account, access_key_id, secret));
  auto insert = [&made](store::Transaction& transaction) {
    return InsertAccount(transaction, made);
  };
  CO_RETURN_IF_ERROR(co_await environment.store.Write(insert));
  co_return co_await LoadIdentities(environment);
}

namespace {

Error KeyRefused(std::string_view id, std::string_view reason) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("the administrator's access key {} {} (clavigerd --dev "
                      "--dev-access-key ID:SECRET)",
                      id, reason)};
}

// Of one that the store has.
base::Status CheckAdministratorKey(const identity::Directory& directory,
                                   const Caller& administrator,
                                   const std::string& id,
                                   const base::Secret& secret) {
  if (!base::ConstantTimeEqual(directory.FindSecret(id)->Reveal(),
                               secret.Reveal())) {
    return KeyRefused(id,
                      "has another secret in this store: start with that one, "
                      "or with another one");
  }
  const identity::AccessKey* const key = directory.credentials().Find(id);
  if (key == nullptr) {
    return KeyRefused(id, "is inactive: start with another one");
  }
  if (key->caller->account != administrator.account ||
      key->caller->user_name != administrator.user_name) {
    return KeyRefused(id, fmt::format("is that of {}, not of {}: start with "
                                      "another one",
                                      key->caller->arn, administrator.arn));
  }
  return {};
}

}  // namespace

asio::awaitable<base::Status> EnsureAdministratorKey(
    Environment& environment, const std::string& account,
    const std::string& access_key_id, const base::Secret& secret) {
  const auto directory = environment.directory.current();
  const Caller administrator = identity::Administrator(account);
  if (directory->FindSecret(access_key_id) != nullptr) {
    co_return CheckAdministratorKey(*directory, administrator, access_key_id,
                                    secret);
  }
  if (directory->credentials().Find(access_key_id) != nullptr) {
    co_return KeyRefused(access_key_id,
                         "is that of a service: start with another one");
  }
  const identity::Record* const user = directory->FindByName(
      account, EntityKind::kUser, administrator.user_name);
  if (user != nullptr && user->access_keys.size() >= kMostAccessKeys) {
    co_return KeyRefused(
        access_key_id,
        fmt::format("is not in this store, and {} has {} already: start with "
                    "{} or {}",
                    administrator.arn, user->access_keys.size(),
                    user->access_keys.front().id, user->access_keys.back().id));
  }
  co_return co_await AddAdministratorKey(environment, account, access_key_id,
                                         secret);
}

asio::awaitable<base::Status> EnsureAccount(Environment& environment,
                                            const std::string& account) {
  const Account row = {account, environment.clock.Now()};
  if (environment.directory.current()->HasAccount(account)) {
    co_return base::Status();
  }
  auto insert = [&row](store::Transaction& transaction) {
    return transaction.identities().InsertAccount(row);
  };
  CO_RETURN_IF_ERROR(co_await environment.store.Write(insert));
  co_return co_await LoadIdentities(environment);
}

}  // namespace kms::operations
