// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4_signer.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/sigv4_canonical.h"
#include "base/sigv4_key.h"
#include "base/sigv4_time.h"

namespace base {
namespace {

constexpr std::array<std::string_view, 3> kOurs = {
    "authorization", "x-amz-date", "x-amz-security-token"};

constexpr std::array<std::string_view, 5> kNeverSigned = {
    "connection", "expect", "transfer-encoding", "user-agent",
    "x-amzn-trace-id"};

std::string Lower(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return lower;
}

Status CheckNotOurs(std::span<const HeaderView> headers) {
  for (const HeaderView& header : headers) {
    if (std::ranges::find(kOurs, Lower(header.name)) != kOurs.end()) {
      return Error{ErrorCode::kInvalidArgument,
                   "the signer itself adds the header " + Lower(header.name)};
    }
  }
  return {};
}

// The value of SignedHeaders for `headers`.
Result<std::string> SignedHeaders(std::span<const HeaderView> headers) {
  std::set<std::string> names;
  for (const HeaderView& header : headers) {
    names.insert(Lower(header.name));
  }
  if (!names.contains("host")) {
    return Error{ErrorCode::kInvalidArgument,
                 "a request needs a host header before it can be signed"};
  }
  std::string list;
  for (const std::string& name : names) {
    if (std::ranges::find(kNeverSigned, name) == kNeverSigned.end()) {
      list.append(list.empty() ? "" : ";").append(name);
    }
  }
  return list;
}

}  // namespace

SigV4Signer::SigV4Signer(Hasher& hasher, SigV4Credentials credentials,
                         std::string region, std::string service)
    : hasher_(hasher),
      credentials_(std::move(credentials)),
      region_(std::move(region)),
      service_(std::move(service)) {}

Result<std::vector<Header>> SigV4Signer::Sign(const SigV4Request& request,
                                              WallTime now) {
  RETURN_IF_ERROR(CheckNotOurs(request.headers));
  const AmzDate time = FormatAmzDate(now);
  std::vector<Header> added = {{"x-amz-date", std::string(time.text())}};
  if (!credentials_.session_token.empty()) {
    added.push_back({"x-amz-security-token", credentials_.session_token});
  }
  std::vector<HeaderView> headers(request.headers.begin(),
                                  request.headers.end());
  for (const Header& header : added) {
    headers.push_back({header.name, header.value});
  }
  SigV4Request whole = request;
  whole.headers = headers;
  ASSIGN_OR_RETURN(const std::string signed_headers, SignedHeaders(headers));
  std::string canonical;
  RETURN_IF_ERROR(AppendCanonicalRequest(whole, signed_headers, canonical));

  const std::string scope = std::string(time.date()) + "/" + region_ + "/" +
                            service_ + "/aws4_request";
  std::string to_sign;
  AppendStringToSign(time.text(), scope, hasher_.Sha256(AsBytes(canonical)),
                     to_sign);
  const Digest signature =
      hasher_.HmacSha256(KeyFor(scope).Reveal(), AsBytes(to_sign));
  added.push_back({"authorization",
                   "AWS4-HMAC-SHA256 Credential=" + credentials_.access_key_id +
                       "/" + scope + ", SignedHeaders=" + signed_headers +
                       ", Signature=" + HexEncode(signature)});
  return added;
}

const Secret& SigV4Signer::KeyFor(const std::string& scope) {
  if (scope != key_scope_) {
    key_ = DeriveSigningKey(credentials_.secret_access_key, scope, hasher_);
    key_scope_ = scope;
  }
  return key_;
}

}  // namespace base
