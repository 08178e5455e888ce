// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_PAIR_FIXTURE_H_
#define TESTS_HSM_PAIR_FIXTURE_H_

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string>
#include <utility>

#include "base/bytes.h"
#include "hsm/token/openssl.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/token_fixture.h"

// Key pairs, and plain OpenSSL to compare them with.
namespace hsm::token {

inline PkeyOwner ParsePublic(const base::Bytes& der) {
  const unsigned char* at = der.data();
  PkeyOwner key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  EXPECT_NE(key, nullptr);
  EXPECT_EQ(at, der.data() + der.size());
  return key;
}

inline base::Bytes DerOf(const PkeyOwner& key) {
  unsigned char* out = nullptr;
  const int size = i2d_PUBKEY(key.get(), &out);
  base::Bytes der(out, out + size);
  OPENSSL_free(out);
  return der;
}

inline const EVP_MD* EvpOf(Hash hash) {
  switch (hash) {
    case Hash::kSha1:
      return EVP_sha1();
    case Hash::kSha256:
      return EVP_sha256();
    case Hash::kSha384:
      return EVP_sha384();
    case Hash::kSha512:
      return EVP_sha512();
  }
  return nullptr;
}

inline base::Bytes DigestOf(Hash hash, std::string_view message) {
  base::Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(message.data(), message.size(), digest.data(), &size,
                       EvpOf(hash), nullptr),
            1);
  digest.resize(size);
  return digest;
}

// Whether `signature` is one of the message itself.
inline bool VerifiesMessage(const PkeyOwner& key, SignatureScheme scheme,
                            Hash hash, std::string_view message,
                            const base::Bytes& signature) {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  const bool is_rsa =
      scheme == SignatureScheme::kPss || scheme == SignatureScheme::kPkcs1;
  const EVP_MD* digest =
      scheme == SignatureScheme::kEd25519 ? nullptr : EvpOf(hash);
  EXPECT_EQ(EVP_DigestVerifyInit(context.get(), &key_context, digest, nullptr,
                                 key.get()),
            1);
  if (is_rsa) {
    EVP_PKEY_CTX_set_rsa_padding(key_context, scheme == SignatureScheme::kPss
                                                  ? RSA_PKCS1_PSS_PADDING
                                                  : RSA_PKCS1_PADDING);
  }
  if (scheme == SignatureScheme::kPss) {
    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, EVP_MD_size(digest));
  }
  const bool right =
      EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                       reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) == 1;
  ERR_clear_error();
  return right;
}

template <typename Place>
class PairTestOn : public OpenTokenTest<Place> {
 protected:
  struct MadePair {
    KeyRef key;
    base::Bytes public_key;
  };

  MadePair MadeOf(Algorithm algorithm) {
    const KeyRef key = NewKey(algorithm);
    auto made = this->token_->Execute(GenerateKeyPairRequest{key});
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return {key, made.value_or(GenerateKeyPairReply()).public_key};
  }

  static SignRequest ToSign(const KeyRef& key, SignatureScheme scheme,
                            Hash hash, std::string_view message) {
    SignRequest request;
    request.key = key;
    request.scheme = scheme;
    request.hash = hash;
    request.message =
        scheme == SignatureScheme::kEd25519
            ? base::Secret::CopyOf(message)
            : base::Secret::CopyOf(base::ByteView(DigestOf(hash, message)));
    return request;
  }
};

using PairTest = PairTestOn<fakes::SoftHsmToken>;

}  // namespace hsm::token

#endif  // TESTS_HSM_PAIR_FIXTURE_H_
