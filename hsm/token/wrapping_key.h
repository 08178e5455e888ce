// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_WRAPPING_KEY_H_
#define HSM_TOKEN_WRAPPING_KEY_H_

#include "base/result.h"
#include "hsm/messages.h"
#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"

// The key of a token that wraps the keys of the placement `wrapped`.
namespace hsm::token {

// kUnsupportedOperation, with the reason, if this token cannot hold keys so.
base::Status CheckCanWrap(const Profile& profile);

// Wraps a known secret, and tries to have it back readable, and to make a copy
// of the key that decrypts. Returns SHA-256 of what the secret was wrapped as,
// which names the key's value. kCorrupt if the token gives the secret back,
// kUnsupportedOperation if it makes the copy.
base::Result<CheckValue> TestWrappingKey(Sessions& sessions,
                                         const Profile& profile,
                                         ObjectHandle wrapping_key);

}  // namespace hsm::token

#endif  // HSM_TOKEN_WRAPPING_KEY_H_
