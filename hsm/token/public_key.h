// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PUBLIC_KEY_H_
#define HSM_TOKEN_PUBLIC_KEY_H_

#include "base/bytes.h"
#include "base/result.h"
#include "hsm/messages.h"
#include "hsm/token/curves.h"
#include "hsm/token/openssl.h"

namespace hsm::token {

// A PublicKey is the public half of a key pair, in OpenSSL: a token keeps only
// the private one. Move-only, not thread-safe. Failures of OpenSSL itself are
// kInternal.
class PublicKey {
 public:
  // From what a token says of it: big-endian integers, the value of
  // CKA_EC_POINT (of Ed25519 too). kCorrupt if that makes no key.
  static base::Result<PublicKey> OfRsa(base::ByteView modulus,
                                       base::ByteView exponent);
  static base::Result<PublicKey> OfPoint(const Curve& curve,
                                         base::ByteView ec_point);

  // Another's key for ECDH: a SubjectPublicKeyInfo, whole, that names `curve`
  // and holds a valid point of it. kInvalidArgument otherwise.
  static base::Result<PublicKey> OfPeer(const Curve& curve,
                                        base::ByteView spki);

  // A new pair on the same curve, for tests of an agreement.
  static base::Result<PublicKey> NewPairOn(const Curve& curve);

  // Another owner of the same key.
  PublicKey Share() const;

  // SubjectPublicKeyInfo, DER.
  base::Result<base::Bytes> Der() const;
  // 04 || x || y. Not of RSA and Ed25519.
  base::Result<base::Bytes> Point(const Curve& curve) const;
  int bits() const;

  // Whether the signature of a SignRequest is right.
  bool Verifies(SignatureScheme scheme, Hash hash, base::ByteView message,
                base::ByteView signature) const;
  // RSAES-OAEP.
  base::Result<base::Bytes> Encrypt(Hash hash, base::ByteView plaintext) const;
  // ECDH of this pair's private key and the other's public key.
  base::Result<base::Secret> Agree(const PublicKey& other) const;

 private:
  explicit PublicKey(PkeyOwner key) : key_(std::move(key)) {}

  PkeyOwner key_;
};

// An RSA public key in the two numbers that Cryptoki wants, without leading
// zeros.
struct RsaNumbers {
  base::Bytes modulus;
  base::Bytes exponent;
};

// Of a SubjectPublicKeyInfo, whole: kInvalidArgument if it is none, or not of
// an RSA key of at least `min_bits`.
base::Result<RsaNumbers> RsaNumbersOf(base::ByteView spki, int min_bits);

}  // namespace hsm::token

#endif  // HSM_TOKEN_PUBLIC_KEY_H_
