// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_KNOWN_RSA_OBJECT_H_
#define HSM_TOKEN_KNOWN_RSA_OBJECT_H_

#include <utility>

#include "hsm/token/attributes.h"
#include "hsm/token/known_rsa_key.h"
#include "hsm/token/template.h"

namespace hsm::token {

// Makes of `key`, the template of an RSA private key, that of the known one.
inline Template& SetKnownRsaKey(Template& key) {
  key.Set(CKA_PUBLIC_EXPONENT, kPublicExponent);
  for (const auto& [type, value] :
       {std::pair{CKA_MODULUS, kKnownRsaKey.modulus},
        std::pair{CKA_PRIVATE_EXPONENT, kKnownRsaKey.private_exponent},
        std::pair{CKA_PRIME_1, kKnownRsaKey.prime_1},
        std::pair{CKA_PRIME_2, kKnownRsaKey.prime_2},
        std::pair{CKA_EXPONENT_1, kKnownRsaKey.exponent_1},
        std::pair{CKA_EXPONENT_2, kKnownRsaKey.exponent_2},
        std::pair{CKA_COEFFICIENT, kKnownRsaKey.coefficient}}) {
    key.Set(type, base::HexDecode(value).value_or(base::Bytes()));
  }
  return key;
}

}  // namespace hsm::token

#endif  // HSM_TOKEN_KNOWN_RSA_OBJECT_H_
