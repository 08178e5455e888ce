// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_XKS_PROXY_H_
#define TOOLS_CONFIG_XKS_PROXY_H_

#include <string>

#include "base/result.h"
#include "tools/config/config.h"
#include "tools/config/table_reader.h"

// Between config.cc and xks_proxy.cc; nobody else includes this.
namespace tools::config {

base::Status ReadXksProxy(TableReader& reader, Config& config);
base::Status ReadXksTenant(TableReader& reader, Config& config);

// Fails with kInvalidArgument if two tenants cannot be told apart, or the proxy
// has nobody to serve.
base::Status CheckXksProxy(const std::string& file, const Config& config);

}  // namespace tools::config

#endif  // TOOLS_CONFIG_XKS_PROXY_H_
