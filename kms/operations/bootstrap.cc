// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/bootstrap.h"

#include <algorithm>
#include <utility>

#include "kms/identity/principals.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kAccessKeyType = "claviger-access-key-1";

// The keys that the store's schema has marked as due: those of purposes that
// came with a later release than the store, or all but the first of a new one.
asio::awaitable<base::Status> MakeDueKeys(Environment& environment) {
  CO_ASSIGN_OR_RETURN(const auto due, environment.store.ListServiceKeysDue());
  for (const std::string& purpose : due) {
    CO_RETURN_IF_ERROR(co_await MakeServiceKey(environment, purpose));
  }
  co_return base::Status();
}

}  // namespace

asio::awaitable<base::Status> CheckServiceKeys(Environment& environment,
                                               NewStore new_store) {
  CO_ASSIGN_OR_RETURN(auto keys, environment.store.ListServiceKeys());
  if (keys.empty() && new_store == NewStore::kAllow) {
    CO_RETURN_IF_ERROR(co_await MakeServiceKey(environment, kForCredentials));
  }
  // That this is the store's token is known before anything is made on it.
  CO_ASSIGN_OR_RETURN(const store::ServiceKey first,
                      FindServiceKey(environment, kForCredentials));
  CO_RETURN_IF_ERROR(co_await CheckServiceKey(environment, first));
  CO_RETURN_IF_ERROR(co_await MakeDueKeys(environment));
  for (const std::string_view purpose : {kForGrantTokens, kForImportTokens}) {
    CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                        FindServiceKey(environment, purpose));
    CO_RETURN_IF_ERROR(co_await CheckServiceKey(environment, key));
  }
  co_return base::Status();
}

asio::awaitable<base::Status> AddAdministratorKey(
    Environment& environment, const std::string& account,
    const std::string& access_key_id, const base::Secret& secret) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForCredentials));
  const hsm::Aad aad = ServiceAad(environment, kAccessKeyType, access_key_id);
  base::Secret plaintext = base::Secret::CopyOf(secret.Reveal());
  CO_ASSIGN_OR_RETURN(
      hsm::Sealed sealed,
      co_await SealUnder(environment, key, aad, std::move(plaintext)));
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
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForCredentials));
  CO_ASSIGN_OR_RETURN(auto rows, environment.store.ListAccessKeys());
  std::vector<identity::AccessKey> keys;
  for (store::AccessKey& row : rows) {
    const hsm::Aad aad = ServiceAad(environment, kAccessKeyType, row.id);
    auto opened =
        co_await OpenUnder(environment, key, aad, std::move(row.sealed_secret));
    if (!opened) {
      co_return Error{ErrorCode::kCorrupt,
                      "the secret of access key " + row.id +
                          " cannot be opened: it was moved or changed"};
    }
    identity::AccessKey access_key;
    access_key.id = row.id;
    access_key.secret = *std::move(opened);
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
