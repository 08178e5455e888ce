// SPDX-License-Identifier: Apache-2.0
// SIGNATURE: the functions around SignatureContext.
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pkcs11/openssl/operations.h"
#include "pkcs11/openssl/padding.h"
#include "pkcs11/openssl/shim.h"
#include "pkcs11/openssl/signature_context.h"

namespace pkcs11::openssl {
namespace {

using Purpose = SignatureContext::Purpose;

SignatureContext& Get(void* context) {
  return *static_cast<SignatureContext*>(context);
}

void* New(void* provider, const char*) {
  return new SignatureContext(ContextOf(provider));
}

void Free(void* context) {
  LetGo(std::shared_ptr<SignatureContext>(
      static_cast<SignatureContext*>(context)));
}

void* Dup(void* context) { return Get(context).Copy().release(); }

int SetText(bool (SignatureContext::*set)(const std::string&),
            SignatureContext& context, const OSSL_PARAM* param) {
  return param == nullptr || (context.*set)(ReadText(param)) ? 1 : 0;
}

int SetNumber(bool (SignatureContext::*set)(int), SignatureContext& context,
              const OSSL_PARAM* param,
              std::optional<int> (*read)(const OSSL_PARAM&)) {
  if (param == nullptr) {
    return 1;
  }
  const std::optional<int> number = read(*param);
  if (!number.has_value()) {
    context.Refuse(Reason::kArguments,
                   std::string(param->key) + " cannot be " + ReadText(param));
    return 0;
  }
  return (context.*set)(*number) ? 1 : 0;
}

// The padding before the salt, which means something only with it. All of them
// before it is asked whether they go together: each may be changed.
int SetParams(void* opaque, const OSSL_PARAM params[]) {
  if (params == nullptr) {
    return 1;
  }
  SignatureContext& context = Get(opaque);
  const auto find = [params](const char* name) {
    return OSSL_PARAM_locate_const(params, name);
  };
  const bool done =
      SetText(&SignatureContext::SetDigest, context,
              find(OSSL_SIGNATURE_PARAM_DIGEST)) == 1 &&
      SetNumber(&SignatureContext::SetPadding, context,
                find(OSSL_SIGNATURE_PARAM_PAD_MODE), ReadPadding) == 1 &&
      SetText(&SignatureContext::SetMgfDigest, context,
              find(OSSL_SIGNATURE_PARAM_MGF1_DIGEST)) == 1 &&
      SetNumber(&SignatureContext::SetSaltLength, context,
                find(OSSL_SIGNATURE_PARAM_PSS_SALTLEN), ReadSaltLength) == 1 &&
      context.Fits();
  return done ? 1 : 0;
}

const OSSL_PARAM* SettableParams(void*, void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, nullptr, 0),
       OSSL_PARAM_END});
  return params.data();
}

const OSSL_PARAM* GettableParams(void*, void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
       OSSL_PARAM_END});
  return params.data();
}

