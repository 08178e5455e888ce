// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_KEY_H_
#define PKCS11_OPENSSL_KEY_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/wiping.h"
#include "kms/client/key_uri.h"
#include "pkcs11/algorithms.h"
#include "pkcs11/kms.h"
#include "pkcs11/openssl/context.h"
#include "pkcs11/owners.h"

namespace pkcs11::openssl {

// A KmsKey is a key pair of the KMS: where it is, and its public half. It does
// not change. Safe to use from any thread.
struct KmsKey {
  ContextOwner context;  // Of whose library `public_key` is.
  std::shared_ptr<Kms> kms;
  std::string arn;
  const KeySpec* spec = nullptr;
  Usage usage = Usage::kSignVerify;
  const char* type = nullptr;  // OpenSSL's name: "RSA", "EC", ...
  PkeyOwner public_key;

  // Each is one call, and fails as Kms::Call does.
  base::Result<base::Bytes> Sign(base::ByteView message, bool is_digest,
                                 const std::string& algorithm) const;
  base::Result<base::WipingBytes> Decrypt(base::ByteView ciphertext,
                                          const std::string& algorithm) const;
  base::Result<base::WipingBytes> Agree(base::ByteView peer_spki) const;
};

// Asks for the public key: one call, GetPublicKey. Everything later is with the
// key that the name stood for then. Fails as Kms::Call does, and with
// kUnsupportedOperation for keys that OpenSSL cannot have.
base::Result<std::shared_ptr<const KmsKey>> LoadKey(
    const ContextOwner& context, const kms::client::KeyUri& uri);

// A KeyHandle is what an EVP_PKEY of ours points to: a key of the KMS, or only
// a public key or the parameters of one, which may be anybody's. Not
// synchronised; OpenSSL changes those only that it has just made.
struct KeyHandle {
  ContextOwner context;
  const char* type;
  std::shared_ptr<const KmsKey> kms_key;  // Null: no private half.
  PkeyOwner public_key;                   // Null: nothing yet.
  bool has_point = true;                  // Else `public_key` is parameters.
};

// Says why `key` cannot be used so, if it cannot: there is no private half, or
// the KMS has it for something else. Raises an error and returns false.
bool MayUse(const KeyHandle& key, Usage usage);

// One more owner of the same key.
PkeyOwner Share(const PkeyOwner& key);

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_KEY_H_
