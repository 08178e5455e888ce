// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/sealed_token.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::uint8_t kTokenVersion = 1;

base::Result<hsm::Sealed> ParseToken(base::ByteView token,
                                     std::size_t max_size) {
  hsm::Sealed sealed;
  const std::size_t least = 1 + sealed.nonce.size() + hsm::kTagSize;
  if (token.size() < least || token.size() - least > max_size ||
      token.front() != kTokenVersion) {
    return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  const base::ByteView nonce = token.subspan(1, sealed.nonce.size());
  std::ranges::copy(nonce, sealed.nonce.begin());
  const base::ByteView rest = token.subspan(1 + nonce.size());
  sealed.ciphertext.assign(rest.begin(), rest.end());
  return sealed;
}

}  // namespace

asio::awaitable<base::Result<base::Bytes>> SealToken(Environment& environment,
                                                     TokenKind kind,
                                                     std::string_view row,
                                                     base::Secret plaintext) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kind.purpose));
  const hsm::Aad aad = ServiceAad(environment, kind.type, row);
  CO_ASSIGN_OR_RETURN(
      const hsm::Sealed sealed,
      co_await SealUnder(environment, key, aad, std::move(plaintext)));
  base::Bytes token;
  token.reserve(1 + sealed.nonce.size() + sealed.ciphertext.size());
  token.push_back(kTokenVersion);
  token.insert(token.end(), sealed.nonce.begin(), sealed.nonce.end());
  token.insert(token.end(), sealed.ciphertext.begin(), sealed.ciphertext.end());
  co_return token;
}

asio::awaitable<base::Result<base::Secret>> OpenToken(Environment& environment,
                                                      TokenKind kind,
                                                      std::string_view row,
                                                      base::ByteView token,
                                                      std::size_t max_size) {
  CO_ASSIGN_OR_RETURN(hsm::Sealed sealed, ParseToken(token, max_size));
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kind.purpose));
  const hsm::Aad aad = ServiceAad(environment, kind.type, row);
  co_return co_await OpenUnder(environment, key, aad, std::move(sealed));
}

}  // namespace kms::operations
