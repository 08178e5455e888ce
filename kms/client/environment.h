// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_ENVIRONMENT_H_
#define KMS_CLIENT_ENVIRONMENT_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/client/options.h"

namespace kms::client {

// Looks one variable up. An empty value counts as unset.
using Environment =
    std::function<std::optional<std::string>(std::string_view name)>;

// The environment of this process.
Environment ProcessEnvironment();

// Where the environment says the server is, and who we are:
//   CLAVIGER_SOCKET, else CLAVIGER_ENDPOINT, else AWS_ENDPOINT_URL_KMS, else
//   the socket /run/claviger/clavigerd.sock;
//   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (not used on a
//   socket, where the peer's uid speaks);
//   AWS_REGION, else AWS_DEFAULT_REGION, else us-east-1;
//   CLAVIGER_CA_FILE, else AWS_CA_BUNDLE, else the system's certificates.
// Fails with kInvalidArgument, naming the variable.
base::Result<Options> OptionsFromEnvironment(const Environment& environment);

// The same for an endpoint that the caller knows already.
base::Result<Options> OptionsFor(Endpoint endpoint,
                                 const Environment& environment);

}  // namespace kms::client

#endif  // KMS_CLIENT_ENVIRONMENT_H_
