// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/probe_macs.h"

#include <fmt/format.h>

#include <utility>

#include "hsm/token/attributes.h"
#include "hsm/token/mac.h"
#include "hsm/token/session_object.h"

namespace hsm::token {
namespace {

base::Status TryMac(Sessions& sessions, const Profile& profile,
                    Algorithm algorithm) {
  const KeyRef key{.locator = {}, .algorithm = algorithm};
  Template attributes = MacKeyTemplate(key, profile.attributes);
  attributes.Set(CKA_TOKEN, false);
  ASSIGN_OR_RETURN(const ObjectHandle made,
                   sessions.anchor()
                       .GenerateKey(CKM_GENERIC_SECRET_KEY_GEN, attributes)
                       .Take());
  const SessionObject owner(sessions.anchor(), made);
  RETURN_IF_ERROR(SelfTestMac(sessions, algorithm, made));
  return {};
}

}  // namespace

base::Status ProbeMacs(Sessions& sessions, Profile& profile) {
  for (const MacRow& row : kMacRows) {
    base::Status status = TryMac(sessions, profile, row.algorithm);
    if (!status.has_value()) {  // It would be missed until the next start.
      status = TryMac(sessions, profile, row.algorithm);
    }
    if (!status.has_value() && IsOfToken(status.error().code)) {
      return status;  // That says nothing of what a token can.
    }
    if (!status.has_value()) {
      profile.lacks.insert(row.algorithm);
    }
    profile.findings.push_back(
        {fmt::format("HMAC of {} bytes", row.mac_size),
         status.has_value() ? "right" : status.error().message});
  }
  return {};
}

}  // namespace hsm::token
