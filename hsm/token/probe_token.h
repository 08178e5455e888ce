// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PROBE_TOKEN_H_
#define HSM_TOKEN_PROBE_TOKEN_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "hsm/messages.h"
#include "hsm/token/profile.h"
#include "hsm/token/token.h"

namespace hsm::token {

// What `claviger token probe` prints.
struct ProbeReport {
  std::string quirks;  // The profile that was used.
  Capabilities capabilities;
  std::vector<Finding> findings;   // In the order in which they were tried.
  std::vector<std::string> risks;  // Those it has, accepted or not (risks.h).
  std::string refusal;             // Empty: Token::Open accepts the token.
};

// Logs in to the token, probes it and logs out. Leaves no object behind. Fails
// as Token::Open does, except that a refusal is a result.
base::Result<ProbeReport> ProbeToken(const TokenConfig& config);

}  // namespace hsm::token

#endif  // HSM_TOKEN_PROBE_TOKEN_H_
