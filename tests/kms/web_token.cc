// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/web_token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace kms::identity {
namespace {

using base::Bytes;

void Must(bool done, const char* what) {
  if (!done) {
    std::fprintf(stderr, "SigningKey: %s\n", what);
    std::abort();
  }
}

// Big-endian, of `size` bytes; of as many as it has if that is 0.
Bytes NumberOf(const EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* number = nullptr;
  Must(EVP_PKEY_get_bn_param(key, name, &number) == 1, name);
  Bytes bytes(
      static_cast<std::size_t>(size == 0 ? BN_num_bytes(number) : size));
  Must(BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size())) > 0,
       name);
  BN_free(number);
  return bytes;
}

std::string Member(const char* name, const Bytes& value) {
  return std::string(",\"") + name + "\":\"" +
         Base64UrlEncode(base::AsText(value)) + "\"";
}

Bytes RawOf(const Bytes& der, int half) {
  const unsigned char* next = der.data();
  ECDSA_SIG* const parsed =
      d2i_ECDSA_SIG(nullptr, &next, static_cast<long>(der.size()));
  Must(parsed != nullptr, "an ECDSA signature");
  Bytes raw(static_cast<std::size_t>(2 * half));
  BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw.data(), half);
  BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw.data() + half, half);
  ECDSA_SIG_free(parsed);
  return raw;
}

}  // namespace

std::string Base64UrlEncode(std::string_view text) {
  std::string encoded = base::Base64Encode(base::AsBytes(text));
  std::ranges::replace(encoded, '+', '-');
  std::ranges::replace(encoded, '/', '_');
  encoded.erase(std::min(encoded.find('='), encoded.size()));
  return encoded;
}

std::string SigningInput(std::string_view header, std::string_view payload) {
  return Base64UrlEncode(header) + "." + Base64UrlEncode(payload);
}

void SigningKey::Free::operator()(EVP_PKEY* key) const noexcept {
  EVP_PKEY_free(key);
}

SigningKey::SigningKey(EVP_PKEY* key) : key_(key) {
  Must(key != nullptr, "no key");
}

SigningKey SigningKey::Rsa(unsigned bits) {
  return SigningKey(EVP_RSA_gen(bits));
}

SigningKey SigningKey::Ec(const char* curve) {
  return SigningKey(EVP_EC_gen(curve));
}

std::string SigningKey::PublicMembers() const {
  const EVP_PKEY* const key = key_.get();
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    return R"("kty":"RSA")" +
           Member("n", NumberOf(key, OSSL_PKEY_PARAM_RSA_N)) +
           Member("e", NumberOf(key, OSSL_PKEY_PARAM_RSA_E));
  }
  const int bits = EVP_PKEY_get_bits(key);
  const int size = (bits + 7) / 8;
  return R"("kty":"EC","crv":"P-)" + std::to_string(bits) + "\"" +
         Member("x", NumberOf(key, OSSL_PKEY_PARAM_EC_PUB_X, size)) +
         Member("y", NumberOf(key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
}

Bytes SigningKey::Sign(std::string_view algorithm,
                       std::string_view message) const {
  const std::string digest = "SHA" + std::string(algorithm.substr(2));
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* key_context = nullptr;
  Must(EVP_DigestSignInit_ex(context, &key_context, digest.c_str(), nullptr,
                             nullptr, key_.get(), nullptr) == 1,
       "sign init");
  if (algorithm.starts_with("PS")) {
    Must(
        EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context,
                                             RSA_PSS_SALTLEN_DIGEST) == 1,
        "PSS");
  }
  Bytes signature(1024);
  std::size_t size = signature.size();
  Must(EVP_DigestSign(context, signature.data(), &size,
                      reinterpret_cast<const unsigned char*>(message.data()),
                      message.size()) == 1,
       "sign");
  EVP_MD_CTX_free(context);
  signature.resize(size);
  const bool is_rsa = EVP_PKEY_is_a(key_.get(), "RSA") == 1;
  return is_rsa ? signature
                : RawOf(signature, (EVP_PKEY_get_bits(key_.get()) + 7) / 8);
}

std::string SigningKey::Token(std::string_view algorithm, std::string_view kid,
                              std::string_view payload) const {
  const std::string header = R"({"typ":"JWT","alg":")" +
                             std::string(algorithm) + R"(","kid":")" +
                             std::string(kid) + "\"}";
  return TokenOf(algorithm, header, payload);
}

std::string SigningKey::TokenOf(std::string_view algorithm,
                                std::string_view header,
                                std::string_view payload) const {
  const std::string input = SigningInput(header, payload);
  return input + "." + Base64UrlEncode(base::AsText(Sign(algorithm, input)));
}

}  // namespace kms::identity
