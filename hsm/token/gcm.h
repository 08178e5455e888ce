// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_GCM_H_
#define HSM_TOKEN_GCM_H_

#include <array>

#include "hsm/messages.h"
#include "hsm/token/sessions.h"

// AES-256-GCM on the token, with what the token must not be trusted with (IV,
// tag and lengths) checked here.
namespace hsm::token {

using Iv = std::array<std::uint8_t, 12>;

// The second half of a nonce.
Iv IvOf(const Nonce& nonce);

// ciphertext || tag. Fails with kInvalidArgument if the plaintext is longer
// than kMaxPlaintext, and kCorrupt if the token's answer has a wrong length.
base::Result<base::Bytes> SealGcm(Sessions& sessions, ObjectHandle key,
                                  const Iv& iv, base::ByteView aad,
                                  base::ByteView plaintext);

// Fails with kInvalidCiphertext if the lengths or the tag are wrong. Many
// tokens use the same CK_RV when they die: before that error leaves, the caller
// asks the token whether it lives (Canary).
base::Result<base::Secret> OpenGcm(Sessions& sessions, ObjectHandle key,
                                   const Iv& iv, base::ByteView aad,
                                   base::ByteView ciphertext);

// Encrypts `text`, decrypts it again and returns ciphertext || tag. Fails with
// kCorrupt if something else comes back.
base::Result<base::Bytes> RoundTrip(Sessions& sessions, ObjectHandle key,
                                    const Iv& iv, base::ByteView text);

}  // namespace hsm::token

#endif  // HSM_TOKEN_GCM_H_
