// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_SIGNATURE_CONTEXT_H_
#define PKCS11_OPENSSL_SIGNATURE_CONTEXT_H_

#include <openssl/rsa.h>

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/wiping.h"
#include "pkcs11/openssl/key.h"

namespace pkcs11::openssl {

// A SignatureContext is a signature that is being made or checked. Making one
// costs one call of the KMS, at the end; everything before is checked here,
// since TLS begins signatures only to see whether they would be possible.
// Checking is done with the public half. Not synchronised.
//
// What fails raises an error and returns false or nothing.
class SignatureContext {
 public:
  enum class Purpose : std::uint8_t { kNone, kSign, kVerify };

  explicit SignatureContext(ContextOwner context);
  // The same, in the same state: OpenSSL finishes a copy. Null if there is no
  // memory for one.
  std::unique_ptr<SignatureContext> Copy() const;

  // Begins anew. `key` null: with the key as before. `digest` empty: it may
  // come later, or not at all.
  bool Begin(Purpose purpose, const KeyHandle* key, const std::string& digest);

  bool SetDigest(const std::string& name);
  bool SetPadding(int padding);
  bool SetMgfDigest(const std::string& name);
  bool SetSaltLength(int length);
  // Whether what was set so far goes together.
  bool Fits() const;

  int padding() const { return padding_; }
  // OpenSSL's name; empty: there is none.
  std::string DigestName() const;
  std::string MgfDigestName() const;
  // What RSA_PSS_SALTLEN_DIGEST stands for is said as a number, if it can be.
  int SaltLength() const;
  // DER AlgorithmIdentifier of signatures with these settings; empty if there
  // are none.
  base::Bytes AlgorithmId() const;

  // Raises an error and returns false.
  bool Refuse(Reason reason, const std::string& text) const;

  // Bytes of the longest signature.
  std::size_t Size() const;

  bool Update(base::ByteView bytes);
  // The digest of what was given to Update().
  std::optional<base::Bytes> Digest();

  // Of a digest, or of a whole message for Ed25519.
  std::optional<base::Bytes> Sign(base::ByteView input) const;
  // Whether it is a signature of `input`; raises nothing.
  bool Verify(base::ByteView signature, base::ByteView input) const;

 private:
  // What the KMS is asked for.
  struct Request {
    base::WipingBytes message;  // May be plaintext.
    bool is_digest;
    std::string algorithm;
  };

  bool IsRsa() const;
  bool IsEdwards() const;
  bool MaySign() const;
  bool MaySignRsa() const;
  bool MaySignPss() const;
  std::optional<Request> ToKms(base::ByteView input) const;
  std::optional<Request> EdwardsRequest(base::ByteView message) const;
  std::optional<Request> RsaRequest(base::ByteView digest) const;
  std::optional<Request> EcdsaRequest(base::ByteView digest) const;
  DigestOwner Fetch(const std::string& name) const;
  bool Configure(EVP_PKEY_CTX* context) const;

  ContextOwner context_;
  Purpose purpose_ = Purpose::kNone;
  std::shared_ptr<const KmsKey> kms_key_;  // Null: for checking only.
  PkeyOwner public_key_;
  int padding_ = RSA_PKCS1_PADDING;
  std::optional<int> salt_length_;  // Nothing: nobody said.
  DigestOwner digest_;              // Null: nobody said.
  DigestOwner mgf_digest_;          // Null: the same.
  DigestContext running_;           // Null: not begun.
};

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_SIGNATURE_CONTEXT_H_
