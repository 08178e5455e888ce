// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/oaep.h"

#include <openssl/rsa.h>

#include "pkcs11/module/key_use.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {
namespace {

std::size_t ModulusBytes(const Key& key) { return key.spec->bits / 8; }

// EVP_PKEY_encrypt_init() or EVP_PKEY_decrypt_init(), and the scheme.
bool Start(EVP_PKEY_CTX* context, int (*init)(EVP_PKEY_CTX*),
           const EVP_MD* hash) {
  return context != nullptr && hash != nullptr && init(context) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, hash) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1;
}

}  // namespace

Answer<const Hash*> OaepHash(const CK_MECHANISM& mechanism) {
  const auto parameter = ParameterOf<CK_RSA_PKCS_OAEP_PARAMS>(mechanism);
  const Hash* const hash =
      parameter.has_value() ? FindHash(parameter->hashAlg) : nullptr;
  if ((hash != &kSha1 && hash != &kSha256) || parameter->mgf != hash->mgf ||
      parameter->ulSourceDataLen != 0) {
    return Failure(CKR_MECHANISM_PARAM_INVALID);
  }
  return hash;
}

std::size_t LargestOaepMessage(const Key& key, const Hash& hash) {
  return ModulusBytes(key) - 2 * hash.size - 2;
}

Answer<base::WipingBytes> OaepEncrypt(const Key& key, const Hash& hash,
                                      base::ByteView message,
                                      OSSL_LIB_CTX* library) {
  if (message.size() > LargestOaepMessage(key, hash)) {
    return Failure(CKR_DATA_LEN_RANGE);
  }
  const QuietQueue quiet;
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_pkey(library, key.public_key.get(), nullptr));
  const DigestOwner digest(EVP_MD_fetch(library, hash.name, nullptr));
  base::WipingBytes out(ModulusBytes(key));
  std::size_t size = out.size();
  if (!Start(context.get(), EVP_PKEY_encrypt_init, digest.get()) ||
      EVP_PKEY_encrypt(context.get(), out.data(), &size, message.data(),
                       message.size()) != 1) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL cannot encrypt by OAEP");
  }
  return out;
}

Answer<base::WipingBytes> OaepDecrypt(const Key& key, const Hash& hash,
                                      base::ByteView ciphertext,
                                      OSSL_LIB_CTX* library) {
  if (ciphertext.size() != ModulusBytes(key)) {
    return Failure(CKR_ENCRYPTED_DATA_LEN_RANGE);
  }
  const QuietQueue quiet;
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_pkey(library, key.private_key.get(), nullptr));
  const DigestOwner digest(EVP_MD_fetch(library, hash.name, nullptr));
  base::WipingBytes out(ModulusBytes(key));
  std::size_t size = out.size();
  if (!Start(context.get(), EVP_PKEY_decrypt_init, digest.get())) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL cannot decrypt by OAEP");
  }
  if (EVP_PKEY_decrypt(context.get(), out.data(), &size, ciphertext.data(),
                       ciphertext.size()) != 1) {
    return Failure(CKR_ENCRYPTED_DATA_INVALID);
  }
  out.resize(size);
  return out;
}

}  // namespace pkcs11::module
