// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_BECOME_WORKER_H_
#define TOOLS_CLAVIGER_BECOME_WORKER_H_

#include <string>
#include <vector>

#include "base/result.h"

namespace tools::claviger {

// Only the worker loads PKCS#11 modules and reads PINs: this process becomes
// claviger-hsm, with these arguments. It is the one that was built or installed
// with this program, not whatever PATH finds. Returns only if it cannot.
base::Result<int> BecomeWorker(std::vector<std::string> arguments);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_BECOME_WORKER_H_
