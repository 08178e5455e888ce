// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/session_token.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "base/bytes.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kType = "claviger-session-token-1";
constexpr std::uint8_t kVersion = 1;

Error InvalidToken() {
  return {ErrorCode::kUnrecognizedClient,
          "The security token included in the request is invalid."};
}

base::Result<hsm::Sealed> ParseToken(std::string_view text) {
  hsm::Sealed sealed;
  const auto bytes = base::Base64Decode(text);
  const std::size_t least = 1 + sealed.nonce.size() + hsm::kTagSize;
  if (!bytes || bytes->size() < least ||
      bytes->size() > least + identity::kMaxSessionBytes ||
      bytes->front() != kVersion) {
    return InvalidToken();
  }
  const auto nonce = bytes->begin() + 1;
  const auto rest = nonce + static_cast<std::ptrdiff_t>(sealed.nonce.size());
  std::copy(nonce, rest, sealed.nonce.begin());
  sealed.ciphertext.assign(rest, bytes->end());
  return sealed;
}

}  // namespace

asio::awaitable<base::Result<std::string>> MakeSessionToken(
    Environment& environment, const identity::Session& session) {
  CO_ASSIGN_OR_RETURN(const base::WipingBytes bytes,
                      identity::EncodeSession(session));
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForSessionTokens));
  const hsm::Aad aad = ServiceAad(environment, kType, "");
  base::Secret plaintext = base::Secret::CopyOf(bytes);
  CO_ASSIGN_OR_RETURN(
      const hsm::Sealed sealed,
      co_await SealUnder(environment, key, aad, std::move(plaintext)));
  base::Writer token(1 + sealed.nonce.size() + sealed.ciphertext.size());
  token.U8(kVersion).Raw(sealed.nonce).Raw(sealed.ciphertext);
  co_return base::Base64Encode(token.view());
}

asio::awaitable<base::Result<identity::SessionPtr>> SessionTokens::Open(
    std::string token) {
  CO_ASSIGN_OR_RETURN(hsm::Sealed sealed, ParseToken(token));
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment_, kForSessionTokens));
  const hsm::Aad aad = ServiceAad(environment_, kType, "");
  const auto opened =
      co_await OpenUnder(environment_, key, aad, std::move(sealed));
  if (!opened && opened.error().code == ErrorCode::kInvalidCiphertext) {
    co_return InvalidToken();
  }
  if (!opened) {
    co_return Error(opened.error());
  }
  CO_ASSIGN_OR_RETURN(identity::Session session,
                      identity::DecodeSession(opened->Reveal()));
  co_return std::make_shared<const identity::Session>(std::move(session));
}

}  // namespace kms::operations
