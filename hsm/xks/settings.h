// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_SETTINGS_H_
#define HSM_XKS_SETTINGS_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "hsm/xks/addresses.h"

namespace hsm::xks {

// How a worker asks XKS proxies.
struct Settings {
  // Of a whole request, with name resolution and handshake.
  std::chrono::milliseconds timeout{250};
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
  std::string client_certificate;  // With client_key, or neither.
  std::string client_key;
  std::vector<Network> allow_networks;
  std::vector<ConnectTo> connect_to;
  int requests_per_second = 1800;    // To one proxy.
  std::size_t most_in_flight = 256;  // To all.
};

// Fails with kInvalidArgument, naming the file, if one cannot be used.
base::Status CheckTlsFiles(const Settings& settings);

}  // namespace hsm::xks

#endif  // HSM_XKS_SETTINGS_H_
