// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_SERVICE_CREDENTIALS_H_
#define TOOLS_CLAVIGERD_SERVICE_CREDENTIALS_H_

#include <vector>

#include "base/result.h"
#include "kms/identity/directory.h"
#include "tools/config/config.h"

namespace tools {

// The access keys of the configured service principals. Fails with
// kInvalidArgument, naming the key, if its secret cannot be read or is too
// short, or if two have one id.
base::Result<std::vector<kms::identity::AccessKey>> ReadServiceCredentials(
    const config::Config& config);

// Fails with kInvalidArgument, naming the key, if the store has one of its id.
base::Status CheckServiceKeyIds(const config::Config& config,
                                const kms::identity::Directory& directory);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_SERVICE_CREDENTIALS_H_