int GetParams(void* opaque, OSSL_PARAM params[]) {
  const SignatureContext& context = Get(opaque);
  const auto find = [params](const char* name) {
    return OSSL_PARAM_locate(params, name);
  };
  OSSL_PARAM* param = find(OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
  if (param != nullptr) {
    const base::Bytes id = context.AlgorithmId();
    if (OSSL_PARAM_set_octet_string(param, id.data(), id.size()) != 1) {
      return 0;
    }
  }
  param = find(OSSL_SIGNATURE_PARAM_DIGEST);
  if (param != nullptr &&
      OSSL_PARAM_set_utf8_string(param, context.DigestName().c_str()) != 1) {
    return 0;
  }
  param = find(OSSL_SIGNATURE_PARAM_PAD_MODE);
  if (param != nullptr && WritePadding(*param, context.padding()) != 1) {
    return 0;
  }
  param = find(OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
  if (param != nullptr &&
      OSSL_PARAM_set_utf8_string(param, context.MgfDigestName().c_str()) != 1) {
    return 0;
  }
  param = find(OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
  return param == nullptr ? 1 : WriteSaltLength(*param, context.SaltLength());
}

template <Purpose kPurpose>
int Begin(void* context, void* key, const OSSL_PARAM params[]) {
  return Get(context).Begin(kPurpose, static_cast<KeyHandle*>(key), "") &&
                 SetParams(context, params) == 1
             ? 1
             : 0;
}

template <Purpose kPurpose>
int BeginDigest(void* context, const char* digest, void* key,
                const OSSL_PARAM params[]) {
  return Get(context).Begin(kPurpose, static_cast<KeyHandle*>(key),
                            digest == nullptr ? "" : digest) &&
                 SetParams(context, params) == 1
             ? 1
             : 0;
}

int Update(void* context, const unsigned char* bytes, size_t size) {
  return Get(context).Update({bytes, size}) ? 1 : 0;
}

// As OpenSSL's own signatures do, which know no more of the length before.
bool HasRoom(SignatureContext& context, size_t room) {
  return room >= context.Size() ||
         context.Refuse(Reason::kArguments, "the buffer is too short");
}

int Sign(void* context, unsigned char* signature, size_t* size, size_t room,
         const unsigned char* input, size_t input_size) {
  if (signature == nullptr) {
    *size = Get(context).Size();
    return 1;
  }
  if (!HasRoom(Get(context), room)) {
    return 0;
  }
  const auto made = Get(context).Sign({input, input_size});
  if (!made.has_value()) {
    return 0;
  }
  std::ranges::copy(*made, signature);
  *size = made->size();
  return 1;
}

int SignDigest(void* context, unsigned char* signature, size_t* size,
               size_t room) {
  if (signature == nullptr) {
    return Sign(context, nullptr, size, 0, nullptr, 0);
  }
  if (!HasRoom(Get(context), room)) {
    return 0;
  }
  const auto digest = Get(context).Digest();
  return digest.has_value() ? Sign(context, signature, size, room,
                                   digest->data(), digest->size())
                            : 0;
}

int Verify(void* context, const unsigned char* signature, size_t size,
           const unsigned char* input, size_t input_size) {
  return Get(context).Verify({signature, size}, {input, input_size}) ? 1 : 0;
}

int VerifyDigest(void* context, const unsigned char* signature, size_t size) {
  const auto digest = Get(context).Digest();
  return digest.has_value() && Get(context).Verify({signature, size}, *digest)
             ? 1
             : 0;
}

// Of what is hashed here first.
const OSSL_DISPATCH* DigestFunctions() {
  static const std::array rows = {
      Row<OSSL_FUNC_signature_newctx_fn, New>(OSSL_FUNC_SIGNATURE_NEWCTX),
      Row<OSSL_FUNC_signature_freectx_fn, Free>(OSSL_FUNC_SIGNATURE_FREECTX),
      Row<OSSL_FUNC_signature_dupctx_fn, Dup>(OSSL_FUNC_SIGNATURE_DUPCTX),
      Row<OSSL_FUNC_signature_sign_init_fn, Begin<Purpose::kSign>>(
          OSSL_FUNC_SIGNATURE_SIGN_INIT),
      Row<OSSL_FUNC_signature_sign_fn, Sign>(OSSL_FUNC_SIGNATURE_SIGN),
      Row<OSSL_FUNC_signature_verify_init_fn, Begin<Purpose::kVerify>>(
          OSSL_FUNC_SIGNATURE_VERIFY_INIT),
      Row<OSSL_FUNC_signature_verify_fn, Verify>(OSSL_FUNC_SIGNATURE_VERIFY),
      Row<OSSL_FUNC_signature_digest_sign_init_fn, BeginDigest<Purpose::kSign>>(
          OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT),
      Row<OSSL_FUNC_signature_digest_sign_update_fn, Update>(
          OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE),
      Row<OSSL_FUNC_signature_digest_sign_final_fn, SignDigest>(
          OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL),
      Row<OSSL_FUNC_signature_digest_verify_init_fn,
          BeginDigest<Purpose::kVerify>>(
          OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT),
      Row<OSSL_FUNC_signature_digest_verify_update_fn, Update>(
          OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE),
      Row<OSSL_FUNC_signature_digest_verify_final_fn, VerifyDigest>(
          OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL),
      Row<OSSL_FUNC_signature_get_ctx_params_fn, GetParams>(
          OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS),
      Row<OSSL_FUNC_signature_gettable_ctx_params_fn, GettableParams>(
          OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS),
      Row<OSSL_FUNC_signature_set_ctx_params_fn, SetParams>(
          OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS),
      Row<OSSL_FUNC_signature_settable_ctx_params_fn, SettableParams>(
          OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS),
      kEndOfRows};
  return rows.data();
}

// Of what is signed as it is, in one piece.
const OSSL_DISPATCH* MessageFunctions() {
  static const std::array rows = {
      Row<OSSL_FUNC_signature_newctx_fn, New>(OSSL_FUNC_SIGNATURE_NEWCTX),
      Row<OSSL_FUNC_signature_freectx_fn, Free>(OSSL_FUNC_SIGNATURE_FREECTX),
      Row<OSSL_FUNC_signature_dupctx_fn, Dup>(OSSL_FUNC_SIGNATURE_DUPCTX),
      Row<OSSL_FUNC_signature_digest_sign_init_fn, BeginDigest<Purpose::kSign>>(
          OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT),
      Row<OSSL_FUNC_signature_digest_sign_fn, Sign>(
          OSSL_FUNC_SIGNATURE_DIGEST_SIGN),
      Row<OSSL_FUNC_signature_digest_verify_init_fn,
          BeginDigest<Purpose::kVerify>>(
          OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT),
      Row<OSSL_FUNC_signature_digest_verify_fn, Verify>(
          OSSL_FUNC_SIGNATURE_DIGEST_VERIFY),
      Row<OSSL_FUNC_signature_get_ctx_params_fn, GetParams>(
          OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS),
      Row<OSSL_FUNC_signature_gettable_ctx_params_fn, GettableParams>(
          OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS),
      kEndOfRows};
  return rows.data();
}

}  // namespace

const OSSL_ALGORITHM* Signatures() {
  static const std::array algorithms = {
      OSSL_ALGORITHM{"RSA:rsaEncryption:1.2.840.113549.1.1.1", kProperties,
                     DigestFunctions(), "RSA signatures of the KMS"},
      OSSL_ALGORITHM{"ECDSA", kProperties, DigestFunctions(),
                     "ECDSA signatures of the KMS"},
      OSSL_ALGORITHM{"ED25519:1.3.101.112", kProperties, MessageFunctions(),
                     "Ed25519 signatures of the KMS"},
      OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
  return algorithms.data();
}

}  // namespace pkcs11::openssl
