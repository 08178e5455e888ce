// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_CONNECT_H_
#define TOOLS_CLAVIGER_CONNECT_H_

#include <memory>

#include "base/result.h"
#include "kms/client/client.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {

// A Client for the server that `arguments`, or else the environment, name.
base::Result<std::unique_ptr<kms::client::Client>> MakeClient(
    const Arguments& arguments);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_CONNECT_H_
