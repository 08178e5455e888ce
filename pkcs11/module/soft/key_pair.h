// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_KEY_PAIR_H_
#define PKCS11_MODULE_SOFT_KEY_PAIR_H_

#include <openssl/types.h>

#include "pkcs11/module/soft/session_attributes.h"

// Key pairs of sessions, and public keys that callers bring.
namespace pkcs11::module {

struct ObjectPair {
  Object public_key;
  Object private_key;
};

// That of C_GenerateKeyPair, with the key specs of the KMS. The private key can
// never be seen or wrapped, whatever is asked. Fails as ReadPairSpec and
// CheckNewObject do. `library` is borrowed by the keys.
Answer<ObjectPair> GeneratePair(CK_MECHANISM_TYPE mechanism,
                                const AttributeSet& of_public,
                                const AttributeSet& of_private,
                                OSSL_LIB_CTX* library);

// A public key of a template of C_CreateObject. Fails as CheckNewObject does,
// with CKR_TEMPLATE_INCOMPLETE, CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED,
// and with CKR_ATTRIBUTE_VALUE_INVALID if it is no public key.
Answer<Object> ImportPublicKey(const AttributeSet& wanted,
                               OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_KEY_PAIR_H_
