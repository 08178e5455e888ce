// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/own_network.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

namespace hsm::xks {
namespace {

// EHOSTUNREACH is none of them: a router far away can say so, too.
constexpr std::array kOwnErrors = {
    EMFILE,         // This process has no descriptor left,
    ENFILE,         // nor has this host.
    ENOBUFS,        // No memory for a socket.
    ENOMEM,         // Likewise.
    ENETDOWN,       // The interface is down.
    ENETUNREACH,    // There is no route.
    EADDRNOTAVAIL,  // No local address, or no port left.
};

}  // namespace

bool IsOwnTrouble(int error) {
  return std::ranges::find(kOwnErrors, error) != kOwnErrors.end();
}

bool IsOwnTroubleOfAll(int error, int tried) {
  return tried == 1 && IsOwnTrouble(error);
}

bool NamesResolver(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("nameserver")) {
      return true;
    }
  }
  return false;
}

}  // namespace hsm::xks
