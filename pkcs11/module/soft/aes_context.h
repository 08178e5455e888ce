// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_AES_CONTEXT_H_
#define PKCS11_MODULE_SOFT_AES_CONTEXT_H_

#include <openssl/types.h>

#include <cstdint>

#include "base/bytes.h"
#include "pkcs11/algorithms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {

inline constexpr std::size_t kAesBlock = 16;

// What the parameter of an AES mechanism says.
struct AesParameter {
  base::Bytes iv;
  base::Bytes aad;           // GCM only.
  std::size_t tag_size = 0;  // GCM only.
  // Bytes after which the counter would begin anew.
  std::uint64_t most_bytes = UINT64_MAX;  // CTR only.
};

// Fails with CKR_MECHANISM_PARAM_INVALID.
Answer<AesParameter> ReadAesParameter(Scheme scheme,
                                      const CK_MECHANISM& mechanism);

// A context of OpenSSL that is ready for the first byte. Fails with
// CKR_GENERAL_ERROR.
Answer<CipherContext> StartAes(Scheme scheme, base::ByteView key,
                               const AesParameter& parameter, bool encrypt,
                               OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_AES_CONTEXT_H_
