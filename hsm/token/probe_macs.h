// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PROBE_MACS_H_
#define HSM_TOKEN_PROBE_MACS_H_

#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// Finds out which HMAC keys the token makes and uses: a part of Probe
// (probe.h), of which it needs profile.attributes. Fails only if the token is
// unavailable.
base::Status ProbeMacs(Sessions& sessions, Profile& profile);

}  // namespace hsm::token

#endif  // HSM_TOKEN_PROBE_MACS_H_
