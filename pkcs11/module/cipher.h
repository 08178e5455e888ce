// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CIPHER_H_
#define PKCS11_MODULE_CIPHER_H_

#include <memory>

#include "pkcs11/kms.h"
#include "pkcs11/module/cipher_use.h"
#include "pkcs11/module/object.h"
#include "pkcs11/module/operation.h"

namespace pkcs11::module {

// What C_EncryptInit and C_DecryptInit start, and what C_WrapKey and
// C_UnwrapKey do their work with. Neither asks `kms`, which they
// borrow as they do `library`. They fail as CheckKeyMayUse does, and with
// CKR_MECHANISM_PARAM_INVALID.
//
// RSA: encrypted here with the public key, decrypted by the KMS, or here with a
// pair of a session. The KMS's symmetric keys: both by the KMS. Secret keys of
// sessions: both here.
Answer<std::unique_ptr<CipherOperation>> StartEncrypting(
    const Object& object, const CK_MECHANISM& mechanism, CipherUse use,
    Kms& kms, OSSL_LIB_CTX* library);
Answer<std::unique_ptr<CipherOperation>> StartDecrypting(
    const Object& object, const CK_MECHANISM& mechanism, CipherUse use,
    Kms& kms, OSSL_LIB_CTX* library);

// An encryption context: a JSON object of texts, or nothing, which is null.
// Fails with CKR_MECHANISM_PARAM_INVALID.
Answer<base::Json> ReadEncryptionContext(const void* text, CK_ULONG size);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CIPHER_H_
