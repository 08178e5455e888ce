// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IMPORT_PAIRS_H_
#define KMS_OPERATIONS_IMPORT_PAIRS_H_

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "kms/operations/call.h"

// The RSA pairs under which clients wrap what they import. Each serves one
// GetParametersForImport, for a day at most. Some are made in advance, of the
// sizes that have been asked for: making one takes up to seconds.
namespace kms::operations {

// Gives the key of the call a pair of `terms.ref.algorithm` (the rest of
// `terms` is what it is given for). The oldest of too many goes.
boost::asio::awaitable<base::Result<store::ImportPair>> OpenImportPair(
    Call& call, store::ImportPair terms);

// Ends the pairs whose time is over. Their objects are destroyed by
// FinishDestructions.
boost::asio::awaitable<base::Status> RetireExpiredPairs(
    Environment& environment);

// Makes one pair, if there are too few of a size that is in use.
boost::asio::awaitable<base::Status> RefillImportPairs(
    Environment& environment);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_IMPORT_PAIRS_H_
