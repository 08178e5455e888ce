// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_GRANT_TOKEN_H_
#define KMS_OPERATIONS_GRANT_TOKEN_H_

#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/result.h"
#include "kms/operations/call.h"

// Grant tokens: docs/protocol/grant_token.md. Not stored, not forgeable, and
// another one at each call.
namespace kms::operations {

// A token for the grant with this id, in base64.
boost::asio::awaitable<base::Result<std::string>> MakeGrantToken(
    Environment& environment, std::string grant_id);

// Whether the call brings grant tokens that its operation takes.
bool HasGrantTokens(const Call& call);

// Opens them, with one call of the token for each: GrantToken into `call.grant`
// and GrantTokens into `call.grants`. Fails with kInvalidGrantToken if one was
// not made by this store, or if its grant is gone or of another Region.
boost::asio::awaitable<base::Status> OpenGrantTokens(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_GRANT_TOKEN_H_
