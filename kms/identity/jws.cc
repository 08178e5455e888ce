// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/jws.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "kms/identity/base64url.h"

namespace kms::identity {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

// AWS STS API Reference, AssumeRoleWithWebIdentity, WebIdentityToken.
constexpr std::size_t kMostCharacters = 20000;

Error Invalid(std::string reason) {
  return {ErrorCode::kInvalidIdentityToken, std::move(reason)};
}

Error NotAToken() {
  return Invalid("The ID Token provided is not a valid JWT");
}

base::Result<std::string> HeaderText(const Json& header, const char* name) {
  const auto found = header.find(base::WipingString(name));
  if (found == header.end() || !found->is_string()) {
    return Invalid(std::string("The token's header has no \"") + name + "\"");
  }
  return std::string(base::TextOf(*found));
}

}  // namespace

base::Result<Jws> ParseJws(std::string_view token) {
  if (token.size() > kMostCharacters) {
    return Invalid("The token is longer than " +
                   std::to_string(kMostCharacters) + " characters");
  }
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  // A dot between the two is no base64url.
  if (first == std::string_view::npos || first == last) {
    return NotAToken();
  }
  const auto header_text = Base64UrlDecode(token.substr(0, first));
  const auto payload =
      Base64UrlDecode(token.substr(first + 1, last - first - 1));
  auto signature = Base64UrlDecode(token.substr(last + 1));
  if (!header_text || !payload || !signature) {
    return NotAToken();
  }
  const auto header = base::ParseJson(base::AsText(*header_text));
  if (!header || !header->is_object()) {
    return NotAToken();
  }
  if (header->contains("crit")) {
    return Invalid("The token's header has \"crit\", which is not supported");
  }
  Jws jws;
  ASSIGN_OR_RETURN(jws.algorithm, HeaderText(*header, "alg"));
  ASSIGN_OR_RETURN(jws.key_id, HeaderText(*header, "kid"));
  jws.payload = base::AsText(*payload);
  jws.signed_text = token.substr(0, last);
  jws.signature = *std::move(signature);
  return jws;
}

}  // namespace kms::identity
