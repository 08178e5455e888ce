// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/openssl_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace kms {
namespace {

using base::Bytes;
using base::ByteView;

void Must(bool done, const char* what) {
  if (!done) {
    std::fprintf(stderr, "OpensslKey: %s\n", what);
    std::abort();
  }
}

struct FreeAny {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeAny>;
using MdContext = std::unique_ptr<EVP_MD_CTX, FreeAny>;

// "SHA256" for every algorithm that ends so; null for pure Ed25519.
const char* HashName(std::string_view algorithm) {
  if (algorithm.starts_with("ED25519")) {
    return nullptr;
  }
  constexpr std::array kNames = {
      std::pair{"SHA_1", "SHA1"}, std::pair{"SHA_256", "SHA256"},
      std::pair{"SHA_384", "SHA384"}, std::pair{"SHA_512", "SHA512"}};
  for (const auto& [end, name] : kNames) {
    if (algorithm.ends_with(end)) {
      return name;
    }
  }
  Must(false, "an algorithm without a hash");
  return nullptr;
}

void SetPss(EVP_PKEY_CTX* context, std::string_view algorithm) {
  if (algorithm.starts_with("RSASSA_PSS")) {
    Must(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1,
         "PSS");
    Must(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1,
         "salt");
  }
}

void SetOaep(EVP_PKEY_CTX* context, std::string_view algorithm) {
  const EVP_MD* md = EVP_get_digestbyname(HashName(algorithm));
  Must(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, md) == 1,
       "OAEP");
}

const unsigned char* Data(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void OpensslKey::Free::operator()(EVP_PKEY* key) const noexcept {
  EVP_PKEY_free(key);
}

OpensslKey::OpensslKey(EVP_PKEY* key) : key_(key) {
  Must(key != nullptr, "no key");
}

OpensslKey OpensslKey::Generate(std::string_view key_spec) {
  if (key_spec.starts_with("RSA_")) {
    const auto bits = std::stoul(std::string(key_spec.substr(4)));
    return OpensslKey(EVP_RSA_gen(bits));
  }
  if (key_spec == "ECC_NIST_EDWARDS25519") {
    return OpensslKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  constexpr std::array kCurves = {std::pair{"ECC_NIST_P256", "P-256"},
                                  std::pair{"ECC_NIST_P384", "P-384"},
                                  std::pair{"ECC_NIST_P521", "P-521"},
                                  std::pair{"ECC_SECG_P256K1", "secp256k1"}};
  for (const auto& [spec, curve] : kCurves) {
    if (key_spec == spec) {
      return OpensslKey(EVP_EC_gen(curve));
    }
  }
  Must(false, "an unknown key spec");
  return OpensslKey(nullptr);
}

OpensslKey OpensslKey::FromSpki(ByteView spki) {
  const unsigned char* next = spki.data();
  return OpensslKey(d2i_PUBKEY(nullptr, &next, static_cast<long>(spki.size())));
}

OpensslKey OpensslKey::FromPkcs8(ByteView pkcs8) {
  const unsigned char* next = pkcs8.data();
  return OpensslKey(
      d2i_AutoPrivateKey(nullptr, &next, static_cast<long>(pkcs8.size())));
}

Bytes OpensslKey::Spki() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  Must(size > 0, "SPKI");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

Bytes OpensslKey::CompressedSpki() const {
  Must(EVP_PKEY_set_utf8_string_param(
           key_.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
           "compressed") == 1,
       "compressed");
  Bytes bytes = Spki();
  Must(EVP_PKEY_set_utf8_string_param(
           key_.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
           "uncompressed") == 1,
       "uncompressed");
  return bytes;
}

Bytes OpensslKey::ExplicitSpki() const {
  Must(EVP_PKEY_set_utf8_string_param(key_.get(), OSSL_PKEY_PARAM_EC_ENCODING,
                                      "explicit") == 1,
       "explicit");
  Bytes bytes = Spki();
  Must(EVP_PKEY_set_utf8_string_param(key_.get(), OSSL_PKEY_PARAM_EC_ENCODING,
                                      "named_curve") == 1,
       "named_curve");
  return bytes;
}

Bytes OpensslKey::Sign(std::string_view algorithm,
                       std::string_view message) const {
  const MdContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  Must(EVP_DigestSignInit_ex(context.get(), &key_context, HashName(algorithm),
                             nullptr, nullptr, key_.get(), nullptr) == 1,
       "sign init");
  SetPss(key_context, algorithm);
  Bytes signature(1024);
  std::size_t size = signature.size();
  Must(EVP_DigestSign(context.get(), signature.data(), &size, Data(message),
                      message.size()) == 1,
       "sign");
  signature.resize(size);
  return signature;
}

bool OpensslKey::Verifies(std::string_view algorithm, std::string_view message,
                          ByteView signature) const {
  const MdContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  Must(EVP_DigestVerifyInit_ex(context.get(), &key_context, HashName(algorithm),
                               nullptr, nullptr, key_.get(), nullptr) == 1,
       "verify init");
  SetPss(key_context, algorithm);
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          Data(message), message.size()) == 1;
}

Bytes OpensslKey::Encrypt(std::string_view algorithm, ByteView text) const {
  const KeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  Must(EVP_PKEY_encrypt_init(context.get()) == 1, "encrypt init");
  SetOaep(context.get(), algorithm);
  Bytes out(1024);
  std::size_t size = out.size();
  Must(EVP_PKEY_encrypt(context.get(), out.data(), &size, text.data(),
                        text.size()) == 1,
       "encrypt");
  out.resize(size);
  return out;
}

Bytes OpensslKey::Decrypt(std::string_view algorithm, ByteView blob) const {
  const KeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  Must(EVP_PKEY_decrypt_init(context.get()) == 1, "decrypt init");
  SetOaep(context.get(), algorithm);
  Bytes out(1024);
  std::size_t size = out.size();
  Must(EVP_PKEY_decrypt(context.get(), out.data(), &size, blob.data(),
                        blob.size()) == 1,
       "decrypt");
  out.resize(size);
  return out;
}

Bytes OpensslKey::Agree(const OpensslKey& other) const {
  const KeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  Must(EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_derive_set_peer(context.get(), other.key_.get()) == 1,
       "derive init");
  Bytes out(128);
  std::size_t size = out.size();
  Must(EVP_PKEY_derive(context.get(), out.data(), &size) == 1, "derive");
  out.resize(size);
  return out;
}

}  // namespace kms
