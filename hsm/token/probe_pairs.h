// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PROBE_PAIRS_H_
#define HSM_TOKEN_PROBE_PAIRS_H_

#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// The part of the probe that is about key pairs: makes session pairs, and uses
// a published RSA key, whose generation would take too long. A token that can
// do none of it is no worse for symmetric keys: this never fails. Needs
// profile.attributes; leaves session objects behind.
base::Status ProbePairs(Sessions& sessions, Profile& profile);

}  // namespace hsm::token

#endif  // HSM_TOKEN_PROBE_PAIRS_H_
