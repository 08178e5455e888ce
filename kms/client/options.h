// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_OPTIONS_H_
#define KMS_CLIENT_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/sigv4_signer.h"
#include "kms/client/endpoint.h"
#include "kms/client/profile.h"

namespace kms::client {

// What a Client needs to know. Move-only, as the secret in it is.
struct Options {
  Endpoint endpoint;
  // Signs every request. Needed over TCP; not used on a Unix socket, where the
  // server asks the kernel who we are.
  std::optional<base::SigV4Credentials> credentials;
  // Where `credentials` were read, and newer ones are looked for.
  std::optional<ProfileFiles> credential_files;
  std::string region = "us-east-1";
  std::string ca_file;  // PEM; empty: the system's certificates.
  std::chrono::milliseconds connect_timeout{5'000};
  // For one call. Longer than the server's longest (an RSA key: 120 s), so that
  // it is the server who says that time ran out.
  std::chrono::milliseconds timeout{130'000};
  // Connections that are kept between calls, and for how long: less than the
  // server's 75 s, so that it is mostly we who close.
  std::size_t max_idle_connections = 8;
  std::chrono::milliseconds idle_timeout{30'000};
  // The longest pause after the first ThrottlingException; twice that after the
  // second.
  std::chrono::milliseconds throttle_pause{200};
};

}  // namespace kms::client

#endif  // KMS_CLIENT_OPTIONS_H_
