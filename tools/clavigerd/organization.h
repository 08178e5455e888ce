// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_ORGANIZATION_H_
#define TOOLS_CLAVIGERD_ORGANIZATION_H_

#include <string_view>

#include "base/result.h"
#include "kms/organization.h"
#include "tools/config/config.h"

namespace tools {

// AWS's own service control policy, which stands wherever no list is given.
inline constexpr std::string_view kFullAccess = "FullAWSAccess";

// The configured organization with the policies from their files; none if none
// is configured. Fails with kInvalidArgument and "file:line: reason" if a file
// cannot be read or holds no such policy.
base::Result<kms::Organization> LoadOrganization(const config::Config& config);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_ORGANIZATION_H_
