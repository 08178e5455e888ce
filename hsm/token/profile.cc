// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/profile.h"

#include <fmt/format.h>

#include <utility>

#include "hsm/algorithms.h"

namespace hsm::token {

void AddFinding(Profile& profile, std::string_view tried, std::string outcome) {
  profile.findings.push_back({std::string(tried), std::move(outcome)});
}

void Refuse(Profile& profile, std::string_view tried, std::string reason) {
  if (profile.refusal.empty()) {
    profile.refusal = fmt::format("{}: {}", tried, reason);
  }
  AddFinding(profile, tried, std::move(reason));
}

base::Status CheckHas(const Profile& profile, Algorithm algorithm) {
  if (!profile.lacks.contains(algorithm)) {
    return {};
  }
  const AlgorithmRow* const row = FindAlgorithm(algorithm);
  return base::Error{
      base::ErrorCode::kUnsupportedOperation,
      !profile.encrypts() && row != nullptr && row->use == KeyUse::kEncrypt
          ? "this token has no AES-GCM, and so no symmetric "
            "keys that encrypt"
          : "this token has no such keys"};
}

}  // namespace hsm::token
