// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OWNERS_H_
#define PKCS11_OWNERS_H_

#include <openssl/bn.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

// Owners of OpenSSL's objects.
namespace pkcs11 {

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
using DecoderContext =
    std::unique_ptr<OSSL_DECODER_CTX, OpensslFree<OSSL_DECODER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using DigestOwner = std::unique_ptr<EVP_MD, OpensslFree<EVP_MD_free>>;
using BignumOwner = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using ParamBuilder =
    std::unique_ptr<OSSL_PARAM_BLD, OpensslFree<OSSL_PARAM_BLD_free>>;
using ParamsOwner = std::unique_ptr<OSSL_PARAM, OpensslFree<OSSL_PARAM_free>>;
using CipherContext =
    std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;
using CipherOwner = std::unique_ptr<EVP_CIPHER, OpensslFree<EVP_CIPHER_free>>;
using MacOwner = std::unique_ptr<EVP_MAC, OpensslFree<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, OpensslFree<EVP_MAC_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;

// Errors are told by return values. OpenSSL's queue belongs to the calling
// thread and so to the host: what we put there goes again.
struct QuietQueue {
  QuietQueue() { ERR_set_mark(); }
  ~QuietQueue() { ERR_pop_to_mark(); }
  QuietQueue(const QuietQueue&) = delete;
  QuietQueue& operator=(const QuietQueue&) = delete;
};

}  // namespace pkcs11

#endif  // PKCS11_OWNERS_H_
