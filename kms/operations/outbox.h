// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_OUTBOX_H_
#define KMS_OPERATIONS_OUTBOX_H_

#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/result.h"
#include "kms/operations/call.h"

// The events of mutations, committed with them and then written to the log.
namespace kms::operations {

// Writes the event of a committed mutation to the log. If that fails, the event
// stays in the outbox and is remembered for RetryUnlogged.
boost::asio::awaitable<base::Status> AppendCommitted(Environment& environment,
                                                     store::OutboxEvent event);

// Writes what the log could not take before. Stops at the first failure.
boost::asio::awaitable<void> RetryUnlogged(Environment& environment);

// At start-up: writes the events that a crash kept from the log, and clears the
// outbox. `folder` is the log's.
base::Status CompleteLog(store::Store& store, audit::Log& log,
                         const std::string& folder);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_OUTBOX_H_
