// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_BOOTSTRAP_H_
#define KMS_OPERATIONS_BOOTSTRAP_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "kms/operations/call.h"

// What a store has before its first request: a service key for each purpose,
// and an administrator.
namespace kms::operations {

// Whether a store that has no service keys yet may be given them: only when it
// is made. One that has lost a key is never silently given another.
enum class NewStore : std::uint8_t { kRefuse, kAllow };

// Where the keys of a key store live: each as an object of the token; or
// wrapped by a key that is one, in the store. That key may be made such that
// other tokens of the operator can be given it.
enum class Placement : std::uint8_t { kResident, kWrapped, kWrappedShareably };

// Makes sure that the token has the store's service keys, by using them. Those
// that are made with the placement kWrappedShareably are wrapped. Fails with
// kKeyUnavailable, saying which, if it does not: a wrong --state, a wrong
// token, or a store and a token that were not restored together.
boost::asio::awaitable<base::Status> CheckServiceKeys(
    Environment& environment, NewStore new_store,
    Placement placement = Placement::kResident);

// Makes sure that the token of a further key store is the one that it was: it
// has a key of its own, made when nothing was there yet, by which it is known.
// Fails as CheckServiceKeys does. To be called before anything else is done
// with that token.
boost::asio::awaitable<base::Status> CheckIdentity(Environment& environment,
                                                   KeyStore& key_store);

// Makes sure that the token has what wraps the keys of the key store, if there
// is or shall be such, by using it; has new keys wrapped if `placement` says
// so. With kWrappedShareably, `shares_wrapping_key` tells whether that key may
// be shared: an older one may have been made without. Fails as CheckServiceKeys
// does, and with kUnsupportedOperation if the token cannot hold wrapped keys.
boost::asio::awaitable<base::Status> EnsureWrappingKey(Environment& environment,
                                                       KeyStore& key_store,
                                                       Placement placement);

// Gives the administrator of `account` an access key; makes both if they are
// not there. See SealAccessKey.
boost::asio::awaitable<base::Status> AddAdministratorKey(
    Environment& environment, const std::string& account,
    const std::string& access_key_id, const base::Secret& secret);

// Makes sure that the access key lets the administrator of `account` in: gives
// it one that is not there. Fails with kInvalidArgument, saying what to do, if
// the store knows it as another's, as inactive or with another secret; or if
// the administrator has as many as a user may have.
boost::asio::awaitable<base::Status> EnsureAdministratorKey(
    Environment& environment, const std::string& account,
    const std::string& access_key_id, const base::Secret& secret);

// Makes the account if it is not there.
boost::asio::awaitable<base::Status> EnsureAccount(Environment& environment,
                                                   const std::string& account);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_BOOTSTRAP_H_
