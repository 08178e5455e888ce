// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_OAEP_H_
#define HSM_TOKEN_OAEP_H_

#include "base/result.h"
#include "base/secret.h"
#include "hsm/messages.h"

namespace hsm::token {

// Takes the message out of `padded` (RFC 8017, 7.1.2 step 3, empty label, MGF1
// with the same hash), which is as long as the modulus, in time that depends
// on sizes only. Fails with kInvalidCiphertext, whatever is wrong: J. Manger,
// "A Chosen Ciphertext Attack on RSA OAEP", CRYPTO 2001.
base::Result<base::Secret> UnpadOaep(Hash hash, const base::Secret& padded);

}  // namespace hsm::token

#endif  // HSM_TOKEN_OAEP_H_
