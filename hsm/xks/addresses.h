// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_ADDRESSES_H_
#define HSM_XKS_ADDRESSES_H_

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Where a worker may connect to. The endpoint of a proxy is chosen by whoever
// makes a custom key store; what it resolves to must not lead into the network
// of this server.
namespace hsm::xks {

// An IPv6 address; of IPv4 the IPv4-mapped one (RFC 4291, 2.5.5.2), so that
// both spellings of an address are one.
using Address = std::array<std::uint8_t, 16>;

// Nothing unless `text` is the numeric form that inet_pton() takes.
std::optional<Address> ParseAddress(std::string_view text);
// Nothing for other families than IPv4 and IPv6.
std::optional<Address> AddressOf(const sockaddr& socket_address);

// A range of addresses.
struct Network {
  Address address{};
  int prefix = 128;  // Bits of `address` that count.

  bool Contains(const Address& other) const;
};

// "10.1.0.0/16" or "fd00::/8". Fails with kInvalidArgument, also if bits
// behind the prefix are set: whoever wrote that meant something else.
base::Result<Network> ParseNetwork(std::string_view text);

// Connections to a proxy's host go to this address and port instead. Names and
// certificates stay those of the host.
struct ConnectTo {
  std::string host;  // In lower case.
  Address address{};
  std::uint16_t port = 0;
  std::string text;  // As libcurl takes it: "host:443:address:port".
};

// "HOST:443:ADDRESS:PORT", an IPv6 address in brackets. Fails with
// kInvalidArgument.
base::Result<ConnectTo> ParseConnectTo(std::string_view text);

// Whether `text` is a name in the form of RFC 952, in either case.
bool IsHostName(std::string_view text);

// AddressRules decide where connections may go. Addresses that are not of the
// public Internet are forbidden, unless one of the allowed networks has them,
// or the host's connections are to go just there.
class AddressRules {
 public:
  AddressRules(std::vector<Network> allowed, std::vector<ConnectTo> connect_to);

  // `host` is in lower case.
  bool MayConnect(std::string_view host, const sockaddr& to) const;
  // Whether a host that is no name but an address, in any of the forms that
  // resolvers take, is an allowed one; true for names.
  bool MayName(const std::string& host) const;

 private:
  bool IsAllowed(const Address& address) const;

  std::vector<Network> forbidden_;
  std::vector<Network> allowed_;
  std::vector<ConnectTo> connect_to_;
};

}  // namespace hsm::xks

#endif  // HSM_XKS_ADDRESSES_H_
