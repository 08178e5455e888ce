// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_IDENTITY_PROVIDERS_H_
#define TOOLS_CLAVIGERD_IDENTITY_PROVIDERS_H_

#include <vector>

#include "base/result.h"
#include "kms/identity/web_identity.h"
#include "tools/config/config.h"

namespace tools {

// The configured OpenID Connect providers, with the keys from their files.
// Fails with kInvalidArgument and "file:line: reason" if a file cannot be read
// or holds no key set that can be used.
base::Result<std::vector<kms::identity::IdentityProvider>>
LoadIdentityProviders(const config::Config& config);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_IDENTITY_PROVIDERS_H_
