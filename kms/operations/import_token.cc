// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/import_token.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kType = "claviger-import-token-1";
constexpr std::uint8_t kVersion = 1;

// What is sealed: locator of the pair, wrapping algorithm, expiry.
constexpr std::size_t kPlainSize = 16 + 1 + 8;
constexpr std::size_t kSealedSize = kPlainSize + hsm::kTagSize;

Error InvalidToken() {
  return {ErrorCode::kInvalidImportToken,
          "The import token is not valid: it was not issued for this key, or "
          "its wrapping key has been replaced by newer ones."};
}

struct Claims {
  hsm::Locator locator;
  std::uint8_t wrapping = 0;
  base::WallTime valid_to{};
};

base::Result<base::Secret> PlainOf(const store::ImportPair& pair) {
  base::Writer writer(kPlainSize);
  const auto time = static_cast<std::uint64_t>(
      pair.valid_to.value_or(base::WallTime()).time_since_epoch().count());
  writer.Raw(pair.ref.locator.bytes)
      .U8(static_cast<std::uint8_t>(
          pair.wrapping.value_or(hsm::WrappingAlgorithm())))
      .U64(time);
  if (!writer.Ok()) {
    return Error{ErrorCode::kInternal, "an import token of the wrong size"};
  }
  return base::Secret::CopyOf(writer.view());
}

base::Result<Claims> ClaimsOf(const base::Secret& plain) {
  base::Reader reader(plain.Reveal());
  Claims claims;
  ASSIGN_OR_RETURN(const base::ByteView locator,
                   reader.Take(claims.locator.bytes.size()));
  std::ranges::copy(locator, claims.locator.bytes.begin());
  ASSIGN_OR_RETURN(claims.wrapping, reader.U8());
  ASSIGN_OR_RETURN(const std::uint64_t time, reader.U64());
  RETURN_IF_ERROR(reader.End());
  claims.valid_to = base::WallTime(
      std::chrono::microseconds(static_cast<std::int64_t>(time)));
  return claims;
}

base::Result<hsm::Sealed> ParseToken(const base::Secret& token) {
  const auto bytes = token.Reveal();
  hsm::Sealed sealed;
  if (bytes.size() != 1 + sealed.nonce.size() + kSealedSize ||
      bytes.front() != kVersion) {
    return InvalidToken();
  }
  const auto nonce = bytes.begin() + 1;
  const auto rest = nonce + static_cast<std::ptrdiff_t>(sealed.nonce.size());
  std::copy(nonce, rest, sealed.nonce.begin());
  sealed.ciphertext.assign(rest, bytes.end());
  return sealed;
}

asio::awaitable<base::Result<Claims>> Unseal(Call& call) {
  Environment& environment = call.environment;
  const base::Secret& token = *call.Blob("ImportToken");
  CO_ASSIGN_OR_RETURN(hsm::Sealed sealed, ParseToken(token));
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForImportTokens));
  const hsm::Aad aad = ServiceAad(environment, kType, call.key->row_id);
  const auto opened =
      co_await OpenUnder(environment, key, aad, std::move(sealed));
  if (!opened && opened.error().code == ErrorCode::kInvalidCiphertext) {
    co_return InvalidToken();
  }
  if (!opened) {
    co_return Error(opened.error());
  }
  auto claims = ClaimsOf(*opened);
  if (!claims) {
    co_return InvalidToken();
  }
  co_return claims;
}

}  // namespace

asio::awaitable<base::Result<base::Bytes>> MakeImportToken(
    Environment& environment, const store::ImportPair& pair) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForImportTokens));
  const hsm::Aad aad = ServiceAad(environment, kType, pair.key_row_id);
  CO_ASSIGN_OR_RETURN(base::Secret plain, PlainOf(pair));
  CO_ASSIGN_OR_RETURN(
      const hsm::Sealed sealed,
      co_await SealUnder(environment, key, aad, std::move(plain)));
  base::Writer token(1 + sealed.nonce.size() + kSealedSize);
  token.U8(kVersion).Raw(sealed.nonce).Raw(sealed.ciphertext);
  if (!token.Ok()) {
    co_return Error{ErrorCode::kInternal, "an import token of the wrong size"};
  }
  const base::ByteView view = token.view();
  co_return base::Bytes(view.begin(), view.end());
}

asio::awaitable<base::Result<store::ImportPair>> OpenImportToken(Call& call) {
  CO_ASSIGN_OR_RETURN(const Claims claims, co_await Unseal(call));
  if (claims.valid_to <= call.now) {
    co_return Error{ErrorCode::kExpiredImportToken,
                    "The import token has expired: get new parameters with "
                    "GetParametersForImport."};
  }
  auto pair = call.environment.store.FindImportPair(claims.locator);
  if (!pair && pair.error().code != ErrorCode::kNotFound) {
    co_return Error(pair.error());
  }
  const bool same =
      pair && pair->key_row_id == call.key->row_id &&
      pair->valid_to == claims.valid_to && pair->wrapping &&
      static_cast<std::uint8_t>(*pair->wrapping) == claims.wrapping;
  if (!same) {
    co_return InvalidToken();
  }
  co_return *std::move(pair);
}

}  // namespace kms::operations
