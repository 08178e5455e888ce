// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_KEY_STORE_CHANGES_H_
#define TOOLS_CLAVIGERD_KEY_STORE_CHANGES_H_

#include "base/result.h"
#include "tools/config/config.h"

// What may change of key stores while clavigerd runs: which further tokens
// there are, and whether they are drained. What only claviger-hsm reads is
// nothing to clavigerd.
namespace tools {

// Fails with kInvalidArgument if something else has changed.
base::Status CheckKeyStoreChanges(const config::Config& current,
                                  const config::Config& changed);

bool FurtherTokensChanged(const config::Config& current,
                          const config::Config& changed);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_KEY_STORE_CHANGES_H_
