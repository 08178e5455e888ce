// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/signed_request.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace bench {
namespace {

constexpr std::chrono::seconds kRenewAfter{60};

}  // namespace

SignedRequest::SignedRequest(RequestForm form, std::string target,
                             std::string body)
    : form_(std::move(form)),
      hasher_(std::make_unique<base::Hasher>(nullptr)),
      signer_(*hasher_,
              {form_.access_key_id, base::Secret::CopyOf(form_.secret), {}},
              kRegion, form_.service),
      target_(std::move(target)),
      body_(std::move(body)) {}

SignedRequest::SignedRequest(std::string operation, std::string body)
    : SignedRequest(RequestForm(), "TrentService." + std::move(operation),
                    std::move(body)) {}

SignedRequest::SignedRequest(RequestForm form, std::string body)
    : SignedRequest(std::move(form), "", std::move(body)) {}

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
  std::vector<base::HeaderView> headers = {
      {"Host", form_.host},
      {"Content-Type", form_.content_type},
      {"User-Agent", "claviger-bench/1"},
      {"Content-Length", length},
  };
  if (!target_.empty()) {
    headers.push_back({"X-Amz-Target", target_});
  }
  bytes_ = "POST " + form_.path + " HTTP/1.1\r\n";
  const auto add = [this](std::string_view name, std::string_view value) {
    bytes_.append(name).append(": ").append(value).append("\r\n");
  };
  for (const base::HeaderView& header : headers) {
    add(header.name, header.value);
  }
  const auto added =
      signer_.Sign({.method = "POST",
                    .path = form_.path,
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
