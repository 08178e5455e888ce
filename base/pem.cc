// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"

#include <utility>

namespace base {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr std::size_t kLineBytes = 64;

}  // namespace

Result<std::vector<Bytes>> CertificatesInPem(std::string_view text) {
  const Error broken = {ErrorCode::kInvalidArgument, "its PEM is broken"};
  std::vector<Bytes> found;
  for (;;) {
    const std::size_t begin = text.find(kBegin);
    if (begin == std::string_view::npos) {
      return found;
    }
    text.remove_prefix(begin + kBegin.size());
    const std::size_t end = text.find(kEnd);
    if (end == std::string_view::npos) {
      return broken;
    }
    std::string base64(text.substr(0, end));
    std::erase_if(base64, [](char c) {
      return c == '\n' || c == '\r' || c == ' ' || c == '\t';
    });
    Result<Bytes> der = Base64Decode(base64);
    if (!der.has_value() || der->empty()) {
      return broken;
    }
    found.push_back(*std::move(der));
    text.remove_prefix(end + kEnd.size());
  }
}

std::string PemBlock(std::string_view label, ByteView der) {
  const std::string base64 = Base64Encode(der);
  std::string pem("-----BEGIN ");
  pem.append(label).append("-----");
  for (std::size_t at = 0; at < base64.size(); at += kLineBytes) {
    pem.append("\n").append(base64, at, kLineBytes);
  }
  return pem.append("\n-----END ").append(label).append("-----\n");
}

std::string CertificatePem(ByteView der) {
  return PemBlock("CERTIFICATE", der);
}

}  // namespace base
