// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_XKS_CLIENT_H_
#define TOOLS_CONFIG_XKS_CLIENT_H_

#include "base/result.h"
#include "tools/config/config.h"
#include "tools/config/table_reader.h"

namespace tools::config {

// Reads [xks_client].
base::Status ReadXksClient(TableReader& reader, Config& config);

}  // namespace tools::config

#endif  // TOOLS_CONFIG_XKS_CLIENT_H_
