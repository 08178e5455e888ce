// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_POLICY_FILES_H_
#define TOOLS_CLAVIGERD_POLICY_FILES_H_

#include "base/hash.h"
#include "base/result.h"
#include "tools/config/config.h"

namespace tools {

// Over the content of every public file by which it is decided who may ask for
// what: key sets of identity providers, policies of the organization. Fails
// with what is wrong with a file.
base::Result<base::Digest> DigestOfPolicies(const config::Config& config);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_POLICY_FILES_H_
