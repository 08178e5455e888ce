// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "hsm/token/pkcs11_token.h"
#include "hsm/token/probe.h"
#include "hsm/token/probe_token.h"
#include "hsm/token/token.h"

// The two ways to open a token: for use, and to see whether it is fit.
namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

base::Result<Profile> ProfileOf(const Connection& connection) {
  ASSIGN_OR_RETURN(Sessions sessions, connection.OpenSessions());
  return Probe(sessions);
}

}  // namespace

base::Result<std::unique_ptr<Token>> Token::Open(TokenConfig config,
                                                 const base::Clock& clock) {
  ASSIGN_OR_RETURN(auto connection, Connection::Open(config));
  ASSIGN_OR_RETURN(Profile profile, ProfileOf(*connection));
  if (!profile.refusal.empty()) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("token \"{}\" must not hold keys: {}",
                             connection->identity().label, profile.refusal)};
  }
  for (const std::string& note : profile.notes) {
    base::LogWarning("token \"{}\": {}", connection->identity().label, note);
  }
  ASSIGN_OR_RETURN(Canary canary,
                   Canary::Make(connection->sessions(), profile.attributes));
  auto token = std::make_unique<Pkcs11Token>(
      std::move(connection), std::move(canary), std::move(profile), clock);
  RETURN_IF_ERROR(token->Start());
  return token;
}

base::Result<ProbeReport> ProbeToken(const TokenConfig& config) {
  ASSIGN_OR_RETURN(const auto connection, Connection::Open(config));
  ASSIGN_OR_RETURN(Profile profile, ProfileOf(*connection));
  ProbeReport report;
  report.capabilities = CapabilitiesOf(connection->identity(), profile);
  report.findings = std::move(profile.findings);
  report.refusal = std::move(profile.refusal);
  return report;
}

}  // namespace hsm::token
