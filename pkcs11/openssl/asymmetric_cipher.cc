// SPDX-License-Identifier: Apache-2.0
// ASYM_CIPHER: RSA-OAEP. Decryption is the KMS's, encryption is done here with
// the public half.
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pkcs11/openssl/key.h"
#include "pkcs11/openssl/operations.h"
#include "pkcs11/openssl/padding.h"
#include "pkcs11/openssl/shim.h"

namespace pkcs11::openssl {
namespace {

// A CipherContext is what an EVP_PKEY_CTX of ours points to that encrypts or
// decrypts. Not synchronised.
struct CipherContext {
  ContextOwner context;
  std::shared_ptr<const KmsKey> kms_key;
  PkeyOwner public_key;
  int padding = RSA_PKCS1_PADDING;
  std::string digest = kSha1.name;  // OpenSSL's default for OAEP.
  std::string mgf_digest;           // Empty: the same.
  base::Bytes label;
};

CipherContext& Get(void* context) {
  return *static_cast<CipherContext*>(context);
}

void* New(void* provider) {
  return new CipherContext{ContextOf(provider), nullptr, nullptr};
}

void Free(void* context) {
  LetGo(std::shared_ptr<CipherContext>(static_cast<CipherContext*>(context)));
}

void* Dup(void* context) {
  const CipherContext& from = Get(context);
  return new CipherContext{from.context, from.kms_key, Share(from.public_key),
                           from.padding, from.digest,  from.mgf_digest,
                           from.label};
}

// Which of the KMS's two hashes for OAEP it is; null if neither.
const Hash* OaepHash(const CipherContext& context, const std::string& name) {
  const QuietQueue quiet;
  const DigestOwner digest(
      EVP_MD_fetch(context.context->library(), name.c_str(), nullptr));
  for (const Hash* const hash : {&kSha1, &kSha256}) {
    if (digest != nullptr && EVP_MD_is_a(digest.get(), hash->name) == 1) {
      return hash;
    }
  }
  return nullptr;
}

int RefusePadding(const CipherContext& context) {
  return context.context->core().Raise(
      Reason::kNotByKms,
      "a KMS decrypts RSA with OAEP only (rsa_padding_mode:oaep), not with "
      "PKCS#1 v1.5, as TLS_RSA cipher suites and the default of cms would "
      "need, "
      "and not without padding");
}

int SetParams(void* opaque, const OSSL_PARAM params[]) {
  if (params == nullptr) {
    return 1;
  }
  CipherContext& context = Get(opaque);
  const auto find = [params](const char* name) {
    return OSSL_PARAM_locate_const(params, name);
  };
  if (const OSSL_PARAM* const param = find(OSSL_ASYM_CIPHER_PARAM_PAD_MODE)) {
    context.padding = ReadPadding(*param).value_or(RSA_NO_PADDING);
    if (context.padding != RSA_PKCS1_OAEP_PADDING) {
      return RefusePadding(context);
    }
  }
  if (const OSSL_PARAM* const param =
          find(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST)) {
    context.digest = ReadText(param);
  }
  if (const OSSL_PARAM* const param =
          find(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST)) {
    context.mgf_digest = ReadText(param);
  }
  if (const OSSL_PARAM* const param = find(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL)) {
    const void* bytes = nullptr;
    size_t size = 0;
    if (OSSL_PARAM_get_octet_string_ptr(param, &bytes, &size) != 1) {
      return 0;
    }
    const auto* const first = static_cast<const std::uint8_t*>(bytes);
    context.label.assign(first, first + size);
  }
  return 1;
}

const OSSL_PARAM* SettableParams(void*, void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS, nullptr,
                              0),
       OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST_PROPS, nullptr,
                              0),
       OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, nullptr, 0),
       OSSL_PARAM_END});
  return params.data();
}

const OSSL_PARAM* GettableParams(void*, void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, nullptr, 0),
       OSSL_PARAM_END});
  return params.data();
}

int GetParams(void* opaque, OSSL_PARAM params[]) {
  const CipherContext& context = Get(opaque);
  OSSL_PARAM* param =
      OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);
  if (param != nullptr && WritePadding(*param, context.padding) != 1) {
    return 0;
  }
  param = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST);
  if (param != nullptr &&
      OSSL_PARAM_set_utf8_string(param, context.digest.c_str()) != 1) {
    return 0;
  }
  param = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST);
  const std::string& mgf =
      context.mgf_digest.empty() ? context.digest : context.mgf_digest;
  return param == nullptr ? 1 : OSSL_PARAM_set_utf8_string(param, mgf.c_str());
}

int Begin(CipherContext& context, const KeyHandle& key,
          const OSSL_PARAM params[]) {
  context.kms_key = key.kms_key;
  context.public_key = Share(key.public_key);
  return context.public_key == nullptr
             ? context.context->core().Raise(Reason::kArguments,
                                             "the key has no public half")
             : SetParams(&context, params);
}

int BeginDecrypting(void* context, void* key, const OSSL_PARAM params[]) {
  const auto& handle = *static_cast<KeyHandle*>(key);
  return MayUse(handle, Usage::kEncryptDecrypt)
             ? Begin(Get(context), handle, params)
             : 0;
}

