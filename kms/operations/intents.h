// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_INTENTS_H_
#define KMS_OPERATIONS_INTENTS_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"

// Changes on the token are announced in the store before they happen and
// settled after: a crash in between leaves an intent, never a lost key and
// never an object that nobody knows.
namespace kms::operations {

// Chooses a locator for a new material of `key_id` in a key store and commits
// the intent.
boost::asio::awaitable<base::Result<hsm::Locator>> AnnounceKey(
    Environment& environment, const KeyStore& key_store,
    std::string_view key_id);

// Destroys what the token may have of an announced creation, unless a key has
// it by now, and then clears the intent. Waits some seconds for a worker or a
// disk to come back; if neither does, the intent stays, and Settle tries again
// later.
boost::asio::awaitable<void> RollBackCreation(Environment& environment,
                                              KeyStore& key_store,
                                              hsm::Locator locator);

// Settles the intents of a key store that earlier epochs left, and those of
// this one whose request has given up. Rolls back creations: their keys were
// never acknowledged. A locator that the store knows as a material is never
// touched.
boost::asio::awaitable<base::Status> SettleIntents(Environment& environment,
                                                   KeyStore& key_store,
                                                   std::uint64_t before_epoch);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_INTENTS_H_
