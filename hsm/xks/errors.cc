// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/errors.h"

#include <curl/curl.h>

#include <algorithm>

namespace hsm::xks {
namespace {

constexpr std::size_t kLongestMessage = 512;

struct CurlRow {
  int code;
  XksOutcome outcome;
};

constexpr std::array kCurlErrors = {
    CurlRow{CURLE_COULDNT_RESOLVE_HOST, XksOutcome::kNotReachable},
    CurlRow{CURLE_COULDNT_CONNECT, XksOutcome::kNotReachable},
    CurlRow{CURLE_GOT_NOTHING, XksOutcome::kNotReachable},
    CurlRow{CURLE_SEND_ERROR, XksOutcome::kNotReachable},
    CurlRow{CURLE_RECV_ERROR, XksOutcome::kNotReachable},
    CurlRow{CURLE_PARTIAL_FILE, XksOutcome::kNotReachable},
    CurlRow{CURLE_SSL_CONNECT_ERROR, XksOutcome::kTls},
    CurlRow{CURLE_OBSOLETE51, XksOutcome::kTls},
    CurlRow{CURLE_SSL_CERTPROBLEM, XksOutcome::kTls},
    CurlRow{CURLE_SSL_CIPHER, XksOutcome::kTls},
    CurlRow{CURLE_PEER_FAILED_VERIFICATION, XksOutcome::kTls},
    CurlRow{CURLE_SSL_CACERT_BADFILE, XksOutcome::kTls},
    CurlRow{CURLE_SSL_CLIENTCERT, XksOutcome::kTls},
    CurlRow{CURLE_UNSUPPORTED_PROTOCOL, XksOutcome::kMalformed},
    CurlRow{CURLE_WEIRD_SERVER_REPLY, XksOutcome::kMalformed},
    CurlRow{CURLE_WRITE_ERROR, XksOutcome::kMalformed},
    CurlRow{CURLE_BAD_CONTENT_ENCODING, XksOutcome::kMalformed},
};

}  // namespace

std::optional<XksOutcome> OutcomeOf(std::string_view name, long status) {
  const auto* const row = std::ranges::find(kErrors, name, &ErrorRow::name);
  if (row == kErrors.end() || row->status != status) {
    return std::nullopt;
  }
  return row->outcome;
}

std::string Printable(std::string_view text) {
  std::string printable(text.substr(0, kLongestMessage));
  std::ranges::replace_if(
      printable, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return printable;
}

XksOutcome OutcomeOfCurl(int code, bool connected, std::string_view message) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return connected ? XksOutcome::kTimedOut : XksOutcome::kNotReachable;
  }
  // With TLS 1.3 a proxy refuses our certificate when the handshake is over
  // for us: the alert comes where the reply should.
  if (code == CURLE_RECV_ERROR && message.find(" alert ") != message.npos) {
    return XksOutcome::kTls;
  }
  const auto* const row = std::ranges::find(kCurlErrors, code, &CurlRow::code);
  return row != kCurlErrors.end() ? row->outcome : XksOutcome::kNotReachable;
}

}  // namespace hsm::xks
