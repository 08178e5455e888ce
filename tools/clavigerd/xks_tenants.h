// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_XKS_TENANTS_H_
#define TOOLS_CLAVIGERD_XKS_TENANTS_H_

#include <vector>

#include "base/result.h"
#include "kms/xks/tenants.h"
#include "tools/config/config.h"

namespace tools {

// The tenants of the XKS proxy that the configuration names, with their
// policies read. Fails with kInvalidArgument, and where and why.
base::Result<std::vector<kms::xks::TenantSettings>> LoadXksTenants(
    const config::Config& config);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_XKS_TENANTS_H_
