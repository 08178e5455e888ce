// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_ECDH_H_
#define PKCS11_MODULE_SOFT_ECDH_H_

#include <openssl/types.h>

#include "pkcs11/kms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/object.h"

// Key agreement on a curve (NIST SP 800-56A) and what makes keys of its result.
namespace pkcs11::module {

// The parameter of CKM_ECDH1_DERIVE.
struct AgreementParameter {
  const Hash* kdf_hash = nullptr;  // Null: CKD_NULL.
  base::Bytes shared_data;
  base::Bytes public_point;
};

// Fails with CKR_MECHANISM_PARAM_INVALID.
Answer<AgreementParameter> ReadAgreement(const CK_MECHANISM& mechanism);

// The secret that `key`, an EC pair, shares with the owner of the point: by the
// KMS, or here with a pair of a session. Fails with CKR_MECHANISM_PARAM_INVALID
// if that is no point on the curve.
Answer<base::WipingBytes> SharedSecret(const Key& key, base::ByteView point,
                                       Kms& kms, OSSL_LIB_CTX* library);

// A key of `size` bytes made of a shared secret: by the KDF of ANSI X9.63, or
// the end of the secret. Fails with CKR_KEY_SIZE_RANGE if that is too short.
Answer<base::WipingBytes> KeyOfSharedSecret(const AgreementParameter& parameter,
                                            const base::WipingBytes& secret,
                                            std::size_t size,
                                            OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_ECDH_H_
