// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_SERVICE_CREDENTIALS_H_
#define TOOLS_CLAVIGERD_SERVICE_CREDENTIALS_H_

#include <vector>

#include "base/result.h"
#include "kms/identity/credentials.h"
#include "tools/config/config.h"

namespace tools {

// Fails with kInvalidArgument if a service principal has the uid of this
// process, which is the administrator's on the Unix socket.
base::Status CheckServiceUids(const config::Config& config);

// Adds the access keys of the configured service principals to `keys`, those of
// the store. Fails with kInvalidArgument, naming the key, if its secret cannot
// be read or is too short, or if the store has a key of this id.
base::Status AddServiceCredentials(const config::Config& config,
                                   std::vector<kms::identity::AccessKey>& keys);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_SERVICE_CREDENTIALS_H_
