// SPDX-License-Identifier: Apache-2.0
// KEYEXCH: ECDH. The shared secret is the KMS's, the KDF behind it is run here.
// TLS has no use for it: its keys are made for one connection.
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pkcs11/openssl/key.h"
#include "pkcs11/openssl/operations.h"
#include "pkcs11/openssl/padding.h"
#include "pkcs11/openssl/shim.h"
#include "pkcs11/public_key.h"

namespace pkcs11::openssl {
namespace {

using KdfOwner = std::unique_ptr<EVP_KDF, OpensslFree<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, OpensslFree<EVP_KDF_CTX_free>>;

// An ExchangeContext is what an EVP_PKEY_CTX of ours points to that derives.
// Not synchronised.
struct ExchangeContext {
  ContextOwner context;
  std::shared_ptr<const KmsKey> kms_key;
  PkeyOwner public_key;
  PkeyOwner peer;
  std::string kdf;  // Empty: none.
  std::string kdf_digest = kSha1.name;
  size_t kdf_size = 0;
  base::Bytes ukm;
};

ExchangeContext& Get(void* context) {
  return *static_cast<ExchangeContext*>(context);
}

void* New(void* provider) {
  return new ExchangeContext{ContextOf(provider), nullptr, nullptr, nullptr};
}

void Free(void* context) {
  LetGo(
      std::shared_ptr<ExchangeContext>(static_cast<ExchangeContext*>(context)));
}

void* Dup(void* context) {
  const ExchangeContext& from = Get(context);
  return new ExchangeContext{
      from.context, from.kms_key,    Share(from.public_key), Share(from.peer),
      from.kdf,     from.kdf_digest, from.kdf_size,          from.ukm};
}

int Refuse(const ExchangeContext& context, Reason reason,
           std::string_view text) {
  return context.context->core().Raise(reason, text);
}

int SetKdf(ExchangeContext& context, const OSSL_PARAM& param) {
  context.kdf = ReadText(&param);
  return context.kdf.empty() || context.kdf == OSSL_KDF_NAME_X963KDF
             ? 1
             : Refuse(context, Reason::kArguments,
                      "the KDF behind ECDH is X963KDF or none");
}

// The cofactor of every curve of the KMS is 1: with and without it are one.
int SetParams(void* opaque, const OSSL_PARAM params[]) {
  if (params == nullptr) {
    return 1;
  }
  ExchangeContext& context = Get(opaque);
  const auto find = [params](const char* name) {
    return OSSL_PARAM_locate_const(params, name);
  };
  const OSSL_PARAM* param = find(OSSL_EXCHANGE_PARAM_KDF_TYPE);
  if (param != nullptr && SetKdf(context, *param) != 1) {
    return 0;
  }
  param = find(OSSL_EXCHANGE_PARAM_KDF_DIGEST);
  if (param != nullptr) {
    context.kdf_digest = ReadText(param);
  }
  param = find(OSSL_EXCHANGE_PARAM_KDF_OUTLEN);
  if (param != nullptr &&
      OSSL_PARAM_get_size_t(param, &context.kdf_size) != 1) {
    return 0;
  }
  param = find(OSSL_EXCHANGE_PARAM_KDF_UKM);
  if (param == nullptr) {
    return 1;
  }
  const void* bytes = nullptr;
  size_t size = 0;
  if (OSSL_PARAM_get_octet_string_ptr(param, &bytes, &size) != 1) {
    return 0;
  }
  const auto* const first = static_cast<const std::uint8_t*>(bytes);
  context.ukm.assign(first, first + size);
  return 1;
}

const OSSL_PARAM* SettableParams(void*, void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, nullptr),
       OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST_PROPS, nullptr, 0),
       OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, nullptr),
       OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, nullptr, 0),
       OSSL_PARAM_END});
  return params.data();
}

const OSSL_PARAM* GettableParams(void*, void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, nullptr),
       OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, nullptr, 0),
       OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, nullptr),
       OSSL_PARAM_END});
  return params.data();
}

int GetParams(void* opaque, OSSL_PARAM params[]) {
  const ExchangeContext& context = Get(opaque);
  const auto find = [params](const char* name) {
    return OSSL_PARAM_locate(params, name);
  };
  OSSL_PARAM* param = find(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE);
  if (param != nullptr && OSSL_PARAM_set_int(param, 0) != 1) {
    return 0;
  }
  param = find(OSSL_EXCHANGE_PARAM_KDF_TYPE);
  if (param != nullptr &&
      OSSL_PARAM_set_utf8_string(param, context.kdf.c_str()) != 1) {
    return 0;
  }
  param = find(OSSL_EXCHANGE_PARAM_KDF_DIGEST);
  if (param != nullptr &&
      OSSL_PARAM_set_utf8_string(param, context.kdf_digest.c_str()) != 1) {
    return 0;
  }
  param = find(OSSL_EXCHANGE_PARAM_KDF_OUTLEN);
  return param == nullptr ? 1 : OSSL_PARAM_set_size_t(param, context.kdf_size);
}

