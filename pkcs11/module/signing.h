// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SIGNING_H_
#define PKCS11_MODULE_SIGNING_H_

#include <memory>

#include "pkcs11/kms.h"
#include "pkcs11/module/operation.h"
#include "pkcs11/module/signature.h"

namespace pkcs11::module {

// What C_SignInit and C_VerifyInit start. Neither asks `kms`, which they borrow
// as they do `library`. They fail as ChooseSignature does.
//
// Key pairs: signed by the KMS, verified where `verify` says. HMAC keys: both
// by the KMS. Keys of sessions: both here.
Answer<std::unique_ptr<SignOperation>> StartSigning(
    const Object& object, const CK_MECHANISM& mechanism, Kms& kms,
    OSSL_LIB_CTX* library);
Answer<std::unique_ptr<VerifyOperation>> StartVerifying(
    const Object& object, const CK_MECHANISM& mechanism, Kms& kms,
    OSSL_LIB_CTX* library, Place verify = Place::kLocal);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SIGNING_H_
