// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_WRAPPED_MATERIAL_H_
#define TESTS_HSM_WRAPPED_MATERIAL_H_

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>

#include "base/bytes.h"
#include "base/random.h"
#include "hsm/algorithms.h"
#include "hsm/messages.h"
#include "hsm/token/data_key_pair.h"
#include "hsm/token/key_wrap.h"
#include "hsm/token/openssl.h"

// Key material, and how a client wraps it, by OpenSSL.
namespace hsm::token {

inline bool ByAes(WrappingAlgorithm wrapping) {
  return wrapping == WrappingAlgorithm::kRsaAesSha1 ||
         wrapping == WrappingAlgorithm::kRsaAesSha256;
}

inline base::Bytes OaepOf(const base::Bytes& public_key, const EVP_MD* digest,
                          base::ByteView plaintext) {
  const unsigned char* at = public_key.data();
  const PkeyOwner key(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key.size())));
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  base::Bytes out(1024);
  std::size_t size = out.size();
  EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING),
            1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), digest), 1);
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &size, plaintext.data(),
                             plaintext.size()),
            1);
  out.resize(size);
  return out;
}

inline base::Bytes Wrapped(const base::Bytes& public_key,
                           WrappingAlgorithm wrapping,
                           base::ByteView material) {
  const EVP_MD* digest = wrapping == WrappingAlgorithm::kOaepSha1 ||
                                 wrapping == WrappingAlgorithm::kRsaAesSha1
                             ? EVP_sha1()
                             : EVP_sha256();
  if (!ByAes(wrapping)) {
    return OaepOf(public_key, digest, material);
  }
  std::array<std::uint8_t, 32> aes_key;
  base::RandomBytes(aes_key);
  base::Bytes wrapped = OaepOf(public_key, digest, aes_key);
  const auto rest = WrapRfc5649(aes_key, material);
  EXPECT_TRUE(rest.has_value());
  wrapped.insert(wrapped.end(), rest->begin(), rest->end());
  return wrapped;
}

inline base::Bytes RandomOf(std::size_t size) {
  base::Bytes bytes(size);
  base::RandomBytes(bytes);
  return bytes;
}

// Material for a key of this algorithm, and its public half.
struct Material {
  base::Bytes bytes;
  base::Bytes public_key;
};
inline Material MaterialFor(Algorithm algorithm) {
  if (!IsKeyPair(FindAlgorithm(algorithm)->kind)) {
    return {RandomOf(ImportedSize(algorithm).min), {}};
  }
  const auto pair = MakeDataKeyPair(algorithm);
  EXPECT_TRUE(pair.has_value());
  const auto bytes = pair->private_key.Reveal();
  return {{bytes.begin(), bytes.end()}, pair->public_key};
}

}  // namespace hsm::token

#endif  // TESTS_HSM_WRAPPED_MATERIAL_H_