int Begin(void* opaque, void* key, const OSSL_PARAM params[]) {
  const auto& handle = *static_cast<KeyHandle*>(key);
  if (!MayUse(handle, Usage::kKeyAgreement)) {
    return 0;
  }
  ExchangeContext& context = Get(opaque);
  context.kms_key = handle.kms_key;
  context.public_key = Share(handle.public_key);
  context.peer.reset();
  return SetParams(opaque, params);
}

bool AreOnOneCurve(const PkeyOwner& one, const PkeyOwner& other) {
  const QuietQueue quiet;
  return one != nullptr && other != nullptr &&
         EVP_PKEY_parameters_eq(one.get(), other.get()) == 1;
}

int SetPeer(void* opaque, void* key) {
  ExchangeContext& context = Get(opaque);
  const auto& handle = *static_cast<KeyHandle*>(key);
  if (!handle.has_point ||
      !AreOnOneCurve(context.public_key, handle.public_key)) {
    return Refuse(context, Reason::kArguments,
                  "the peer's key must be a public key on the same curve");
  }
  context.peer = Share(handle.public_key);
  return 1;
}

// The X9.63 KDF over a secret.
bool RunKdf(const ExchangeContext& context, base::WipingBytes secret,
            std::span<unsigned char> out) {
  const QuietQueue quiet;
  const KdfOwner kdf(
      EVP_KDF_fetch(context.context->library(), context.kdf.c_str(), nullptr));
  const KdfContext running(kdf == nullptr ? nullptr
                                          : EVP_KDF_CTX_new(kdf.get()));
  std::string digest = context.kdf_digest;
  base::Bytes ukm = context.ukm;
  const std::array<OSSL_PARAM, 4> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(),
                                        secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, ukm.data(),
                                        ukm.size()),
      OSSL_PARAM_construct_end()};
  return running != nullptr && EVP_KDF_derive(running.get(), out.data(),
                                              out.size(), params.data()) == 1;
}

int Derive(void* opaque, unsigned char* out, size_t* size, size_t room) {
  const ExchangeContext& context = Get(opaque);
  if (context.kms_key == nullptr || context.peer == nullptr) {
    return Refuse(context, Reason::kArguments, "there is no peer's key");
  }
  const size_t needed = context.kdf.empty() ? context.kms_key->spec->curve->size
                                            : context.kdf_size;
  if (out == nullptr) {
    *size = needed;
    return 1;
  }
  if (room < needed || needed == 0) {
    return Refuse(context, Reason::kArguments, "the buffer is too short");
  }
  const base::Result<base::Bytes> spki = SpkiOf(context.peer.get());
  if (!spki.has_value()) {
    return Refuse(context, Reason::kOpenssl, spki.error().message);
  }
  auto secret = context.kms_key->Agree(*spki);
  if (!secret.has_value()) {
    return Refuse(context, Reason::kKms, secret.error().message);
  }
  if (secret->size() != context.kms_key->spec->curve->size) {
    return Refuse(context, Reason::kKms,
                  "the server's shared secret has a wrong length");
  }
  *size = needed;
  if (context.kdf.empty()) {
    std::ranges::copy(*secret, out);
    return 1;
  }
  return RunKdf(context, *std::move(secret), {out, needed})
             ? 1
             : Refuse(context, Reason::kOpenssl, "X963KDF");
}

const OSSL_DISPATCH* Functions() {
  static const std::array rows = {
      Row<OSSL_FUNC_keyexch_newctx_fn, New>(OSSL_FUNC_KEYEXCH_NEWCTX),
      Row<OSSL_FUNC_keyexch_freectx_fn, Free>(OSSL_FUNC_KEYEXCH_FREECTX),
      Row<OSSL_FUNC_keyexch_dupctx_fn, Dup>(OSSL_FUNC_KEYEXCH_DUPCTX),
      Row<OSSL_FUNC_keyexch_init_fn, Begin>(OSSL_FUNC_KEYEXCH_INIT),
      Row<OSSL_FUNC_keyexch_set_peer_fn, SetPeer>(OSSL_FUNC_KEYEXCH_SET_PEER),
      Row<OSSL_FUNC_keyexch_derive_fn, Derive>(OSSL_FUNC_KEYEXCH_DERIVE),
      Row<OSSL_FUNC_keyexch_get_ctx_params_fn, GetParams>(
          OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS),
      Row<OSSL_FUNC_keyexch_gettable_ctx_params_fn, GettableParams>(
          OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS),
      Row<OSSL_FUNC_keyexch_set_ctx_params_fn, SetParams>(
          OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS),
      Row<OSSL_FUNC_keyexch_settable_ctx_params_fn, SettableParams>(
          OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS),
      kEndOfRows};
  return rows.data();
}

}  // namespace

const OSSL_ALGORITHM* KeyExchanges() {
  static const std::array algorithms = {
      OSSL_ALGORITHM{"ECDH", kProperties, Functions(), "ECDH with the KMS"},
      OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
  return algorithms.data();
}

}  // namespace pkcs11::openssl
