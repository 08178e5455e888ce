// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/session_token.h"

#include <utility>

#include "base/bytes.h"
#include "kms/operations/sealed_token.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr TokenKind kKind = {kForSessionTokens, "claviger-session-token-1"};

Error InvalidToken() {
  return {ErrorCode::kUnrecognizedClient,
          "The security token included in the request is invalid."};
}

}  // namespace

asio::awaitable<base::Result<std::string>> MakeSessionToken(
    Environment& environment, const identity::Session& session) {
  CO_ASSIGN_OR_RETURN(const base::WipingBytes bytes,
                      identity::EncodeSession(session));
  base::Secret plaintext = base::Secret::CopyOf(bytes);
  CO_ASSIGN_OR_RETURN(
      const base::Bytes token,
      co_await SealToken(environment, kKind, "", std::move(plaintext)));
  co_return base::Base64Encode(token);
}

asio::awaitable<base::Result<identity::SessionPtr>> SessionTokens::Open(
    std::string token) {
  const auto bytes = base::Base64Decode(token);
  if (!bytes) {
    co_return InvalidToken();
  }
  const auto opened = co_await OpenToken(environment_, kKind, "", *bytes,
                                         identity::kMaxSessionBytes);
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
