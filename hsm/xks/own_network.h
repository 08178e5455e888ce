// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_OWN_NETWORK_H_
#define HSM_XKS_OWN_NETWORK_H_

#include <string>

// What keeps a request from leaving this host: it says nothing of the proxy.
namespace hsm::xks {

// Whether a socket that was not made or not connected for this reason (errno)
// has not left this host.
bool IsOwnTrouble(int error);

// Whether a host, of whose addresses `tried` were tried and the last one failed
// for this reason, was kept from us by our own network. Of several the others
// may have refused: a host without IPv6 has no route to one of two.
bool IsOwnTroubleOfAll(int error, int tried);

// Whether the resolver's configuration at `path` names a server to ask. A file
// that cannot be read names none.
bool NamesResolver(const std::string& path = "/etc/resolv.conf");

}  // namespace hsm::xks

#endif  // HSM_XKS_OWN_NETWORK_H_
