// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_KEY_STORES_H_
#define TOOLS_CONFIG_KEY_STORES_H_

#include <string>

#include "base/result.h"
#include "tools/config/config.h"

namespace tools::config {

// What the [[key_store]] tables must be together: each its own name, token and
// socket, and each Region and cluster id that of one. kInvalidArgument, with
// what to mend in `file`.
base::Status CheckKeyStores(const std::string& file, const Config& config);

}  // namespace tools::config

#endif  // TOOLS_CONFIG_KEY_STORES_H_
