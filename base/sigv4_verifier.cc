// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4_verifier.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/sigv4_canonical.h"
#include "base/sigv4_time.h"

namespace base {
namespace {

Error Incomplete(std::string message) {
  return {ErrorCode::kIncompleteSignature, std::move(message)};
}

Error Invalid(std::string message) {
  return {ErrorCode::kInvalidSignature, std::move(message)};
}

Error Mismatch() {
  return Invalid(
      "The request signature we calculated does not match the signature you "
      "provided. Check your AWS Secret Access Key and signing method. Consult "
      "the service documentation for details.");
}

// The headers that the verifier itself reads. Each may occur once: of two, we
// might check one while somebody behind us believes the other.
struct OwnHeaders {
  std::optional<std::string_view> authorization;
  std::optional<std::string_view> amz_date;
  std::optional<std::string_view> date;
  std::optional<std::string_view> content_sha256;
  std::optional<std::string_view> host;
  std::optional<std::string_view> authority;
  std::optional<std::string_view> security_token;
};

struct OwnHeader {
  std::string_view name;
  std::optional<std::string_view> OwnHeaders::*field;
};

constexpr std::array<OwnHeader, 7> kOwnHeaders = {{
    {"authorization", &OwnHeaders::authorization},
    {"x-amz-date", &OwnHeaders::amz_date},
    {"date", &OwnHeaders::date},
    {"x-amz-content-sha256", &OwnHeaders::content_sha256},
    {"host", &OwnHeaders::host},
    {":authority", &OwnHeaders::authority},
    {"x-amz-security-token", &OwnHeaders::security_token},
}};

Result<OwnHeaders> FindOwnHeaders(std::span<const HeaderView> headers) {
  OwnHeaders own;
  for (const HeaderView& header : headers) {
    const auto* const known =
        std::find_if(kOwnHeaders.begin(), kOwnHeaders.end(),
                     [&](const OwnHeader& candidate) {
                       return IsHeader(header.name, candidate.name);
                     });
    if (known == kOwnHeaders.end()) {
      continue;
    }
    if ((own.*known->field).has_value()) {
      return Incomplete("The request has more than one '" +
                        std::string(known->name) + "' header.");
    }
    own.*known->field = header.value;
  }
  return own;
}

std::string Text(std::chrono::sys_seconds time) {
  return std::string(FormatAmzDate(time).text());
}

Status CheckSkew(std::chrono::sys_seconds signed_at, WallTime now) {
  // Requests are dated in whole seconds, so the limits are too.
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const auto earliest = second - kMaxSigV4Skew;
  const auto latest = second + kMaxSigV4Skew;
  if (signed_at < earliest) {
    return Invalid("Signature expired: " + Text(signed_at) +
                   " is now earlier than " + Text(earliest) + " (" +
                   Text(second) + " - 5 min.)");
  }
  if (signed_at > latest) {
    return Invalid("Signature not yet current: " + Text(signed_at) +
                   " is still later than " + Text(latest) + " (" +
                   Text(second) + " + 5 min.)");
  }
  return {};
}

Status CheckScope(const SigV4Authorization& claim,
                  std::span<const std::string_view> services) {
  const std::string_view today = claim.timestamp.substr(0, 8);
  if (claim.date != today) {
    return Invalid(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
        "version of date from HTTP: '" +
        std::string(claim.date) + "' != '" + std::string(today) + "', from '" +
        std::string(claim.timestamp) + "'.");
  }
  if (std::ranges::find(services, claim.service) == services.end()) {
    return Invalid("Credential should be scoped to correct service: '" +
                   std::string(services.front()) + "'. ");
  }
  return {};
}

// AWS's headers, and ours.
struct SignedPrefix {
  std::string_view prefix;
  const char* complaint;
};
constexpr std::array kMustBeSigned = {
    SignedPrefix{"x-amz-",
                 "Every X-Amz-* header must be a 'SignedHeader' in the AWS "
                 "Authorization."},
    SignedPrefix{"x-claviger-",
                 "Every X-Claviger-* header must be a 'SignedHeader' in the "
                 "AWS Authorization."},
};

// Whether `list` names the header `name`, which is in any case.
bool IsSignedInAnyCase(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    if (IsHeader(name, CutAt(list, ';'))) {
      return true;
    }
  }
  return false;
}

// What is not signed can be changed on the way; so whatever has a meaning to us
// has to be.
Status CheckCoverage(const SigV4Authorization& claim, const OwnHeaders& own,
                     std::span<const HeaderView> headers) {
  if (!IsSigned(claim.signed_headers, "host") &&
      !IsSigned(claim.signed_headers, ":authority")) {
    return Invalid(
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS "
        "Authorization.");
  }
  if (!own.amz_date.has_value() && !IsSigned(claim.signed_headers, "date")) {
    return Invalid("'Date' must be a 'SignedHeader' in the AWS Authorization.");
  }
  for (const HeaderView& header : headers) {
    for (const auto& [prefix, complaint] : kMustBeSigned) {
      if (IsHeader(header.name.substr(0, prefix.size()), prefix) &&
          !IsSignedInAnyCase(claim.signed_headers, header.name)) {
        return Invalid(complaint);
      }
    }
  }
  return {};
}

Status CheckContentHash(std::string_view claimed, const Digest& payload) {
  if (claimed != HexEncode(payload)) {
    return Invalid(
        "The X-Amz-Content-SHA256 header is not the SHA-256 of the request "
        "body, in lower-case hexadecimal. Unsigned and streamed payloads are "
        "not accepted.");
  }
  return {};
}

}  // namespace

