// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IMPORT_TOKEN_H_
#define KMS_OPERATIONS_IMPORT_TOKEN_H_

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "kms/operations/call.h"

namespace kms::operations {

// The import token of a pair that was given out
// (docs/protocol/import_token.md).
boost::asio::awaitable<base::Result<base::Bytes>> MakeImportToken(
    Environment& environment, const store::ImportPair& pair);

// The pair that member ImportToken names. kInvalidImportToken: it is no token,
// one of another key or store, or its pair is gone; kExpiredImportToken: its
// time is over.
boost::asio::awaitable<base::Result<store::ImportPair>> OpenImportToken(
    Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_IMPORT_TOKEN_H_
