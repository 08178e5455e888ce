// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_AES_CIPHER_H_
#define PKCS11_MODULE_SOFT_AES_CIPHER_H_

#include <openssl/types.h>

#include <memory>

#include "pkcs11/module/cipher_use.h"
#include "pkcs11/module/object.h"
#include "pkcs11/module/operation.h"

// AES with the secret keys of sessions: ECB, CBC, CTR and GCM for texts, key
// wrap (RFC 3394 and 5649) for keys.
//
// All of it streams, but for two: key wrap needs its whole key, and GCM gives
// out no plaintext before it has seen that the tag is right.
namespace pkcs11::module {

// They fail as CheckKeyMayUse does, and with CKR_MECHANISM_PARAM_INVALID.
Answer<std::unique_ptr<CipherOperation>> StartSecretEncrypting(
    const Object& object, const CK_MECHANISM& mechanism, CipherUse use,
    OSSL_LIB_CTX* library);
Answer<std::unique_ptr<CipherOperation>> StartSecretDecrypting(
    const Object& object, const CK_MECHANISM& mechanism, CipherUse use,
    OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_AES_CIPHER_H_
