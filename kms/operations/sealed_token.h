// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_SEALED_TOKEN_H_
#define KMS_OPERATIONS_SEALED_TOKEN_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "kms/operations/call.h"

// What clavigerd hands out sealed, to get it back unchanged:
//
//   version (1 byte: 1) | nonce (24) | ciphertext | tag (16)
//
// under the service key of its purpose, with ServiceAad(type, row).
namespace kms::operations {

struct TokenKind {
  std::string_view purpose;  // Of the service key (service_keys.h).
  std::string_view type;     // "claviger-grant-token-1"
};

// `row` is what the token belongs to, "" for nothing: it opens with no other.
boost::asio::awaitable<base::Result<base::Bytes>> SealToken(
    Environment& environment, TokenKind kind, std::string_view row,
    base::Secret plaintext);

// Fails with kInvalidCiphertext, without asking the HSM, if `token` is not of
// version 1 or holds more than `max_size` bytes of plaintext; and so, too, if
// it was not sealed here as such a token of that row. `token` is not needed
// after the first suspension.
boost::asio::awaitable<base::Result<base::Secret>> OpenToken(
    Environment& environment, TokenKind kind, std::string_view row,
    base::ByteView token, std::size_t max_size);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_SEALED_TOKEN_H_
