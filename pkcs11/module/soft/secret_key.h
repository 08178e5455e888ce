// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_SECRET_KEY_H_
#define PKCS11_MODULE_SOFT_SECRET_KEY_H_

#include <openssl/types.h>

#include "pkcs11/module/soft/session_attributes.h"

// Secret keys of sessions: made of a value that the caller, the KMS, another
// key or chance has given.
namespace pkcs11::module {

// Makes the object of a secret key. `wanted` is the caller's template; without
// CKA_KEY_TYPE in it the key is of `default_type`. Fails as CheckNewObject
// does, and with
//   CKR_TEMPLATE_INCONSISTENT    CKA_VALUE_LEN is not that of `value`;
//   CKR_ATTRIBUTE_VALUE_INVALID  there is no such type of key;
//   CKR_KEY_SIZE_RANGE           or none of that length.
Answer<Object> MakeSecretKey(const AttributeSet& wanted,
                             CK_KEY_TYPE default_type, const KeyOrigin& origin,
                             base::WipingBytes value);

// Whether `wanted` can be the template of a secret key whose value is still to
// come from elsewhere. Fails as MakeSecretKey does.
Status CheckSecretKeyTemplate(const AttributeSet& wanted,
                              CK_KEY_TYPE default_type);

// That of C_CreateObject, with the value in the template.
Answer<Object> ImportSecretKey(const AttributeSet& wanted);

// That of C_GenerateKey. Fails also with CKR_MECHANISM_INVALID and
// CKR_TEMPLATE_INCOMPLETE.
Answer<Object> GenerateSecretKey(CK_MECHANISM_TYPE mechanism,
                                 const AttributeSet& wanted,
                                 OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_SECRET_KEY_H_
