// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_XAES_DERIVATION_H_
#define HSM_TOKEN_XAES_DERIVATION_H_

#include <array>

#include "hsm/messages.h"
#include "hsm/token/sessions.h"

// The key derivation of XAES-256-GCM (https://c2sp.org/XAES-256-GCM), done in
// the token: a CMAC of one block is one AES encryption of the block xor K1, so
// CKM_AES_ECB_ENCRYPT_DATA over two such blocks is the whole message key.
namespace hsm::token {

// The first half of a Nonce, which chooses the message key.
using P12 = std::array<std::uint8_t, 12>;
P12 PrefixOf(const Nonce& nonce);
using Block = std::array<std::uint8_t, 16>;

// What the derived bytes are for: the letter in the derivation's input.
enum class Purpose : std::uint8_t { kMessageKey = 'X', kCheckValue = 'C' };

// Multiplication by x in GF(2^128), big-endian (NIST SP 800-38B section 6.1),
// in place and in constant time.
void Double(std::span<std::uint8_t, 16> block);

// K1 = Double(E_K(0)), the CMAC subkey. It leaves the token, which is safe:
// it says nothing of K but lets the two blocks be computed outside.
base::Result<base::Secret> DeriveK1(Sessions& sessions, ObjectHandle key);

// The message key for `p`: a session object with the attributes of
// `message_key` that the caller destroys.
base::Result<ObjectHandle> DeriveMessageKey(Sessions& sessions,
                                            ObjectHandle key,
                                            const base::Secret& k1,
                                            const P12& p,
                                            const Template& message_key);

// What identifies K without revealing it: the derivation for kCheckValue, P =
// 0. docs/protocol/ciphertext.md.
base::Result<CheckValue> DeriveCheckValue(Sessions& sessions, ObjectHandle key,
                                          const base::Secret& k1);

}  // namespace hsm::token

#endif  // HSM_TOKEN_XAES_DERIVATION_H_
