// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_OPERATIONS_H_
#define PKCS11_OPENSSL_OPERATIONS_H_

#include <openssl/core.h>

// What the provider can do: one list for each kind of operation, one file for
// each list. They live as long as the process.
namespace pkcs11::openssl {

inline constexpr const char* kProperties = "provider=claviger";

const OSSL_ALGORITHM* KeyManagement();
const OSSL_ALGORITHM* Signatures();
const OSSL_ALGORITHM* AsymmetricCiphers();
const OSSL_ALGORITHM* KeyExchanges();
const OSSL_ALGORITHM* Stores();
const OSSL_ALGORITHM* Decoders();

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_OPERATIONS_H_
