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

// The environment of this process; of a process that runs with more rights than
// who started it (setuid), nothing.
Environment ProcessEnvironment();

// Where the environment and AWS's shared files say the server is, and who we
// are. The first that is set counts:
//   server: CLAVIGER_SOCKET, CLAVIGER_ENDPOINT, AWS_ENDPOINT_URL_KMS, the
//     endpoint of a profile that somebody named, /run/claviger/clavigerd.sock;
//     never AWS_ENDPOINT_URL, which other services may be meant by;
//   access key: AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and
//     AWS_SESSION_TOKEN, the profile's;
//   Region: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1;
//   authority: CLAVIGER_CA_FILE, AWS_CA_BUNDLE, the profile's, the system's.
// On a Unix socket the peer's uid speaks: no access key is used, and the
// profile is not asked for a Region.
//
// The profile is `profile`, whose access key then goes before the
// environment's, else AWS_DEFAULT_PROFILE, AWS_PROFILE, else "default". Its
// files are AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE, else
// ~/.aws/credentials and
// ~/.aws/config; they are read only for what the environment leaves open.
//
// Fails with kInvalidArgument, naming the variable or the file and line, and
// with kIo if a file cannot be read.
base::Result<Options> OptionsFromEnvironment(const Environment& environment,
                                             std::string_view profile = {});

// The same for an endpoint that the caller knows already.
base::Result<Options> OptionsFor(Endpoint endpoint,
                                 const Environment& environment,
                                 std::string_view profile = {});

}  // namespace kms::client

#endif  // KMS_CLIENT_ENVIRONMENT_H_
