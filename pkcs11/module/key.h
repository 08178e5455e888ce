// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_KEY_H_
#define PKCS11_MODULE_KEY_H_

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "pkcs11/algorithms.h"
#include "pkcs11/module/certificate.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {

// A Key is a key of the KMS, as far as we know it: never its secret part. Or it
// is a pair that a session has for itself, of which we know all. It does not
// change once it is made, and is shared by its objects and by the operations
// that use it. Safe to read from any thread.
struct Key {
  std::string arn;                // Empty: not of the KMS.
  const KeySpec* spec = nullptr;  // In the table of specs.
  Usage usage = Usage::kSignVerify;
  std::string state;   // "Enabled".
  std::string origin;  // "AWS_KMS".
  bool multi_region = false;
  std::string label;      // CKA_LABEL.
  base::Bytes id;         // CKA_ID.
  base::Bytes spki;       // DER SubjectPublicKeyInfo, of key pairs only.
  PkeyOwner public_key;   // The same; in the module's library context.
  PkeyOwner private_key;  // Of a session's own pairs only; likewise.
  base::Bytes modulus;    // RSA only.
  base::Bytes exponent;   // RSA only.
  base::Bytes point;      // On a curve only: DER OCTET STRING.
  std::vector<CertificatePtr> certificates;  // That the KMS keeps with it.
  bool IsPair() const { return public_key != nullptr; }
};

// Reads `spki` into the members of `key` that come from it. Fails with kCorrupt
// if it is not a public key of the key's spec. `library` is borrowed by what
// OpenSSL makes, and must outlive the key.
base::Status SetPublicKey(base::Bytes spki, OSSL_LIB_CTX* library, Key& key);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_KEY_H_
