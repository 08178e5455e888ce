// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_HMAC_H_
#define PKCS11_MODULE_SOFT_HMAC_H_

#include <openssl/types.h>

#include <memory>

#include "pkcs11/module/object.h"
#include "pkcs11/module/operation.h"

// HMAC (RFC 2104) with the secret keys of sessions; messages of any length.
namespace pkcs11::module {

// They fail as CheckKeyMayUse does, and with CKR_MECHANISM_PARAM_INVALID.
Answer<std::unique_ptr<SignOperation>> StartSecretSigning(
    const Object& object, const CK_MECHANISM& mechanism, OSSL_LIB_CTX* library);
Answer<std::unique_ptr<VerifyOperation>> StartSecretVerifying(
    const Object& object, const CK_MECHANISM& mechanism, OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_HMAC_H_
