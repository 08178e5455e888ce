// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_LIST_KEYS_H_
#define HSM_TOKEN_LIST_KEYS_H_

#include <vector>

#include "hsm/messages.h"
#include "hsm/token/sessions.h"
#include "hsm/token/token_lock.h"

namespace hsm::token {

// Every token object that is a secret or private key, and every one that will
// not say what it is: the litter of a kill during creation. Changes nothing.
base::Result<std::vector<ListedKey>> ListKeys(Sessions& sessions,
                                              const TokenLock::Hold& hold);

}  // namespace hsm::token

#endif  // HSM_TOKEN_LIST_KEYS_H_