// Anybody's public key encrypts; what is encrypted to a key of the KMS that
// does not decrypt, nobody can open.
int BeginEncrypting(void* context, void* key, const OSSL_PARAM params[]) {
  const auto& handle = *static_cast<KeyHandle*>(key);
  return handle.kms_key == nullptr || MayUse(handle, Usage::kEncryptDecrypt)
             ? Begin(Get(context), handle, params)
             : 0;
}

// OAEP as the KMS has it: one hash throughout and no label.
const Hash* CheckOaep(const CipherContext& context) {
  if (context.padding != RSA_PKCS1_OAEP_PADDING) {
    RefusePadding(context);
    return nullptr;
  }
  const Hash* const hash = OaepHash(context, context.digest);
  const Hash* const mgf =
      context.mgf_digest.empty() ? hash : OaepHash(context, context.mgf_digest);
  if (hash == nullptr || mgf != hash || !context.label.empty()) {
    context.context->core().Raise(
        Reason::kNotByKms,
        "a KMS decrypts OAEP with SHA-256 or SHA-1 throughout "
        "(rsa_oaep_md:sha256, rsa_mgf1_md:sha256) and without a label");
    return nullptr;
  }
  return hash;
}

int Decrypt(void* opaque, unsigned char* out, size_t* size, size_t room,
            const unsigned char* in, size_t in_size) {
  const CipherContext& context = Get(opaque);
  const Hash* const hash = CheckOaep(context);
  if (hash == nullptr) {
    return 0;
  }
  const auto most =
      static_cast<size_t>(EVP_PKEY_get_size(context.public_key.get()));
  if (out == nullptr) {
    *size = most;
    return 1;
  }
  // As OpenSSL's own does, whatever the plaintext's length will be.
  if (room < most) {
    return context.context->core().Raise(Reason::kArguments,
                                         "the buffer is too short");
  }
  const auto plaintext = context.kms_key->Decrypt(
      {in, in_size}, "RSAES_OAEP_" + std::string(hash->kms));
  if (!plaintext.has_value()) {
    return context.context->core().Raise(Reason::kKms,
                                         plaintext.error().message);
  }
  if (plaintext->size() > most) {
    return context.context->core().Raise(
        Reason::kKms, "the server's plaintext is longer than the key");
  }
  std::ranges::copy(*plaintext, out);
  *size = plaintext->size();
  return 1;
}

int Encrypt(void* opaque, unsigned char* out, size_t* size, size_t,
            const unsigned char* in, size_t in_size) {
  const CipherContext& context = Get(opaque);
  const Hash* const hash = CheckOaep(context);
  if (hash == nullptr) {
    return 0;
  }
  const PkeyContext inside(EVP_PKEY_CTX_new_from_pkey(
      context.context->library(), context.public_key.get(), nullptr));
  return inside != nullptr && EVP_PKEY_encrypt_init(inside.get()) == 1 &&
                 EVP_PKEY_CTX_set_rsa_padding(inside.get(), context.padding) ==
                     1 &&
                 EVP_PKEY_CTX_set_rsa_oaep_md_name(inside.get(), hash->name,
                                                   nullptr) == 1 &&
                 EVP_PKEY_encrypt(inside.get(), out, size, in, in_size) == 1
             ? 1
             : 0;
}

const OSSL_DISPATCH* Functions() {
  static const std::array rows = {
      Row<OSSL_FUNC_asym_cipher_newctx_fn, New>(OSSL_FUNC_ASYM_CIPHER_NEWCTX),
      Row<OSSL_FUNC_asym_cipher_freectx_fn, Free>(
          OSSL_FUNC_ASYM_CIPHER_FREECTX),
      Row<OSSL_FUNC_asym_cipher_dupctx_fn, Dup>(OSSL_FUNC_ASYM_CIPHER_DUPCTX),
      Row<OSSL_FUNC_asym_cipher_decrypt_init_fn, BeginDecrypting>(
          OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT),
      Row<OSSL_FUNC_asym_cipher_decrypt_fn, Decrypt>(
          OSSL_FUNC_ASYM_CIPHER_DECRYPT),
      Row<OSSL_FUNC_asym_cipher_encrypt_init_fn, BeginEncrypting>(
          OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT),
      Row<OSSL_FUNC_asym_cipher_encrypt_fn, Encrypt>(
          OSSL_FUNC_ASYM_CIPHER_ENCRYPT),
      Row<OSSL_FUNC_asym_cipher_get_ctx_params_fn, GetParams>(
          OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS),
      Row<OSSL_FUNC_asym_cipher_gettable_ctx_params_fn, GettableParams>(
          OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS),
      Row<OSSL_FUNC_asym_cipher_set_ctx_params_fn, SetParams>(
          OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS),
      Row<OSSL_FUNC_asym_cipher_settable_ctx_params_fn, SettableParams>(
          OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS),
      kEndOfRows};
  return rows.data();
}

}  // namespace

const OSSL_ALGORITHM* AsymmetricCiphers() {
  static const std::array algorithms = {
      OSSL_ALGORITHM{"RSA:rsaEncryption:1.2.840.113549.1.1.1", kProperties,
                     Functions(), "RSA-OAEP with the KMS"},
      OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
  return algorithms.data();
}

}  // namespace pkcs11::openssl
