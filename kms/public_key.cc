// SPDX-License-Identifier: Apache-2.0
#include "kms/public_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace kms {
namespace {

using base::Bytes;
using base::ByteView;
using base::Error;
using base::ErrorCode;
using hsm::SignatureScheme;

struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const noexcept {
    EVP_PKEY_CTX_free(context);
  }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

const EVP_MD* MdOf(hsm::Hash hash) {
  switch (hash) {
    case hsm::Hash::kSha1:
      return EVP_sha1();
    case hsm::Hash::kSha256:
      return EVP_sha256();
    case hsm::Hash::kSha384:
      return EVP_sha384();
    case hsm::Hash::kSha512:
      return EVP_sha512();
  }
  std::abort();  // A value that no enumerator has: a bug, not an input.
}

Error Corrupt() {
  ERR_clear_error();
  return {ErrorCode::kCorrupt, "not a public key"};
}

Error Failed(std::string_view what) {
  ERR_clear_error();
  return {ErrorCode::kInternal, std::string("OpenSSL cannot ").append(what)};
}

using Name = std::array<char, 64>;

bool CurveName(EVP_PKEY* key, Name& name) {
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) == 1;
}

// Explicit curve parameters are a way to bring one's own curve: only names.
bool HasNamedParameters(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") != 1) {
    return true;
  }
  Name name{};
  int is_explicit = 1;
  return CurveName(key, name) &&
         EVP_PKEY_get_int_param(key,
                                OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                &is_explicit) == 1 &&
         is_explicit == 0;
}

// PSS: the salt is as long as the hash, which MGF1 uses too.
bool SetPadding(EVP_PKEY_CTX* context, SignatureScheme scheme,
                const EVP_MD* md) {
  if (EVP_PKEY_CTX_set_signature_md(context, md) != 1) {
    return false;
  }
  switch (scheme) {
    case SignatureScheme::kPss:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) ==
                 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context,
                                              RSA_PSS_SALTLEN_DIGEST) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1;
    case SignatureScheme::kPkcs1:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case SignatureScheme::kEcdsa:
    case SignatureScheme::kEd25519:
      return true;
  }
  return false;
}

base::Status Outcome(int result) {
  ERR_clear_error();
  if (result == 1) {
    return {};
  }
  return Error{ErrorCode::kSignatureMismatch, ""};
}

base::Status VerifyPure(EVP_PKEY* key, ByteView message, ByteView signature) {
  struct FreeMd {
    void operator()(EVP_MD_CTX* md) const noexcept { EVP_MD_CTX_free(md); }
  };
  const std::unique_ptr<EVP_MD_CTX, FreeMd> context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestVerifyInit(context.get(), nullptr,
                                                 nullptr, nullptr, key) != 1) {
    return Failed("verify with this key");
  }
  return Outcome(EVP_DigestVerify(context.get(), signature.data(),
                                  signature.size(), message.data(),
                                  message.size()));
}

}  // namespace

void PublicKey::Free::operator()(EVP_PKEY* key) const noexcept {
  EVP_PKEY_free(key);
}

base::Result<PublicKey> PublicKey::Parse(ByteView spki) {
  const unsigned char* next = spki.data();
  PublicKey key(d2i_PUBKEY(nullptr, &next, static_cast<long>(spki.size())));
  const bool whole = key.key_ != nullptr && next == spki.data() + spki.size() &&
                     HasNamedParameters(key.key_.get());
  if (!whole) {
    return Corrupt();
  }
  return key;
}

base::Status PublicKey::Verify(SignatureScheme scheme, hsm::Hash hash,
                               ByteView message, ByteView signature) const {
  if (scheme == SignatureScheme::kEd25519) {
    return VerifyPure(key_.get(), message, signature);
  }
  const Context context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  const bool ready = context != nullptr &&
                     EVP_PKEY_verify_init(context.get()) == 1 &&
                     SetPadding(context.get(), scheme, MdOf(hash));
  if (!ready) {
    return Failed("verify with this key");
  }
  return Outcome(EVP_PKEY_verify(context.get(), signature.data(),
                                 signature.size(), message.data(),
                                 message.size()));
}

base::Result<Bytes> PublicKey::EncryptOaep(hsm::Hash hash,
                                           ByteView plaintext) const {
  const EVP_MD* const md = MdOf(hash);
  const Context context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  const bool ready =
      context != nullptr && EVP_PKEY_encrypt_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) ==
          1 &&
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), md) == 1 &&
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), md) == 1;
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = out.size();
  const bool done =
      ready && EVP_PKEY_encrypt(context.get(), out.data(), &size,
                                plaintext.data(), plaintext.size()) == 1;
  if (!done) {
    return Failed("encrypt with this key");
  }
  out.resize(size);
  return out;
}

bool PublicKey::IsOnCurveOf(const PublicKey& other) const {
  Name ours{};
  Name theirs{};
  const bool curves = EVP_PKEY_is_a(key_.get(), "EC") == 1 &&
                      EVP_PKEY_is_a(other.key_.get(), "EC") == 1 &&
                      CurveName(key_.get(), ours) &&
                      CurveName(other.key_.get(), theirs);
  ERR_clear_error();
  return curves && ours == theirs;
}

base::Result<Bytes> PublicKey::Encode() const {
  if (EVP_PKEY_is_a(key_.get(), "EC") == 1 &&
      EVP_PKEY_set_utf8_string_param(
          key_.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
          OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1) {
    return Failed("encode this key");
  }
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  if (size <= 0) {
    return Failed("encode this key");
  }
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

base::Secret HashOf(hsm::Hash hash, ByteView message) {
  const EVP_MD* const md = MdOf(hash);
  base::Secret digest(static_cast<std::size_t>(EVP_MD_get_size(md)));
  if (EVP_Digest(message.data(), message.size(), digest.Reveal().data(),
                 nullptr, md, nullptr) != 1) {
    std::abort();  // OpenSSL without SHA: nothing could have started.
  }
  return digest;
}

}  // namespace kms
