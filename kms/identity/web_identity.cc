// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/web_identity.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/json.h"
#include "kms/identity/jws.h"

namespace kms::identity {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::WallTime;
using std::chrono::seconds;

constexpr std::string_view kScheme = "https://";
// Of an issuer and an audience: AWS IAM API Reference,
// CreateOpenIDConnectProvider. Of a subject: OpenID Connect Core, section 2.
constexpr std::size_t kMostCharacters = 255;
// How far the provider's clock may be ahead of ours.
constexpr std::chrono::minutes kSkew{5};

Error Bad(std::string reason) {
  return {ErrorCode::kInvalidArgument, std::move(reason)};
}

Error Invalid(std::string reason) {
  return {ErrorCode::kInvalidIdentityToken, std::move(reason)};
}

Error Missing(std::string_view claim) {
  return Invalid("Missing a required claim: " + std::string(claim));
}

Error Malformed(std::string_view claim) {
  return Invalid("The token's claim is malformed: " + std::string(claim));
}

const Json* Find(const Json& claims, std::string_view name) {
  const auto found = claims.find(base::WipingString(name));
  return found == claims.end() ? nullptr : &*found;
}

base::Result<Json> ParseClaims(const Jws& jws) {
  auto claims = base::ParseJson(jws.payload);
  if (!claims || !claims->is_object()) {
    return Invalid("The ID Token provided is not a valid JWT");
  }
  return claims;
}

// A claim of 1 to 255 bytes; empty if it is absent.
base::Result<std::string> Text(const Json& claims, std::string_view name) {
  const Json* const claim = Find(claims, name);
  if (claim == nullptr) {
    return std::string();
  }
  if (!claim->is_string()) {
    return Malformed(name);
  }
  const std::string_view text = base::TextOf(*claim);
  if (text.empty() || text.size() > kMostCharacters) {
    return Malformed(name);
  }
  return std::string(text);
}

base::Result<std::string> RequiredText(const Json& claims,
                                       std::string_view name) {
  ASSIGN_OR_RETURN(std::string text, Text(claims, name));
  return text.empty() ? base::Result<std::string>(Missing(name))
                      : base::Result<std::string>(std::move(text));
}

// A NumericDate (RFC 7519 section 2): seconds since 1970, perhaps with a
// fraction, which is dropped. Those after the year 9999 are refused.
base::Result<std::optional<WallTime>> Date(const Json& claims,
                                           std::string_view name) {
  constexpr double kMost = 253402300799;
  const Json* const claim = Find(claims, name);
  if (claim == nullptr) {
    return std::optional<WallTime>();
  }
  if (!claim->is_number()) {
    return Malformed(name);
  }
  const auto value = claim->get<double>();
  if (!(value >= 0 && value <= kMost)) {
    return Malformed(name);
  }
  return std::optional<WallTime>(
      WallTime(seconds(static_cast<std::int64_t>(value))));
}

base::Status RefuseFuture(const Json& claims, std::string_view name,
                          WallTime now) {
  ASSIGN_OR_RETURN(const std::optional<WallTime> date, Date(claims, name));
  if (date && *date > now + kSkew) {
    return Invalid("The token is not valid yet: its claim " +
                   std::string(name) + " is in the future");
  }
  return {};
}

std::string Seconds(WallTime time) {
  return std::to_string(
      std::chrono::floor<seconds>(time).time_since_epoch().count());
}

// The text is AWS's.
base::Result<WallTime> Expiration(const Json& claims, WallTime now) {
  ASSIGN_OR_RETURN(const std::optional<WallTime> date, Date(claims, "exp"));
  if (!date) {
    return Missing("exp");
  }
  if (*date <= now) {
    return Error{ErrorCode::kExpiredIdentityToken,
                 "Token expired: current date/time " + Seconds(now) +
                     " must be before the expiration date/time " +
                     Seconds(*date)};
  }
  return *date;
}

// RFC 7519 section 4.1.3: one text or a list of them. Sets the audience. Where
// the token names whom it was issued to (OpenID Connect Core 1.0, section 2:
// azp), that one counts, as with AWS, and the token's "aud" is the other.
base::Status ReadAudience(const Json& claims,
                          std::span<const std::string> accepted,
                          WebIdentity& identity) {
  const auto is_accepted = [accepted](std::string_view text) {
    return std::ranges::find(accepted, text) != accepted.end();
  };
  const Json* const claim = Find(claims, "aud");
  if (claim == nullptr) {
    return Missing("aud");
  }
  const Json list = claim->is_array() ? *claim : Json::array({*claim});
  std::string found;
  for (const Json& audience : list) {
    if (!audience.is_string()) {
      return Malformed("aud");
    }
    const std::string_view text = base::TextOf(audience);
    if (found.empty() && is_accepted(text)) {
      found = text;
    }
  }
  ASSIGN_OR_RETURN(identity.authorized_party, Text(claims, "azp"));
  if (!identity.authorized_party.empty()) {
    identity.other_audience = std::move(found);
    found = is_accepted(identity.authorized_party) ? identity.authorized_party
                                                   : std::string();
  }
  if (found.empty()) {
    return Invalid("Incorrect token audience");
  }
  identity.audience = std::move(found);
  return {};
}

Error NoProvider(std::string_view issuer) {
  return Invalid("No OpenIDConnect provider found in your account for " +
                 std::string(issuer));
}

bool IsAccount(std::string_view text) {
  return text.size() == 12 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

constexpr std::string_view kHostCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";

bool IsAuthority(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(std::min(colon + 1, text.size()));
  return !host.empty() &&
         host.find_first_not_of(kHostCharacters) == std::string_view::npos &&
         port.empty() == (colon == text.size()) && port.size() <= 5 &&
         port.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

// No characters that mean something in ARNs and policies, "*" and "$".
bool IsIssuer(std::string_view text) {
  if (!text.starts_with(kScheme) || text.size() > kMostCharacters) {
    return false;
  }
  text.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view path = text.substr(slash);
  return IsAuthority(text.substr(0, slash)) &&
         std::ranges::all_of(path, [](char c) {
           return kHostCharacters.find(c) != std::string_view::npos ||
                  std::string_view("_~/%").find(c) != std::string_view::npos;
         });
}

bool IsAudience(std::string_view text) {
  return !text.empty() && text.size() <= kMostCharacters;
}

base::Result<IdentityProvider> IdentityProvider::Parse(
    ProviderSettings settings) {
  if (!IsIssuer(settings.issuer)) {
    return Bad("'" + settings.issuer +
               "' is not an issuer, such as https://token.example.com, without "
               "query and fragment");
  }
  if (settings.audiences.empty() ||
      !std::ranges::all_of(settings.audiences, IsAudience)) {
    return Bad("audiences of 1 to 255 characters are needed, at least one");
  }
  if (settings.accounts.empty() ||
      !std::ranges::all_of(settings.accounts, IsAccount)) {
    return Bad("accounts of 12 digits are needed, at least one");
  }
  ASSIGN_OR_RETURN(auto keys, ParseKeySet(settings.key_set));
  return IdentityProvider(std::move(settings), std::move(keys));
}

bool IdentityProvider::IsTrustedBy(std::string_view account) const {
  return std::ranges::find(accounts_, account) != accounts_.end();
}

base::Result<WebIdentity> IdentityProvider::Verify(std::string_view token,
                                                   WallTime now) const {
  ASSIGN_OR_RETURN(const Jws jws, ParseJws(token));
  const auto key = std::ranges::find(keys_, jws.key_id, &VerificationKey::id);
  if (key == keys_.end()) {
    return Invalid(
        "Couldn't verify the token's signature: the provider's key set has no "
        "key of its \"kid\"");
  }
  RETURN_IF_ERROR(key->Verify(jws.algorithm, jws.signed_text, jws.signature));
  // From here on it is the provider who speaks.
  ASSIGN_OR_RETURN(const Json claims, ParseClaims(jws));
  WebIdentity identity;
  ASSIGN_OR_RETURN(identity.issuer, RequiredText(claims, "iss"));
  if (identity.issuer != issuer_) {
    return NoProvider(identity.issuer);
  }
  RETURN_IF_ERROR(ReadAudience(claims, audiences_, identity));
  ASSIGN_OR_RETURN(identity.subject, RequiredText(claims, "sub"));
  RETURN_IF_ERROR(RefuseFuture(claims, "nbf", now));
  RETURN_IF_ERROR(RefuseFuture(claims, "iat", now));
  ASSIGN_OR_RETURN(identity.expiration, Expiration(claims, now));
  return identity;
}

std::string_view IdentityProvider::ContextPrefix() const {
  return std::string_view(issuer_).substr(kScheme.size());
}

std::string IdentityProvider::ProviderArn(std::string_view account) const {
  return std::string("arn:aws:iam::")
      .append(account)
      .append(":oidc-provider/")
      .append(ContextPrefix());
}

base::Result<const IdentityProvider*> FindProvider(
    std::span<const IdentityProvider> providers, std::string_view account,
    std::string_view token) {
  ASSIGN_OR_RETURN(const Jws jws, ParseJws(token));
  ASSIGN_OR_RETURN(const Json claims, ParseClaims(jws));
  ASSIGN_OR_RETURN(const std::string issuer, RequiredText(claims, "iss"));
  for (const IdentityProvider& provider : providers) {
    if (provider.issuer() == issuer && provider.IsTrustedBy(account)) {
      return &provider;
    }
  }
  return NoProvider(issuer);
}

}  // namespace kms::identity
