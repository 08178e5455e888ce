// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_THEFTS_H_
#define HSM_TOKEN_THEFTS_H_

#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// Tries, with what anyone who has the PIN can do, to get at session keys that
// have the product's attributes: to read, change, copy and wrap them. Writes
// what came of it into `profile`: a theft of key bytes that succeeds, or that
// cannot be tried, is one of its risks, a key that gains usages a note. Needs
// profile.attributes, algorithm, lacks and rfc5649.
base::Status AttemptThefts(Sessions& sessions, Profile& profile);

}  // namespace hsm::token

#endif  // HSM_TOKEN_THEFTS_H_
