// SPDX-License-Identifier: Apache-2.0
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "kms/identity/jwk.h"
#include "kms/identity/jwk_algorithms.h"

namespace kms::identity {
namespace {

using base::Bytes;
using base::ByteView;
using base::Error;
using base::ErrorCode;

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* p) const noexcept {
    kFree(p);
  }
};
using MdContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;

// What OpenSSL takes, DER, of what a JWS has: R and S, each as long as the
// order (RFC 7518 section 3.4). Empty if it is not that long.
Bytes DerOf(ByteView raw, std::size_t half) {
  if (raw.size() != 2 * half) {
    return {};
  }
  const int size = static_cast<int>(half);
  BIGNUM* const r = BN_bin2bn(raw.data(), size, nullptr);
  BIGNUM* const s = BN_bin2bn(raw.data() + half, size, nullptr);
  const EcdsaSignature signature(ECDSA_SIG_new());
  if (signature == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(signature.get(), &der);
  if (der_size <= 0) {
    return {};
  }
  Bytes bytes(der, der + der_size);
  OPENSSL_free(der);
  return bytes;
}

// The signature as OpenSSL takes it; empty if it has not the one length that a
// signature of such a key has.
Bytes ForOpenssl(EVP_PKEY* key, KeyType type, ByteView signature) {
  switch (type) {
    case KeyType::kRsa: {
      const auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
      return signature.size() == size
                 ? Bytes(signature.begin(), signature.end())
                 : Bytes();
    }
    case KeyType::kP256:
      return DerOf(signature, 32);
    case KeyType::kP384:
      return DerOf(signature, 48);
  }
  return {};
}

// PSS: the salt is as long as the hash, which MGF1 uses too (RFC 7518 section
// 3.5; it does so unless told otherwise).
bool SetPadding(EVP_PKEY_CTX* context, const SignatureAlgorithm& algorithm) {
  if (algorithm.key_type != KeyType::kRsa) {
    return true;
  }
  if (!algorithm.is_pss) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  }
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool IsSignature(EVP_PKEY* key, const SignatureAlgorithm& algorithm,
                 std::string_view message, ByteView signature) {
  const Bytes encoded = ForOpenssl(key, algorithm.key_type, signature);
  const MdContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // Owned by `context`.
  const ByteView bytes = base::AsBytes(message);
  return !encoded.empty() && context != nullptr &&
         EVP_DigestVerifyInit_ex(context.get(), &key_context, algorithm.digest,
                                 nullptr, nullptr, key, nullptr) == 1 &&
         SetPadding(key_context, algorithm) &&
         EVP_DigestVerify(context.get(), encoded.data(), encoded.size(),
                          bytes.data(), bytes.size()) == 1;
}

}  // namespace

void VerificationKey::Free::operator()(EVP_PKEY* key) const noexcept {
  EVP_PKEY_free(key);
}

base::Status VerificationKey::Verify(std::string_view algorithm,
                                     std::string_view message,
                                     ByteView signature) const {
  const SignatureAlgorithm* const row = FindAlgorithm(algorithm);
  if (row == nullptr) {
    return Error{ErrorCode::kInvalidIdentityToken,
                 "The token's signature algorithm is not supported"};
  }
  if (row->key_type != type_ ||
      (!algorithm_.empty() && algorithm_ != row->name)) {
    return Error{ErrorCode::kInvalidIdentityToken,
                 "The token's signature algorithm is not that of its key"};
  }
  const bool good = IsSignature(key_.get(), *row, message, signature);
  ERR_clear_error();
  if (!good) {
    return Error{ErrorCode::kInvalidIdentityToken,
                 "Couldn't verify the token's signature"};
  }
  return {};
}

}  // namespace kms::identity
