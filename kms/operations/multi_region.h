// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_MULTI_REGION_H_
#define KMS_OPERATIONS_MULTI_REGION_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kms/operations/call.h"

// AWS KMS Developer Guide, "Multi-Region keys in AWS KMS". All Regions of a
// server use one store: the keys of one id share the materials themselves, and
// what is made in one Region is there in the others at once. Where Regions have
// key stores of their own, the tokens share what wraps the materials.
namespace kms::operations {

// The keys that have the id of `key`, itself among them, in the order of their
// Regions; none of a single-Region key.
base::Result<std::vector<RelatedKey>> FindRelatedKeys(Call& call,
                                                      const Key& key);

// What the others see of `key`.
RelatedKey AsRelatedKey(const Key& key);

// Fails with kUnsupportedOperation unless `key` is a primary key.
base::Status CheckPrimary(const Key& key);

// The same if it is a replica: what the keys of one id share is changed on
// their primary key alone.
base::Status CheckNotReplica(const Key& key);

// Schedules the deletion of `key`, which may be in the way of it: a primary key
// first waits for its replicas to be gone, and counts the days from then.
base::Status ScheduleDeletion(store::Transaction& transaction, Key& key,
                              base::WallTime now, std::int64_t window_days);

// To be called where a key of this id was deleted: if it was the last replica
// for which the primary key waited, that is pending deletion itself from `now`.
base::Status StartCountdown(store::Transaction& transaction,
                            std::string_view key_id, base::WallTime now);

// Whether the token of `target` can use the materials of `key`, because they
// are objects of it, or because it shares the key that wraps them. Fails with
// kUnsupportedOperation, saying what is missing.
boost::asio::awaitable<base::Status> CheckCanLiveIn(Environment& environment,
                                                    const Key& key,
                                                    KeyStore& target);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_MULTI_REGION_H_
