// SPDX-License-Identifier: Apache-2.0
// Everything of a request that is read before its signature is known to be
// good. An input is the Authorization header, x-amz-date, the path, the query
// and then names and values of further headers, separated by NUL.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/sigv4_canonical.h"
#include "base/sigv4_time.h"
#include "base/sigv4_verifier.h"

namespace {

using base::HeaderView;
using base::SigV4Authorization;
using base::SigV4Request;

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

// What is accepted says the same when it is written in the one usual form.
void CheckReading(std::string_view header) {
  const auto first = base::ParseAuthorization(header);
  if (!first.has_value()) {
    Require(!first.error().message.empty());
    return;
  }
  const std::string usual =
      "AWS4-HMAC-SHA256 Credential=" + std::string(first->credential) +
      ", SignedHeaders=" + std::string(first->signed_headers) +
      ", Signature=" + std::string(first->signature);
  const auto second = base::ParseAuthorization(usual);
  Require(second.has_value());
  Require(second->access_key_id == first->access_key_id);
  Require(second->scope == first->scope);
  Require(second->signed_headers == first->signed_headers);
  Require(first->scope == std::string(first->date) + "/" +
                              std::string(first->region) + "/" +
                              std::string(first->service) + "/aws4_request");
}

void CheckDate(std::string_view text) {
  const auto time = base::ParseAmzDate(text);
  if (time.has_value()) {
    Require(base::FormatAmzDate(*time).text() == text);
  }
}

// Canonical forms stay what they are when made canonical again.
void CheckQuery(std::string_view query) {
  std::string once;
  if (!base::AppendCanonicalQuery(query, once).has_value()) {
    return;
  }
  std::string twice;
  Require(base::AppendCanonicalQuery(once, twice).has_value());
  Require(once == twice);
}

// No part of a request can pose as another: the canonical request has one line
// for each part.
void CheckRequest(const SigV4Request& request, std::string_view names) {
  std::string canonical;
  if (!base::AppendCanonicalRequest(request, names, canonical).has_value()) {
    return;
  }
  const auto lines = std::ranges::count(canonical, '\n');
  const auto headers = std::ranges::count(names, ';') + 1;
  Require(lines == 5 + headers);
}

void CheckVerifier(const SigV4Request& request) {
  static base::SigV4Verifier verifier(base::ThreadHasher());
  static const base::Secret secret = base::Secret::CopyOf("secret");
  constexpr std::array<std::string_view, 1> kServices = {"kms"};
  constexpr base::WallTime kNow =
      std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) +
      std::chrono::hours(12) + std::chrono::minutes(36);
  const auto claim = base::ReadAuthorization(request, kServices, kNow);
  if (claim.has_value()) {
    CheckRequest(request, claim->signed_headers);
    // Nobody guesses an HMAC.
    Require(!verifier.Check(request, *claim, secret).has_value());
  }
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  std::string_view rest = base::AsText({data, size});
  const std::string_view authorization = base::CutAt(rest, '\0');
  const std::string_view date = base::CutAt(rest, '\0');
  const std::string_view path = base::CutAt(rest, '\0');
  const std::string_view query = base::CutAt(rest, '\0');
  std::vector<HeaderView> headers = {{"Authorization", authorization},
                                     {"X-Amz-Date", date}};
  while (!rest.empty()) {
    const std::string_view name = base::CutAt(rest, '\0');
    headers.push_back({name, base::CutAt(rest, '\0')});
  }
  CheckReading(authorization);
  CheckDate(date);
  CheckQuery(query);
  CheckVerifier({"POST", path, query, headers, base::Digest{}});
  return 0;
}
