// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/signed_request.h"

#include <array>
#include <chrono>
#include <utility>

#include "base/bytes.h"

namespace bench {
namespace {

constexpr std::chrono::seconds kRenewAfter{60};

}  // namespace

SignedRequest::SignedRequest(std::string operation, std::string body)
    : hasher_(std::make_unique<base::Hasher>(nullptr)),
      signer_(*hasher_,
              {kAccessKeyId, base::Secret::CopyOf(kSecretAccessKey), {}},
              kRegion, "kms"),
      target_("TrentService." + std::move(operation)),
      body_(std::move(body)) {}

std::string_view SignedRequest::Bytes() {
  const base::MonotonicTime now = clock_.Monotonic();
  if (bytes_.empty() || now - signed_at_ > kRenewAfter) {
    Sign(clock_.Now());
    signed_at_ = now;
  }
  return bytes_;
}

// The headers are those that boto3 sends.
void SignedRequest::Sign(base::WallTime now) {
  const std::string length = std::to_string(body_.size());
  const std::array<base::HeaderView, 5> headers = {{
      {"Host", "127.0.0.1"},
      {"X-Amz-Target", target_},
      {"Content-Type", "application/x-amz-json-1.1"},
      {"User-Agent", "claviger-bench/1"},
      {"Content-Length", length},
  }};
  bytes_ = "POST / HTTP/1.1\r\n";
  const auto add = [this](std::string_view name, std::string_view value) {
    bytes_.append(name).append(": ").append(value).append("\r\n");
  };
  for (const base::HeaderView& header : headers) {
    add(header.name, header.value);
  }
  const auto added =
      signer_.Sign({.method = "POST",
                    .path = "/",
                    .query = "",
                    .headers = headers,
                    .payload_sha256 = hasher_->Sha256(base::AsBytes(body_))},
                   now);
  for (const base::Header& header : *added) {
    add(header.name, header.value);
  }
  bytes_.append("\r\n").append(body_);
}

}  // namespace bench
