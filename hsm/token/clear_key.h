// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_CLEAR_KEY_H_
#define HSM_TOKEN_CLEAR_KEY_H_

#include <optional>
#include <vector>

#include "base/secret.h"
#include "hsm/algorithms.h"
#include "hsm/token/public_key.h"
#include "hsm/token/template.h"

namespace hsm::token {

// A ClearKey is imported key material in the worker, as the attributes that
// C_CreateObject takes. Only where the token cannot unwrap it itself.
struct ClearKey {
  struct Value {
    CK_ATTRIBUTE_TYPE type;
    base::Secret bytes;
  };
  std::vector<Value> values;
  std::optional<PublicKey> public_key;  // Of key pairs.

  void AddTo(Template& attributes) const;
};

// Reads material for a key of `row`: the bytes of a secret (ImportedSize), the
// PKCS#8 of a private key. Fails with kInvalidCiphertext if it is anything
// else, also if it is for another curve or size.
base::Result<ClearKey> ReadClearKey(const AlgorithmRow& row,
                                    const base::Secret& material);

}  // namespace hsm::token

#endif  // HSM_TOKEN_CLEAR_KEY_H_
