// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_VACANCY_H_
#define HSM_TOKEN_VACANCY_H_

#include <cstdint>

#include "base/clock.h"
#include "hsm/token/token.h"

namespace hsm::token {

// Whether a new store may move into a token that keys of ours live in already.
enum class Tenants : std::uint8_t { kRefuse, kAccept };

// Opens the token as a worker does, which refuses an unfit one; refuses one
// without AES-GCM, which has no place for the keys that guard a store; and
// looks for keys that a store of ours has made: another store's, since the new
// one has none. Fails with kAlreadyExists, what was found and how to mend it,
// unless they are accepted. Leaves no object behind.
base::Status CheckVacancy(TokenConfig config, Tenants tenants,
                          const base::Clock& clock);

}  // namespace hsm::token

#endif  // HSM_TOKEN_VACANCY_H_
