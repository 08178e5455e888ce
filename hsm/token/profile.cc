// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/profile.h"

#include "hsm/algorithms.h"

namespace hsm::token {

base::Status CheckHas(const Profile& profile, Algorithm algorithm) {
  if (!profile.lacks.contains(algorithm)) {
    return {};
  }
  const AlgorithmRow* const row = FindAlgorithm(algorithm);
  return base::Error{base::ErrorCode::kUnsupportedOperation,
                     row != nullptr && row->use == KeyUse::kEncrypt
                         ? "this token has no AES-GCM, and so no symmetric "
                           "keys that encrypt"
                         : "this token has no such keys"};
}

}  // namespace hsm::token
