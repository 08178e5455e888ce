// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "hsm/token/pkcs11_token.h"
#include "hsm/token/probe.h"
#include "hsm/token/probe_token.h"
#include "hsm/token/risks.h"
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

base::Status CheckRiskNames(const std::vector<std::string>& risks) {
  for (const std::string& risk : risks) {
    if (FindRisk(risk) == nullptr) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("unknown risk \"{}\"; known are {}", risk, KnownRisks())};
    }
  }
  return {};
}

bool Has(const std::vector<std::string>& risks, std::string_view risk) {
  return std::ranges::find(risks, risk) != risks.end();
}

// A theft that succeeded or could not be tried is the token's refusal, unless
// the operator takes the risk by name; that is then noted for whoever asks.
void Weigh(const std::vector<std::string>& accepted, Profile& profile) {
  std::string reasons;
  std::string names;
  for (const std::string& risk : profile.risks) {
    const auto untried = profile.untried.find(risk);
    const std::string_view meaning = untried == profile.untried.end()
                                         ? FindRisk(risk)->meaning
                                         : std::string_view(untried->second);
    if (Has(accepted, risk)) {
      profile.notes.push_back(
          fmt::format("accepted risk \"{}\": {}", risk, meaning));
      continue;
    }
    reasons.append(reasons.empty() ? "" : "; ").append(meaning);
    names.append(names.empty() ? "" : ", ").append('"' + risk + '"');
  }
  if (!reasons.empty() && profile.refusal.empty()) {
    profile.refusal = fmt::format(
        "{}. Whoever has the PIN could take the keys; if that is known and "
        "wanted, add accept_risks = [{}]",
        reasons, names);
  }
}

void Tell(const std::vector<std::string>& accepted, const Profile& profile,
          const TokenIdentity& token) {
  for (const std::string& note : profile.notes) {
    base::LogWarning("token \"{}\": {}", token.label, note);
  }
  for (const std::string& risk : accepted) {
    if (!Has(profile.risks, risk)) {
      base::LogWarning(
          "token \"{}\" does not have the risk \"{}\": remove it from "
          "accept_risks",
          token.label, risk);
    }
  }
}

std::string SessionsText(CK_ULONG most) {
  return most == 0 ? "the token tells no limit"
                   : fmt::format(
                         "{} for all programs together, of which a "
                         "worker takes {}",
                         most, Sessions::kCount);
}

}  // namespace

base::Result<std::unique_ptr<Token>> Token::Open(TokenConfig config,
                                                 const base::Clock& clock) {
  RETURN_IF_ERROR(CheckRiskNames(config.accept_risks));
  ASSIGN_OR_RETURN(auto connection, Connection::Open(config));
  ASSIGN_OR_RETURN(Profile profile, ProfileOf(*connection));
  Weigh(config.accept_risks, profile);
  if (!profile.refusal.empty()) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("token \"{}\" must not hold keys: {}",
                             connection->identity().label, profile.refusal)};
  }
  if (config.must_encrypt && !profile.encrypts()) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("token \"{}\" has no AES-GCM, and so no place for "
                             "the keys that guard a store: name another",
                             connection->identity().label)};
  }
  Tell(config.accept_risks, profile, connection->identity());
  connection->sessions().ivs().set_maker(profile.iv_maker);
  ASSIGN_OR_RETURN(Canary canary,
                   Canary::Make(connection->sessions(), profile));
  auto token = std::make_unique<Pkcs11Token>(
      std::move(connection), std::move(canary), std::move(profile),
      PinCheck(config.pin), clock);
  RETURN_IF_ERROR(token->Start());
  return token;
}

base::Result<ProbeReport> ProbeToken(const TokenConfig& config) {
  RETURN_IF_ERROR(CheckRiskNames(config.accept_risks));
  ASSIGN_OR_RETURN(const auto connection, Connection::Open(config));
  ASSIGN_OR_RETURN(Profile profile, ProfileOf(*connection));
  Weigh(config.accept_risks, profile);
  ProbeReport report;
  report.quirks = connection->quirks().name;
  report.capabilities = CapabilitiesOf(connection->identity(), profile);
  report.findings = std::move(profile.findings);
  report.findings.push_back(
      {"sessions at a time", SessionsText(connection->max_sessions())});
  report.risks = std::move(profile.risks);
  report.refusal = std::move(profile.refusal);
  return report;
}

}  // namespace hsm::token
