// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_MANAGED_KEY_H_
#define KMS_OPERATIONS_MANAGED_KEY_H_

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "kms/operations/call.h"

namespace kms::operations {

// Makes the AWS managed key of the service that calls, if this call names it by
// its alias, is one that a service may make on it, and it does not exist yet in
// the account and Region: on its first use. Otherwise does nothing. The key,
// its alias and the record of both are durable when this completes. Of two
// first uses at the same time one makes the key, and both use that; a crash in
// between is settled by the intent (intents.h).
boost::asio::awaitable<base::Status> EnsureManagedKey(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_MANAGED_KEY_H_