Result<SigV4Authorization> ReadAuthorization(
    const SigV4Request& request, std::span<const std::string_view> services,
    WallTime now) {
  ASSIGN_OR_RETURN(const OwnHeaders own, FindOwnHeaders(request.headers));
  if (!own.authorization.has_value()) {
    return Error{ErrorCode::kMissingAuthentication,
                 "Request is missing Authentication Token"};
  }
  ASSIGN_OR_RETURN(SigV4Authorization claim,
                   ParseAuthorization(*own.authorization));
  const auto& date = own.amz_date.has_value() ? own.amz_date : own.date;
  if (!date.has_value()) {
    return Incomplete(
        "Authorization header requires existence of either a 'X-Amz-Date' or a "
        "'Date' header. Authorization=AWS4-HMAC-SHA256");
  }
  claim.timestamp = *date;
  ASSIGN_OR_RETURN(const auto signed_at, ParseAmzDate(claim.timestamp));
  RETURN_IF_ERROR(CheckSkew(signed_at, now));
  RETURN_IF_ERROR(CheckScope(claim, services));
  RETURN_IF_ERROR(CheckCoverage(claim, own, request.headers));
  if (own.content_sha256.has_value()) {
    RETURN_IF_ERROR(
        CheckContentHash(*own.content_sha256, request.payload_sha256));
  }
  return claim;
}

Status SigV4Verifier::Check(const SigV4Request& request,
                            const SigV4Authorization& authorization,
                            const Secret& secret, std::uint64_t generation) {
  text_.clear();
  RETURN_IF_ERROR(
      AppendCanonicalRequest(request, authorization.signed_headers, text_));
  const Digest canonical = hasher_.Sha256(AsBytes(text_));
  text_.clear();
  AppendStringToSign(authorization.timestamp, authorization.scope, canonical,
                     text_);

  const Secret* key = keys_.Find(authorization.credential, generation);
  std::optional<Secret> derived;
  if (key == nullptr) {
    derived = DeriveSigningKey(secret, authorization.scope, hasher_);
    key = &*derived;
  }
  const Digest mac = hasher_.HmacSha256(key->Reveal(), AsBytes(text_));
  text_.clear();
  HexAppend(mac, text_);
  if (!ConstantTimeEqual(AsBytes(text_), AsBytes(authorization.signature))) {
    return Mismatch();
  }
  // Only now: a stranger who knows an access key id must not fill the cache.
  if (derived.has_value()) {
    keys_.Put(authorization.credential, generation, *std::move(derived));
  }
  return {};
}

}  // namespace base
