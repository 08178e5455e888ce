// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_OPENSSL_H_
#define HSM_TOKEN_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>

// Owners of OpenSSL's objects.
namespace hsm::token {

template <auto kFree>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};

using PkeyOwner = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using PkeyContext =
    std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using BignumOwner = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;
using ParamBuilder =
    std::unique_ptr<OSSL_PARAM_BLD, OpensslFree<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, OpensslFree<OSSL_PARAM_free>>;
using BignumContext = std::unique_ptr<BN_CTX, OpensslFree<BN_CTX_free>>;
using GroupOwner = std::unique_ptr<EC_GROUP, OpensslFree<EC_GROUP_free>>;
using PointOwner = std::unique_ptr<EC_POINT, OpensslFree<EC_POINT_free>>;
using CipherOwner = std::unique_ptr<EVP_CIPHER, OpensslFree<EVP_CIPHER_free>>;
using CipherContext =
    std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;
using PrivateKeyInfoOwner =
    std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpensslFree<PKCS8_PRIV_KEY_INFO_free>>;
using BioOwner = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using EncoderContext =
    std::unique_ptr<OSSL_ENCODER_CTX, OpensslFree<OSSL_ENCODER_CTX_free>>;

}  // namespace hsm::token

#endif  // HSM_TOKEN_OPENSSL_H_
