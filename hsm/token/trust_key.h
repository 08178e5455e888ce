// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_TRUST_KEY_H_
#define HSM_TOKEN_TRUST_KEY_H_

#include <string>
#include <string_view>

#include "hsm/token/token.h"

namespace hsm::token {

struct TrustedKey {
  std::string token_label;
  std::string fingerprint;  // SHA-256 of the SubjectPublicKeyInfo, hexadecimal.
  bool was_there = false;
};

// Enters `public_key` (SubjectPublicKeyInfo, RSA of at least 3072 bits) as one
// under which the token's shareable wrapping keys may leave it, durably;
// `config` has the security officer's PIN. Does nothing if it is there as a
// trusted one. kInvalidArgument if it is no such key, kUnsupportedOperation if
// the token does not let the security officer trust keys.
base::Result<TrustedKey> TrustPublicKey(const TokenConfig& config,
                                        base::ByteView public_key);

// The fingerprint of a SubjectPublicKeyInfo: "ab:cd:...".
std::string FingerprintOf(base::ByteView public_key);

// kInvalidArgument, with both, if `fingerprint`, with or without colons, is not
// that of `public_key`: to be asked before TrustPublicKey, for a key that came
// by an unsafe way.
base::Status CheckFingerprint(base::ByteView public_key,
                              std::string_view fingerprint);

}  // namespace hsm::token

#endif  // HSM_TOKEN_TRUST_KEY_H_
