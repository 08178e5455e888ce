// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_OAEP_H_
#define PKCS11_MODULE_SOFT_OAEP_H_

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/wiping.h"
#include "pkcs11/algorithms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/key.h"

// RSAES-OAEP (RFC 8017, 7.1) with one hash for everything and no label, which
// is the only kind that KMS has.
namespace pkcs11::module {

// The hash of CK_RSA_PKCS_OAEP_PARAMS. Fails with CKR_MECHANISM_PARAM_INVALID.
Answer<const Hash*> OaepHash(const CK_MECHANISM& mechanism);

// The longest message that the key encrypts.
std::size_t LargestOaepMessage(const Key& key, const Hash& hash);

// With the public key. Fails with CKR_DATA_LEN_RANGE.
Answer<base::WipingBytes> OaepEncrypt(const Key& key, const Hash& hash,
                                      base::ByteView message,
                                      OSSL_LIB_CTX* library);

// With the private key, which must be here. Fails with
// CKR_ENCRYPTED_DATA_LEN_RANGE and CKR_ENCRYPTED_DATA_INVALID.
Answer<base::WipingBytes> OaepDecrypt(const Key& key, const Hash& hash,
                                      base::ByteView ciphertext,
                                      OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_OAEP_H_
