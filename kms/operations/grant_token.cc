// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/grant_token.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/buffer.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kType = "claviger-grant-token-1";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kIdSize = 32;
constexpr std::size_t kSealedSize = kIdSize + hsm::kTagSize;

Error InvalidToken() {
  return {ErrorCode::kInvalidGrantToken,
          "The grant token is not valid: it was not issued by this server, or "
          "its grant has been retired or revoked."};
}

base::Result<hsm::Sealed> ParseToken(std::string_view text) {
  const auto bytes = base::Base64Decode(text);
  if (!bytes) {
    return InvalidToken();
  }
  hsm::Sealed sealed;
  if (bytes->size() != 1 + sealed.nonce.size() + kSealedSize ||
      bytes->front() != kVersion) {
    return InvalidToken();
  }
  const auto nonce = bytes->begin() + 1;
  const auto rest = nonce + static_cast<std::ptrdiff_t>(sealed.nonce.size());
  std::copy(nonce, rest, sealed.nonce.begin());
  sealed.ciphertext.assign(rest, bytes->end());
  return sealed;
}

asio::awaitable<base::Result<GrantPtr>> OpenGrantToken(Call& call,
                                                       std::string_view text) {
  Environment& environment = call.environment;
  CO_ASSIGN_OR_RETURN(hsm::Sealed sealed, ParseToken(text));
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForGrantTokens));
  const hsm::Aad aad = ServiceAad(environment, kType, "");
  const auto opened =
      co_await OpenUnder(environment, key, aad, std::move(sealed));
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
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForGrantTokens));
  const hsm::Aad aad = ServiceAad(environment, kType, "");
  base::Secret plaintext = base::Secret::CopyOf(id);
  CO_ASSIGN_OR_RETURN(
      const hsm::Sealed sealed,
      co_await SealUnder(environment, key, aad, std::move(plaintext)));
  base::Writer token(1 + sealed.nonce.size() + kSealedSize);
  token.U8(kVersion).Raw(sealed.nonce).Raw(sealed.ciphertext);
  if (!token.Ok()) {
    co_return Error{ErrorCode::kInternal, "a grant token of the wrong size"};
  }
  co_return base::Base64Encode(token.view());
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
