// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PROBE_GCM_H_
#define HSM_TOKEN_PROBE_GCM_H_

#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// Finds out whether the token's AES-GCM is right, who makes its IVs, what it
// answers to a wrong tag, and by which algorithm its keys can encrypt: a part
// of Probe (probe.h), of which it needs profile.attributes. From then on
// `sessions` knows who makes the IVs, too. Fails only if the token cannot be
// used at all to find out.
base::Status ProbeGcm(Sessions& sessions, Profile& profile);

}  // namespace hsm::token

#endif  // HSM_TOKEN_PROBE_GCM_H_
