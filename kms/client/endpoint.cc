// SPDX-License-Identifier: Apache-2.0
#include "kms/client/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

struct Scheme {
  std::string_view prefix;
  Transport transport;
  std::uint16_t port;
};

constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path);

constexpr std::array<Scheme, 2> kSchemes = {{
    {"http://", Transport::kHttp, 80},
    {"https://", Transport::kHttps, 443},
}};

Error Refuse(std::string_view text, std::string_view why) {
  return Error{ErrorCode::kInvalidArgument,
               "endpoint '" + std::string(text) + "': " + std::string(why)};
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

base::Result<std::uint16_t> ParsePort(std::string_view url,
                                      std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || port == 0) {
    return Refuse(url, "the port must be a number from 1 to 65535");
  }
  return port;
}

// `authority` is host, host:port, [v6] or [v6]:port.
base::Result<Endpoint> ParseAuthority(std::string_view url,
                                      std::string_view authority,
                                      const Scheme& scheme) {
  std::string_view host = authority.substr(0, authority.rfind(':'));
  std::string_view rest = authority.substr(host.size());
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) {
      return Refuse(url, "the '[' of the address is not closed");
    }
    host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
    if (!IsIpv6(std::string(host))) {
      return Refuse(url, "what stands in brackets is no IPv6 address");
    }
  } else if (host.empty() || !std::ranges::all_of(host, IsHostCharacter)) {
    return Refuse(url, "that is no host name");
  }
  Endpoint endpoint{scheme.transport, "", std::string(host), scheme.port};
  if (!rest.empty()) {
    if (rest.front() != ':') {
      return Refuse(url, "only a port may follow the address");
    }
    ASSIGN_OR_RETURN(endpoint.port, ParsePort(url, rest.substr(1)));
  }
  return endpoint;
}

}  // namespace

bool IsLoopbackHost(std::string_view host) {
  const std::string name(host);
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, name.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  if (inet_pton(AF_INET6, name.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6);
  }
  return host == "localhost";
}

base::Result<Endpoint> ParseEndpoint(std::string_view text) {
  if (text.starts_with("unix:") || text.starts_with('/')) {
    const std::string_view path =
        text.substr(text.starts_with('/') ? 0 : sizeof("unix:") - 1);
    if (!path.starts_with('/')) {
      return Refuse(text, "the path of a socket must be absolute");
    }
    if (path.size() >= kMaxSocketPath) {
      return Refuse(text, "the path is longer than a socket's may be (" +
                              std::to_string(kMaxSocketPath - 1) + " bytes)");
    }
    return Endpoint{Transport::kUnix, std::string(path), "", 0};
  }
  const auto* const scheme =
      std::ranges::find_if(kSchemes, [&](const Scheme& candidate) {
        return text.starts_with(candidate.prefix);
      });
  if (scheme == kSchemes.end()) {
    return Refuse(text, "give /path/of.sock, https://host or http://localhost");
  }
  std::string_view authority = text.substr(scheme->prefix.size());
  if (authority.ends_with('/')) {
    authority.remove_suffix(1);
  }
  if (authority.find('/') != std::string_view::npos) {
    return Refuse(text, "a path cannot follow the host");
  }
  ASSIGN_OR_RETURN(Endpoint endpoint, ParseAuthority(text, authority, *scheme));
  if (endpoint.transport == Transport::kHttp &&
      !IsLoopbackHost(endpoint.host)) {
    return Refuse(text,
                  "plain http would show plaintext to the network and is "
                  "taken for localhost only; use https");
  }
  return endpoint;
}

std::string HostHeader(const Endpoint& endpoint) {
  if (endpoint.transport == Transport::kUnix) {
    return "localhost";
  }
  std::string host =
      IsIpv6(endpoint.host) ? "[" + endpoint.host + "]" : endpoint.host;
  const bool is_default =
      std::ranges::any_of(kSchemes, [&](const Scheme& scheme) {
        return scheme.transport == endpoint.transport &&
               scheme.port == endpoint.port;
      });
  return is_default ? host : host + ":" + std::to_string(endpoint.port);
}

std::string Describe(const Endpoint& endpoint) {
  if (endpoint.transport == Transport::kUnix) {
    return "unix:" + endpoint.path;
  }
  return (endpoint.transport == Transport::kHttp ? "http://" : "https://") +
         HostHeader(endpoint);
}

}  // namespace kms::client
