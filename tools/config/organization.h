// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_ORGANIZATION_H_
#define TOOLS_CONFIG_ORGANIZATION_H_

#include <string>

#include "base/result.h"
#include "tools/config/config.h"
#include "tools/config/table_reader.h"

namespace tools::config {

// The table [organization]; for config.cc alone. The shapes of ids are those of
// the AWS Organizations API Reference. Whatever it returns is a tree: one root,
// and each unit and account in a unit that is there.
base::Status ReadOrganization(TableReader& reader, Config& config);

// The ids from the root down to `node`, one of `organization`'s.
std::vector<const OrganizationNode*> WayTo(const Organization& organization,
                                           const OrganizationNode& node);

}  // namespace tools::config

#endif  // TOOLS_CONFIG_ORGANIZATION_H_
