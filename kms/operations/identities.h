// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IDENTITIES_H_
#define KMS_OPERATIONS_IDENTITIES_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "kms/operations/call.h"

// Who may ask: from the store to the directory in force.
namespace kms::operations {

// Reads all identities from the store, opens the secrets that the directory in
// force does not have yet, and puts the result in its place. After every change
// of identities, before it is answered. Fails with kCorrupt if a secret cannot
// be opened.
boost::asio::awaitable<base::Status> LoadIdentities(Environment& environment);

// Call::Commit, then LoadIdentities: what was committed is in force when this
// has succeeded. If only the second fails, CatchUp tries again.
boost::asio::awaitable<base::Status> CommitIdentities(
    Call& call, store::Store::Change change);

// LoadIdentities, if the directory in force has fallen behind the store.
boost::asio::awaitable<void> CatchUp(Environment& environment);

// Of a user: AWS's quota AccessKeysPerUser.
inline constexpr std::size_t kMostAccessKeys = 2;

// A new access key of `user`, its secret sealed under the service key
// "credentials", bound to the store and the key's id.
boost::asio::awaitable<base::Result<store::AccessKey>> SealAccessKey(
    Environment& environment, const Entity& user, std::string id,
    const base::Secret& secret);

// What a transaction adds for an account: the account, its user admin with
// AWS's policy AdministratorAccess, and that user's access key. Account and
// user may be there.
struct NewAccount {
  Account account;
  Entity administrator;
  store::AccessKey key;
};
boost::asio::awaitable<base::Result<NewAccount>> PrepareAccount(
    Environment& environment, std::string account, std::string access_key_id,
    const base::Secret& secret);
base::Status InsertAccount(store::Transaction& transaction,
                           const NewAccount& account);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_IDENTITIES_H_
