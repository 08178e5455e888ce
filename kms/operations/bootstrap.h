// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_BOOTSTRAP_H_
#define KMS_OPERATIONS_BOOTSTRAP_H_

#include <boost/asio/awaitable.hpp>
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

// Makes sure that the token has the store's service keys, by using them. Fails
// with kKeyUnavailable, saying which, if it does not: a wrong --state, a wrong
// token, or a store and a token that were not restored together.
boost::asio::awaitable<base::Status> CheckServiceKeys(Environment& environment,
                                                      NewStore new_store);

// Gives the administrator of `account` an access key; makes both if they are
// not there. See SealAccessKey.
boost::asio::awaitable<base::Status> AddAdministratorKey(
    Environment& environment, const std::string& account,
    const std::string& access_key_id, const base::Secret& secret);

// Makes the account if it is not there.
boost::asio::awaitable<base::Status> EnsureAccount(Environment& environment,
                                                   const std::string& account);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_BOOTSTRAP_H_
