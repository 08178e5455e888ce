// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_DATA_KEY_PAIR_H_
#define HSM_TOKEN_DATA_KEY_PAIR_H_

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "hsm/messages.h"
#include "hsm/token/openssl.h"

namespace hsm::token {

// A key pair that is made to leave: no token would give its private key away.
struct DataKeyPair {
  base::Bytes public_key;    // SubjectPublicKeyInfo.
  base::Secret private_key;  // PKCS#8.
};

// PKCS#8, DER. kInternal if OpenSSL cannot.
base::Result<base::Secret> PrivateKeyInfo(const EVP_PKEY* key);

// Made by OpenSSL, in this process. kInvalidArgument if the algorithm has no
// key pairs.
base::Result<DataKeyPair> MakeDataKeyPair(Algorithm algorithm);

}  // namespace hsm::token

#endif  // HSM_TOKEN_DATA_KEY_PAIR_H_
