// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_MAC_H_
#define KMS_OPERATIONS_MAC_H_

#include <boost/asio/awaitable.hpp>

#include "base/bytes.h"
#include "base/result.h"
#include "kms/operations/call.h"

namespace kms::operations {

// The MAC of the member Message under the call's key, once usage and
// MacAlgorithm are known to fit it.
boost::asio::awaitable<base::Result<base::Bytes>> ComputeMac(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_MAC_H_
