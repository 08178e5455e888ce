// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_GCM_H_
#define HSM_TOKEN_GCM_H_

#include <array>

#include "hsm/messages.h"
#include "hsm/token/sessions.h"

// AES-256-GCM on the token, with what the token must not be trusted with (IV,
// tag and lengths) checked here. The one place that knows what is done where
// the token makes the IVs itself (ivs.h).
namespace hsm::token {

// The second half of a nonce, and `nonce` with another one.
Iv IvOf(const Nonce& nonce);
Nonce WithIv(Nonce nonce, const Iv& iv);

struct GcmSealed {
  Iv iv{};                 // Under which it was encrypted.
  base::Bytes ciphertext;  // And tag.
};

// Encrypts under `wanted`, or if the token makes the IVs, under the token's.
// Fails with kInvalidArgument if the plaintext is longer than kMaxPlaintext,
// and kCorrupt if the token's answer has a wrong length, its IV cannot be one
// (Ivs), or it made one where it should not.
base::Result<GcmSealed> SealGcm(Sessions& sessions, ObjectHandle key,
                                const Iv& wanted, base::ByteView aad,
                                base::ByteView plaintext);

// Fails with kInvalidCiphertext if the lengths or the tag are wrong. Many
// tokens use the same CK_RV when they die: before that error leaves, the caller
// asks the token whether it lives (Canary).
base::Result<base::Secret> OpenGcm(Sessions& sessions, ObjectHandle key,
                                   const Iv& iv, base::ByteView aad,
                                   base::ByteView ciphertext);

// Encrypts `text`, decrypts it again and returns what was encrypted. Fails with
// kCorrupt if something else comes back.
base::Result<GcmSealed> RoundTrip(Sessions& sessions, ObjectHandle key,
                                  const Iv& wanted, base::ByteView text);

// What AES-256-GCM makes of 32 zero bytes under `iv`, without the tag: by
// CKM_AES_ECB, for tokens that take no IV. `key` must be allowed that.
using KeyStream = std::array<std::uint8_t, 32>;
base::Result<KeyStream> KeyStreamOf(Sessions& sessions, ObjectHandle key,
                                    const Iv& iv);

}  // namespace hsm::token

#endif  // HSM_TOKEN_GCM_H_
