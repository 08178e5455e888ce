// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_HOUSEKEEPING_H_
#define KMS_OPERATIONS_HOUSEKEEPING_H_

#include <boost/asio/awaitable.hpp>

#include "kms/operations/call.h"

namespace kms::operations {

// Whether this io thread does what one thread does for all: one says kAll.
enum class Chores : std::uint8_t { kOwnOnly, kAll };

// Once a second until cancelled: writes events that the log could not take. And
// with kAll: destroys and rotates keys whose day has come, reads again who may
// ask if that failed, and persists how far time has provably passed and when
// keys were last used.
boost::asio::awaitable<void> KeepHouse(Environment& environment, Chores chores);

// Beside it, on one thread for all: makes wrapping keys for imports in advance.
// That waits behind the RSA pairs that clients have made, and nothing that is
// due must wait with it.
boost::asio::awaitable<void> KeepImportPairs(Environment& environment);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_HOUSEKEEPING_H_
