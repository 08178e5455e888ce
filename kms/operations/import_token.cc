// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/import_token.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "kms/operations/sealed_token.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr TokenKind kKind = {kForImportTokens, "claviger-import-token-1"};

// What is sealed: locator of the pair, wrapping algorithm, expiry.
constexpr std::size_t kPlainSize = 16 + 1 + 8;

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

asio::awaitable<base::Result<Claims>> Unseal(Call& call) {
  const auto opened =
      co_await OpenToken(call.environment, kKind, call.key->row_id,
                         call.Blob("ImportToken")->Reveal(), kPlainSize);
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
  CO_ASSIGN_OR_RETURN(base::Secret plain, PlainOf(pair));
  co_return co_await SealToken(environment, kKind, pair.key_row_id,
                               std::move(plain));
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
