// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_PUBLIC_KEY_H_
#define KMS_PUBLIC_KEY_H_

#include <openssl/types.h>

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "hsm/messages.h"

// What needs no private key is done here, by OpenSSL, not in the token.
namespace kms {

// A PublicKey is a parsed SubjectPublicKeyInfo. Not synchronised; cheap enough
// to be made for each request.
class PublicKey {
 public:
  // Fails with kCorrupt unless `spki` is exactly one DER-encoded public key,
  // on a named curve if it is on one.
  static base::Result<PublicKey> Parse(base::ByteView spki);

  // Fails with kSignatureMismatch, without a message, unless `signature` is one
  // of `message`: the digest, or for kEd25519 the message itself.
  base::Status Verify(hsm::SignatureScheme scheme, hsm::Hash hash,
                      base::ByteView message, base::ByteView signature) const;

  // RSAES-OAEP, empty label, MGF1 with the same hash. The caller has checked
  // that `plaintext` is short enough.
  base::Result<base::Bytes> EncryptOaep(hsm::Hash hash,
                                        base::ByteView plaintext) const;

  // Whether both are points of the same elliptic curve.
  bool IsOnCurveOf(const PublicKey& other) const;

  // SubjectPublicKeyInfo; a point in it is uncompressed.
  base::Result<base::Bytes> Encode() const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const noexcept;
  };

  explicit PublicKey(EVP_PKEY* key) : key_(key) {}

  std::unique_ptr<EVP_PKEY, Free> key_;
};

// The digest of a message.
base::Secret HashOf(hsm::Hash hash, base::ByteView message);

}  // namespace kms

#endif  // KMS_PUBLIC_KEY_H_
