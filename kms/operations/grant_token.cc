// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/grant_token.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/bytes.h"
#include "kms/operations/sealed_token.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr TokenKind kKind = {kForGrantTokens, "claviger-grant-token-1"};
constexpr std::size_t kIdSize = 32;

Error InvalidToken() {
  return {ErrorCode::kInvalidGrantToken,
          "The grant token is not valid: it was not issued by this server, or "
          "its grant has been retired or revoked."};
}

asio::awaitable<base::Result<GrantPtr>> OpenGrantToken(Call& call,
                                                       std::string_view text) {
  Environment& environment = call.environment;
  const auto bytes = base::Base64Decode(text);
  if (!bytes) {
    co_return InvalidToken();
  }
  const auto opened =
      co_await OpenToken(environment, kKind, "", *bytes, kIdSize);
  if (!opened && opened.error().code == ErrorCode::kInvalidCiphertext) {
    co_return InvalidToken();
  }
  if (!opened) {
    co_return Error(opened.error());
  }
  auto grant = environment.store.FindGrant(base::HexEncode(opened->Reveal()));
  if (!grant && grant.error().code != ErrorCode::kNotFound) {
    co_return Error(grant.error());
  }
  if (!grant || (*grant)->region != call.request.region) {
    co_return InvalidToken();
  }
  co_return *std::move(grant);
}

}  // namespace

asio::awaitable<base::Result<std::string>> MakeGrantToken(
    Environment& environment, std::string grant_id) {
  CO_ASSIGN_OR_RETURN(const base::Bytes id, base::HexDecode(grant_id));
  base::Secret plaintext = base::Secret::CopyOf(id);
  CO_ASSIGN_OR_RETURN(
      const base::Bytes token,
      co_await SealToken(environment, kKind, "", std::move(plaintext)));
  co_return base::Base64Encode(token);
}

bool HasGrantTokens(const Call& call) {
  return call.Find("GrantTokens") != nullptr ||
         call.Find("GrantToken") != nullptr;
}

asio::awaitable<base::Status> OpenGrantTokens(Call& call) {
  if (const base::Json* const text = call.Find("GrantToken")) {
    const std::string_view token = base::TextOf(*text);
    CO_ASSIGN_OR_RETURN(call.grant, co_await OpenGrantToken(call, token));
  }
  const base::Json* const list = call.Find("GrantTokens");
  if (list == nullptr) {
    co_return base::Status();
  }
  for (const base::Json& item : *list) {
    const std::string_view token = base::TextOf(item);
    CO_ASSIGN_OR_RETURN(GrantPtr grant, co_await OpenGrantToken(call, token));
    call.grants.push_back(std::move(grant));
  }
  co_return base::Status();
}

}  // namespace kms::operations
