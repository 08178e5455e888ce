// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PAIR_TEST_H_
#define HSM_TOKEN_PAIR_TEST_H_

#include "hsm/messages.h"
#include "hsm/token/profile.h"
#include "hsm/token/public_key.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// What to use for a test.
struct Pair {
  Algorithm algorithm;
  ObjectHandle private_key;
  const PublicKey* public_key;  // Null if nobody knows it.
};

// Uses the private key for what it is for, and compares with what OpenSSL makes
// of the public one, if there is one. Fails with kCorrupt if they differ, and
// with what the use fails with.
base::Status TestPair(Sessions& sessions, const Profile& profile,
                      const Pair& pair);

}  // namespace hsm::token

#endif  // HSM_TOKEN_PAIR_TEST_H_
