// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_RSA_DECRYPT_H_
#define HSM_TOKEN_RSA_DECRYPT_H_

#include "hsm/messages.h"
#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// RSAES-OAEP by the private key `object`: the token's own, where the profile
// says that it is right, or raw RSA by the token and the padding here. Fails
// with kInvalidCiphertext, whatever is wrong with the ciphertext: as with
// gcm.h, the caller then asks the token whether it lives. kInvalidArgument if
// the key is not for decryption or the hash is not for OAEP.
base::Result<base::Secret> RsaDecrypt(Sessions& sessions,
                                      const Profile& profile,
                                      ObjectHandle object,
                                      const RsaDecryptRequest& request);

// The same with any private key that may decrypt, of whatever size its modulus
// has: `ciphertext` must be as long.
base::Result<base::Secret> DecryptOaep(Sessions& sessions,
                                       const Profile& profile,
                                       ObjectHandle object, Hash hash,
                                       base::ByteView ciphertext);

}  // namespace hsm::token

#endif  // HSM_TOKEN_RSA_DECRYPT_H_
