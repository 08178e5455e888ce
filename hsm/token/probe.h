// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PROBE_H_
#define HSM_TOKEN_PROBE_H_

#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// Finds out what a logged-in token does, by known answers instead of by its
// list of mechanisms (the same id means different things, and listed ones
// fail), and tries to steal keys that have the product's own attributes
// (thefts.h).
//
// Makes session objects only, in `sessions`, which the caller closes after:
// nothing stays behind. Fails only if the token cannot be used at all to find
// out; what makes it unfit is Profile::refusal.
base::Result<Profile> Probe(Sessions& sessions);

}  // namespace hsm::token

#endif  // HSM_TOKEN_PROBE_H_
