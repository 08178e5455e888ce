// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace hsm::xks {
namespace {

using base::Error;
using base::ErrorCode;

// What is not of the public Internet: IANA's registries of special-purpose
// addresses (RFC 6890 and its successors), multicast, and what embeds an IPv4
// address that a gateway would go on to.
constexpr std::array<std::string_view, 31> kForbidden = {
    "0.0.0.0/8",        // This network, and the unspecified address.
    "10.0.0.0/8",       // Private.
    "100.64.0.0/10",    // Shared by carriers.
    "127.0.0.0/8",      // Loopback.
    "169.254.0.0/16",   // Link-local, and clouds' metadata.
    "172.16.0.0/12",    // Private.
    "192.0.0.0/24",     // Protocol assignments.
    "192.0.2.0/24",     // Documentation.
    "192.88.99.0/24",   // Relays of 6to4.
    "192.168.0.0/16",   // Private.
    "198.18.0.0/15",    // Benchmarks.
    "198.51.100.0/24",  // Documentation.
    "203.0.113.0/24",   // Documentation.
    "224.0.0.0/4",      // Multicast.
    "240.0.0.0/4",      // Reserved, and broadcast.
    "::/96",            // Unspecified, loopback, IPv4-compatible.
    "::ffff:0:0:0/96",  // IPv4-translated.
    "64:ff9b::/96",     // NAT64.
    "64:ff9b:1::/48",   // Local NAT64.
    "100::/64",         // Discard.
    "2001::/23",        // Protocol assignments, and Teredo.
    "2001:db8::/32",    // Documentation.
    "2002::/16",        // 6to4.
    "3fff::/20",        // Documentation.
    "4000::/2",         // Not of the public Internet, as all that follow.
    "5f00::/16",        // Segment routing.
    "8000::/1",         // Likewise.
    "fc00::/7",         // Unique local.
    "fe80::/10",        // Link-local.
    "fec0::/10",        // Site-local, of old.
    "ff00::/8",         // Multicast.
};

constexpr int kMappedPrefix = 96;

Address Mapped(const in_addr& v4) {
  Address address{};
  address[10] = 0xff;
  address[11] = 0xff;
  std::memcpy(&address[12], &v4, sizeof(v4));
  return address;
}

template <typename Integer>
bool ParseWhole(std::string_view text, Integer& out) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return lower;
}

std::vector<Network> ForbiddenNetworks() {
  std::vector<Network> networks;
  networks.reserve(kForbidden.size());
  for (const std::string_view text : kForbidden) {
    networks.push_back(ParseNetwork(text).value());
  }
  return networks;
}

}  // namespace

std::optional<Address> ParseAddress(std::string_view text) {
  const std::string terminated(text);
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4) == 1) {
    return Mapped(v4);
  }
  Address address{};
  if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) {
    return address;
  }
  return std::nullopt;
}

std::optional<Address> AddressOf(const sockaddr& socket_address) {
  if (socket_address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &socket_address, sizeof(v4));
    return Mapped(v4.sin_addr);
  }
  if (socket_address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &socket_address, sizeof(v6));
    Address address{};
    std::memcpy(address.data(), &v6.sin6_addr, address.size());
    return address;
  }
  return std::nullopt;
}

bool Network::Contains(const Address& other) const {
  const auto whole = static_cast<std::size_t>(prefix / 8);
  if (!std::equal(address.begin(), address.begin() + prefix / 8,
                  other.begin())) {
    return false;
  }
  const int bits = prefix % 8;
  return bits == 0 ||
         (address[whole] >> (8 - bits)) == (other[whole] >> (8 - bits));
}

base::Result<Network> ParseNetwork(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<Address> address = ParseAddress(text.substr(0, slash));
  int prefix = -1;
  const bool has_prefix = slash != std::string_view::npos &&
                          ParseWhole(text.substr(slash + 1), prefix);
  const bool is_v4 = text.find(':') == std::string_view::npos;
  if (!address || !has_prefix || prefix < 0 || prefix > (is_v4 ? 32 : 128)) {
    return Error{ErrorCode::kInvalidArgument,
                 "'" + std::string(text) +
                     "' is no network, such as 10.1.0.0/16 or fd00::/8"};
  }
  const Network network{*address, prefix + (is_v4 ? kMappedPrefix : 0)};
  for (int bit = network.prefix; bit < 128; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    if (((network.address[byte] >> (7 - bit % 8)) & 1) != 0) {
      return Error{ErrorCode::kInvalidArgument,
                   "'" + std::string(text) +
                       "' has bits set behind its prefix: write the network's "
                       "first address"};
    }
  }
  return network;
}

base::Result<ConnectTo> ParseConnectTo(std::string_view text) {
  const Error bad = {ErrorCode::kInvalidArgument,
                     "'" + std::string(text) +
                         "' is not HOST:443:ADDRESS:PORT, such as "
                         "xks.example.com:443:10.1.2.3:8443 (an endpoint has "
                         "no other port; an IPv6 address is in brackets)"};
  constexpr std::string_view kHttps = ":443:";
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == std::string_view::npos ||
      !text.substr(first).starts_with(kHttps) || last < first + kHttps.size()) {
    return bad;
  }
  ConnectTo to;
  to.host = Lower(text.substr(0, first));
  std::string_view address =
      text.substr(first + kHttps.size(), last - first - kHttps.size());
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) {
    address = address.substr(1, address.size() - 2);
  }
  const std::optional<Address> parsed = ParseAddress(address);
  if (!IsHostName(to.host) || !parsed ||
      !ParseWhole(text.substr(last + 1), to.port) || to.port == 0 ||
      bracketed != (address.find(':') != std::string::npos)) {
    return bad;
  }
  to.address = *parsed;
  to.text = text;
  return to;
}

bool IsHostName(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (text.empty() || text.size() > kLongest) {
    return false;
  }
  while (!text.empty()) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > kLongestLabel || label.front() == '-' ||
        label.back() == '-' ||
        label.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") !=
            std::string_view::npos) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(dot + 1);
  }
  return false;  // It ended with a dot.
}

AddressRules::AddressRules(std::vector<Network> allowed,
                           std::vector<ConnectTo> connect_to)
    : forbidden_(ForbiddenNetworks()),
      allowed_(std::move(allowed)),
      connect_to_(std::move(connect_to)) {}

bool AddressRules::MayConnect(std::string_view host, const sockaddr& to) const {
  const std::optional<Address> address = AddressOf(to);
  if (!address) {
    return false;
  }
  // In both families the port has the same place.
  sockaddr_in head{};
  std::memcpy(&head, &to, sizeof(head));
  const std::uint16_t port = ntohs(head.sin_port);
  const bool is_target =
      std::ranges::any_of(connect_to_, [&](const ConnectTo& target) {
        return target.host == host && target.address == *address &&
               target.port == port;
      });
  const auto contains = [&](const Network& network) {
    return network.Contains(*address);
  };
  return is_target || IsAllowed(*address) ||
         std::ranges::none_of(forbidden_, contains);
}

bool AddressRules::MayName(const std::string& host) const {
  // Takes "127.1", "0x7f000001" and "017700000001" too, as resolvers do.
  in_addr v4{};
  if (inet_aton(host.c_str(), &v4) != 0) {
    return IsAllowed(Mapped(v4));
  }
  const std::optional<Address> address = ParseAddress(host);
  return !address || IsAllowed(*address);
}

bool AddressRules::IsAllowed(const Address& address) const {
  return std::ranges::any_of(allowed_, [&](const Network& network) {
    return network.Contains(address);
  });
}

}  // namespace hsm::xks
