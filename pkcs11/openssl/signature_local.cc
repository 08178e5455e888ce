// SPDX-License-Identifier: Apache-2.0
// The part of SignatureContext that is done here, with the public half.
#include <openssl/core_names.h>

#include <array>

#include "pkcs11/openssl/signature_context.h"

namespace pkcs11::openssl {

// The same settings for OpenSSL's own signature with the public half.
bool SignatureContext::Configure(EVP_PKEY_CTX* context) const {
  if (context == nullptr) {
    return false;
  }
  if (digest_ != nullptr &&
      EVP_PKEY_CTX_set_signature_md(context, digest_.get()) != 1) {
    return false;
  }
  if (!IsRsa()) {
    return true;
  }
  if (EVP_PKEY_CTX_set_rsa_padding(context, padding_) != 1) {
    return false;
  }
  return padding_ != RSA_PKCS1_PSS_PADDING ||
         (EVP_PKEY_CTX_set_rsa_pss_saltlen(
              // Whatever the signer took, as OpenSSL's own does.
              context, salt_length_.value_or(RSA_PSS_SALTLEN_AUTO)) == 1 &&
          (mgf_digest_ == nullptr ||
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf_digest_.get()) == 1));
}

base::Bytes SignatureContext::AlgorithmId() const {
  const QuietQueue quiet;
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inside = nullptr;
  const std::string name = DigestName();
  if (public_key_ == nullptr || context == nullptr ||
      EVP_DigestVerifyInit_ex(
          context.get(), &inside, name.empty() ? nullptr : name.c_str(),
          context_->library(), nullptr, public_key_.get(), nullptr) != 1) {
    return {};
  }
  if (IsRsa() && padding_ == RSA_PKCS1_PSS_PADDING &&
      (EVP_PKEY_CTX_set_rsa_padding(inside, padding_) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(inside, SaltLength()) != 1 ||
       (mgf_digest_ != nullptr &&
        EVP_PKEY_CTX_set_rsa_mgf1_md(inside, mgf_digest_.get()) != 1))) {
    return {};
  }
  base::Bytes der(256);
  std::array<OSSL_PARAM, 2> wanted = {
      OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID,
                                        der.data(), der.size()),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(inside, wanted.data()) != 1 ||
      OSSL_PARAM_modified(wanted.data()) != 1) {
    return {};
  }
  der.resize(wanted.front().return_size);
  return der;
}

bool SignatureContext::Verify(base::ByteView signature,
                              base::ByteView input) const {
  const QuietQueue quiet;
  if (IsEdwards()) {
    const DigestContext context(EVP_MD_CTX_new());
    return context != nullptr &&
           EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr,
                                   context_->library(), nullptr,
                                   public_key_.get(), nullptr) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                            input.data(), input.size()) == 1;
  }
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(
      context_->library(), public_key_.get(), nullptr));
  return context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
         Configure(context.get()) &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                         input.data(), input.size()) == 1;
}

}  // namespace pkcs11::openssl
