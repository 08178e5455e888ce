// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/identities.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "kms/identity/aws_policies.h"
#include "kms/identity/directory.h"
#include "kms/identity/principals.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kAccessKeyType = "claviger-access-key-1";

// Adding what is there already is no failure.
base::Status Unless(ErrorCode expected, const base::Status& status) {
  return !status && status.error().code == expected ? base::Status() : status;
}

asio::awaitable<base::Result<identity::SecretPtr>> OpenSecret(
    Environment& environment, const store::ServiceKey& key,
    store::AccessKey& row) {
  const hsm::Aad aad = ServiceAad(environment, kAccessKeyType, row.id);
  auto opened =
      co_await OpenUnder(environment, key, aad, std::move(row.sealed_secret));
  if (!opened && opened.error().code == ErrorCode::kInvalidCiphertext) {
    co_return Error{ErrorCode::kCorrupt,
                    "the secret of access key " + row.id +
                        " cannot be opened: it was moved or changed"};
  }
  if (!opened) {
    co_return Error(opened.error());
  }
  co_return std::make_shared<const base::Secret>(*std::move(opened));
}

}  // namespace

asio::awaitable<base::Status> LoadIdentities(Environment& environment) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForCredentials));
  CO_ASSIGN_OR_RETURN(auto rows, environment.store.ReadIdentities());
  const auto before = environment.directory.current();
  identity::Directory::Secrets secrets;
  for (store::AccessKey& row : rows.access_keys) {
    identity::SecretPtr secret = before->FindSecret(row.id);
    if (secret == nullptr) {
      auto opened = co_await OpenSecret(environment, key, row);
      if (!opened && opened.error().code == ErrorCode::kCorrupt) {
        base::LogError("{}; it lets nobody in", opened.error().message);
        continue;
      }
      CO_ASSIGN_OR_RETURN(secret, std::move(opened));
    }
    secrets.emplace(row.id, std::move(secret));
  }
  environment.directory.Replace(std::make_shared<const identity::Directory>(
      std::move(rows), std::move(secrets), environment.directory.others()));
  co_return base::Status();
}

asio::awaitable<base::Status> CommitIdentities(Call& call,
                                               store::Store::Change change) {
  CO_RETURN_IF_ERROR(co_await call.Commit(std::move(change)));
  base::Status loaded = co_await LoadIdentities(call.environment);
  if (!loaded) {
    call.environment.directory.FallBehind(
        call.environment.store.info().revision);
  }
  co_return loaded;
}

asio::awaitable<void> CatchUp(Environment& environment) {
  if (!environment.directory.is_behind()) {
    co_return;
  }
  const base::Status loaded = co_await LoadIdentities(environment);
  if (!loaded) {
    base::LogError("users and roles have changed and cannot be read: {}",
                   loaded.error().message);
  }
}

asio::awaitable<base::Result<store::AccessKey>> SealAccessKey(
    Environment& environment, const Entity& user, std::string id,
    const base::Secret& secret) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForCredentials));
  const hsm::Aad aad = ServiceAad(environment, kAccessKeyType, id);
  base::Secret plaintext = base::Secret::CopyOf(secret.Reveal());
  CO_ASSIGN_OR_RETURN(
      hsm::Sealed sealed,
      co_await SealUnder(environment, key, aad, std::move(plaintext)));
  store::AccessKey row;
  row.id = std::move(id);
  row.account = user.account;
  row.user_name = user.name;
  row.user_id = user.id;
  row.sealed_secret = std::move(sealed);
  row.created = environment.clock.Now();
  co_return row;
}

asio::awaitable<base::Result<NewAccount>> PrepareAccount(
    Environment& environment, std::string account, std::string access_key_id,
    const base::Secret& secret) {
  NewAccount made;
  made.account = {account, environment.clock.Now()};
  const auto directory = environment.directory.current();
  const Caller administrator = identity::Administrator(account);
  const identity::Record* const known = directory->FindByName(
      account, EntityKind::kUser, administrator.user_name);
  if (known != nullptr) {
    made.administrator = known->entity;
  } else {
    made.administrator.id = administrator.principal_id;
    made.administrator.account = std::move(account);
    made.administrator.name = administrator.user_name;
    made.administrator.created = made.account.created;
  }
  CO_ASSIGN_OR_RETURN(made.key,
                      co_await SealAccessKey(environment, made.administrator,
                                             std::move(access_key_id), secret));
  co_return made;
}

base::Status InsertAccount(store::Transaction& transaction,
                           const NewAccount& account) {
  store::Identities& identities = transaction.identities();
  RETURN_IF_ERROR(Unless(ErrorCode::kAlreadyExists,
                         identities.InsertAccount(account.account)));
  RETURN_IF_ERROR(Unless(ErrorCode::kAlreadyExists,
                         identities.InsertEntity(account.administrator)));
  RETURN_IF_ERROR(identities.Attach(account.administrator.id,
                                    identity::kAdministratorAccessArn));
  return identities.InsertAccessKey(account.key);
}

}  // namespace kms::operations
