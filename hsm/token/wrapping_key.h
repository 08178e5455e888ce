// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_WRAPPING_KEY_H_
#define HSM_TOKEN_WRAPPING_KEY_H_

#include "base/result.h"
#include "hsm/messages.h"
#include "hsm/token/key_maker.h"
#include "hsm/token/profile.h"

// The key of a token that wraps the keys of the placement `wrapped`.
namespace hsm::token {

// kUnsupportedOperation, with the reason, if this token cannot hold keys so.
base::Status CheckCanWrap(const Profile& profile);

// Wraps a known secret, and tries to have it back readable, to make a copy of
// the key that decrypts or unwraps readable, and, if the key is extractable, to
// wrap it under keys that nobody trusts, or to make a copy that can be. Returns
// SHA-256 of what the secret was wrapped as, which names the key's value.
// kCorrupt if the token gives the secret or the key away, kUnsupportedOperation
// if it makes the copy, or one cannot try. Takes the lock.
base::Result<CheckValue> TestWrappingKey(Workshop& workshop,
                                         ObjectHandle wrapping_key);

// What TestWrappingKey returns of the key with this value.
base::Result<CheckValue> CheckValueOfWrapping(base::ByteView value);

}  // namespace hsm::token

#endif  // HSM_TOKEN_WRAPPING_KEY_H_
