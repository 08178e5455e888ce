// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_ENDPOINT_H_
#define KMS_CLIENT_ENDPOINT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kms::client {

inline constexpr std::string_view kDefaultSocket =
    "/run/claviger/clavigerd.sock";

enum class Transport : std::uint8_t { kUnix, kHttp, kHttps };

// An Endpoint is where a clavigerd listens.
struct Endpoint {
  Transport transport = Transport::kUnix;
  std::string path{kDefaultSocket};  // kUnix only.
  std::string host;                  // A name or an address, no brackets.
  std::uint16_t port = 0;
};

// Reads "/path", "unix:/path", "http://host[:port][/]" or
// "https://host[:port][/]". Fails with kInvalidArgument, saying why: plain http
// is taken for loopback hosts only, since it would show plaintext to the
// network; user names, paths and queries are refused.
base::Result<Endpoint> ParseEndpoint(std::string_view text);

// Whether `host` is "localhost" or an address of 127.0.0.0/8 or ::1.
bool IsLoopbackHost(std::string_view host);

// What to call `endpoint` in messages: "unix:/path" or the URL.
std::string Describe(const Endpoint& endpoint);

// The value of the Host header: the port is left out where it is the default.
std::string HostHeader(const Endpoint& endpoint);

}  // namespace kms::client

#endif  // KMS_CLIENT_ENDPOINT_H_
