// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_CANARY_H_
#define HSM_TOKEN_CANARY_H_

#include <optional>

#include "hsm/token/gcm.h"
#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// A Canary tells a token that refuses our data from one that has died, which
// many tokens report alike: a session key made at start, and what one message
// encrypts to under it; or opens to, where the token makes the IVs. A token
// without AES-GCM gives random bytes instead. Not thread-safe; `sessions` must
// outlive it.
class Canary {
 public:
  static base::Result<Canary> Make(Sessions& sessions, const Profile& profile);

  // Whether the token is there, logged in, and encrypts as it did at first.
  // Fails with kHsmUnavailable and what is wrong.
  base::Status Check();

 private:
  explicit Canary(Sessions& sessions) : sessions_(&sessions) {}

  base::Status CheckSong();
  base::Status CheckOpens(const GcmSealed& song);
  base::Status CheckRandom();

  Sessions* sessions_;
  std::optional<ObjectHandle> key_;  // None: the token has no AES-GCM.
  GcmSealed song_;                   // The one message of this key, encrypted.
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_CANARY_H_
