// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_PUBLIC_KEY_H_
#define PKCS11_MODULE_SOFT_PUBLIC_KEY_H_

#include <openssl/types.h>

#include "base/bytes.h"
#include "pkcs11/algorithms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/owners.h"

// Public keys of the parts in which Cryptoki has them.
namespace pkcs11::module {

// The key with that modulus and exponent, which are big-endian. Fails with
// CKR_ATTRIBUTE_VALUE_INVALID. `library` is borrowed by the key.
Answer<PkeyOwner> RsaPublicKey(base::ByteView modulus, base::ByteView exponent,
                               OSSL_LIB_CTX* library);

// The key with that point on the curve: encoded by X9.62 (or RFC 8032), with or
// without the DER OCTET STRING around it, since programs send either. Fails
// with CKR_ATTRIBUTE_VALUE_INVALID, also for a point that is not on the curve.
Answer<PkeyOwner> PublicKeyOfPoint(const Curve& curve, base::ByteView point,
                                   OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_PUBLIC_KEY_H_
