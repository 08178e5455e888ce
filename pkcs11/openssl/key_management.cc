// SPDX-License-Identifier: Apache-2.0
// KEYMGMT: what an EVP_PKEY of ours is. The public half is a key of OpenSSL's
// default provider in a library context of our own, which answers every
// question about it.
#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "pkcs11/openssl/handles.h"
#include "pkcs11/openssl/key.h"
#include "pkcs11/openssl/operations.h"
#include "pkcs11/openssl/shim.h"
#include "pkcs11/public_key.h"

namespace pkcs11::openssl {
namespace {

constexpr int kPrivate = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
constexpr int kPublic = OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
constexpr int kParameters = OSSL_KEYMGMT_SELECT_ALL_PARAMETERS;

constexpr const char* kRsa = "RSA";
constexpr const char* kRsaPss = "RSA-PSS";
constexpr const char* kEc = "EC";
constexpr const char* kEd25519 = "ED25519";

KeyHandle* Handle(void* key) { return static_cast<KeyHandle*>(key); }
const KeyHandle* Handle(const void* key) {
  return static_cast<const KeyHandle*>(key);
}

template <const char* const& kType>
void* New(void* provider) {
  return new KeyHandle{ContextOf(provider), kType, nullptr, nullptr};
}

void Free(void* key) { LetGo(std::shared_ptr<KeyHandle>(Handle(key))); }

// `reference` is what GiveKey() made.
void* Load(const void* reference, size_t size) {
  if (reference == nullptr || size != kReferenceBytes) {
    return nullptr;
  }
  // OpenSSL passes on as const what it was given as not.
  return std::exchange(*static_cast<KeyHandle**>(const_cast<void*>(reference)),
                       nullptr);
}

int Has(const void* key, int selection) {
  const KeyHandle* const handle = Handle(key);
  const bool well =
      handle != nullptr &&
      ((selection & kPrivate) == 0 || handle->kms_key != nullptr) &&
      ((selection & kPublic) == 0 ||
       (handle->public_key != nullptr && handle->has_point)) &&
      ((selection & kParameters) == 0 || handle->public_key != nullptr);
  return well ? 1 : 0;
}

int Match(const void* one, const void* other, int selection) {
  const EVP_PKEY* const a = Handle(one)->public_key.get();
  const EVP_PKEY* const b = Handle(other)->public_key.get();
  if (a == nullptr || b == nullptr) {
    return 0;
  }
  const QuietQueue quiet;
  const bool whole = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
  const bool same =
      whole ? EVP_PKEY_eq(a, b) == 1 : EVP_PKEY_parameters_eq(a, b) == 1;
  return same ? 1 : 0;
}

// The names that OpenSSL and its applications ask for.
const OSSL_PARAM* GettableParams(void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
       OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
       OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                              nullptr, 0),
       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
       OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
       OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
       OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, nullptr, 0),
       OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, nullptr, 0), OSSL_PARAM_END});
  return params.data();
}

int GetParams(void* key, OSSL_PARAM params[]) {
  const EVP_PKEY* const public_key = Handle(key)->public_key.get();
  return public_key == nullptr ? 0 : EVP_PKEY_get_params(public_key, params);
}

// What to ask our own OpenSSL for. Private parts it has none.
int Ours(int selection) {
  return (selection & kPublic) != 0 ? EVP_PKEY_PUBLIC_KEY
                                    : EVP_PKEY_KEY_PARAMETERS;
}

// A key with what of another one `selection` says; null if that cannot be.
PkeyOwner CopyOf(const KeyHandle& handle, int selection) {
  if ((selection & kPublic) != 0 || handle.public_key == nullptr) {
    return Share(handle.public_key);
  }
  OSSL_PARAM* raw = nullptr;
  EVP_PKEY* made = nullptr;
  const PkeyContext context = MakerOf(handle.type, handle.context->library());
  if (context == nullptr ||
      EVP_PKEY_todata(handle.public_key.get(), EVP_PKEY_KEY_PARAMETERS, &raw) !=
          1) {
    return nullptr;
  }
  const ParamsOwner params(raw);
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEY_PARAMETERS,
                        params.get()) != 1) {
    return nullptr;
  }
  return PkeyOwner(made);
}

// Before every operation OpenSSL tries to bring the key to the default
// provider's implementation of it, with a selection of everything. Only when
// that is refused does it come to ours: giving the public half "anyway" would
// make it sign with a key that has no private one.
int Export(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
  const KeyHandle* const handle = Handle(key);
  if (handle->public_key == nullptr ||
      ((selection & kPrivate) != 0 && handle->kms_key != nullptr)) {
    return 0;
  }
  OSSL_PARAM* raw = nullptr;
  if (EVP_PKEY_todata(handle->public_key.get(), Ours(selection), &raw) != 1) {
    return 0;
  }
  const ParamsOwner params(raw);
  return CallBack(callback, params.get(), argument);
}

// Software's private keys are nothing that a client of a KMS should see.
bool HasPrivatePart(const OSSL_PARAM* params) {
  return OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_D) != nullptr ||
         OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PRIV_KEY) != nullptr;
}

int Import(void* key, int selection, const OSSL_PARAM params[]) {
  KeyHandle* const handle = Handle(key);
  if (HasPrivatePart(params) || handle->kms_key != nullptr) {
    return 0;
  }
  EVP_PKEY* made = nullptr;
  const PkeyContext context = MakerOf(handle->type, handle->context->library());
  // EVP_PKEY_fromdata() takes parameters that it may change.
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, Ours(selection),
                        const_cast<OSSL_PARAM*>(params)) != 1) {
    return 0;
  }
  handle->public_key.reset(made);
  handle->has_point = (selection & kPublic) != 0;
  return 1;
}

template <const char* const& kType>
const OSSL_PARAM* Types(int selection) {
  static const auto rsa = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
       OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0), OSSL_PARAM_END});
  static const auto curve = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
       OSSL_PARAM_END});
  static const auto edwards = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
       OSSL_PARAM_END});
  if ((selection & (kPublic | kParameters)) == 0) {
    return nullptr;
  }
  if (kType == kEc) {
    return curve.data();
  }
  return kType == kEd25519 ? edwards.data() : rsa.data();
}

// CMS copies our *private* key with the parameters only and makes another's
// public key of the copy: one that was the same key would give a wrong secret.
void* Dup(const void* key, int selection) {
  const KeyHandle* const handle = Handle(key);
  PkeyOwner copy = CopyOf(*handle, selection);
  if (copy == nullptr && handle->public_key != nullptr) {
    return nullptr;
  }
  return new KeyHandle{handle->context, handle->type,
                       (selection & kPrivate) != 0 ? handle->kms_key : nullptr,
                       std::move(copy),
                       handle->has_point && (selection & kPublic) != 0};
}

const OSSL_PARAM* SettableParams(void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
       OSSL_PARAM_END});
  return params.data();
}

int SetParams(void* key, const OSSL_PARAM params[]) {
  KeyHandle* const handle = Handle(key);
  const OSSL_PARAM* const point =
      OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
  if (point == nullptr) {
    return 1;
  }
  if (handle->kms_key != nullptr ||
      point->data_type != OSSL_PARAM_OCTET_STRING) {
    return handle->context->core().Raise(
        Reason::kArguments, "a key of the KMS cannot be given another point");
  }
  // Not that of `handle`, which others may share.
  PkeyOwner fresh = CopyOf(*handle, kParameters);
  if (fresh == nullptr ||
      EVP_PKEY_set1_encoded_public_key(
          fresh.get(), static_cast<const unsigned char*>(point->data),
          point->data_size) != 1) {
    return handle->context->core().Raise(Reason::kArguments,
                                         "this is no point on the curve");
  }
  handle->public_key = std::move(fresh);
  handle->has_point = true;
  return 1;
}

// The names under which algorithms.h of other operations know this type.
const char* RsaOperation(int) { return kRsa; }
const char* Ed25519Operation(int) { return kEd25519; }
const char* EcOperation(int operation) {
  return operation == OSSL_OP_KEYEXCH ? "ECDH" : "ECDSA";
}

template <const char* const& kType, auto kOperation>
const OSSL_DISPATCH* Functions() {
  static const std::array rows = {
      Row<OSSL_FUNC_keymgmt_new_fn, New<kType>>(OSSL_FUNC_KEYMGMT_NEW),
      Row<OSSL_FUNC_keymgmt_free_fn, Free>(OSSL_FUNC_KEYMGMT_FREE),
      Row<OSSL_FUNC_keymgmt_load_fn, Load>(OSSL_FUNC_KEYMGMT_LOAD),
      Row<OSSL_FUNC_keymgmt_has_fn, Has>(OSSL_FUNC_KEYMGMT_HAS),
      Row<OSSL_FUNC_keymgmt_match_fn, Match>(OSSL_FUNC_KEYMGMT_MATCH),
      Row<OSSL_FUNC_keymgmt_gettable_params_fn, GettableParams>(
          OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS),
      Row<OSSL_FUNC_keymgmt_get_params_fn, GetParams>(
          OSSL_FUNC_KEYMGMT_GET_PARAMS),
      Row<OSSL_FUNC_keymgmt_settable_params_fn, SettableParams>(
          OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS),
      Row<OSSL_FUNC_keymgmt_set_params_fn, SetParams>(
          OSSL_FUNC_KEYMGMT_SET_PARAMS),
      Row<OSSL_FUNC_keymgmt_export_fn, Export>(OSSL_FUNC_KEYMGMT_EXPORT),
      Row<OSSL_FUNC_keymgmt_export_types_fn, Types<kType>>(
          OSSL_FUNC_KEYMGMT_EXPORT_TYPES),
      Row<OSSL_FUNC_keymgmt_import_fn, Import>(OSSL_FUNC_KEYMGMT_IMPORT),
      Row<OSSL_FUNC_keymgmt_import_types_fn, Types<kType>>(
          OSSL_FUNC_KEYMGMT_IMPORT_TYPES),
      Row<OSSL_FUNC_keymgmt_dup_fn, Dup>(OSSL_FUNC_KEYMGMT_DUP),
      Row<OSSL_FUNC_keymgmt_query_operation_name_fn, kOperation>(
          OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME),
      kEndOfRows};
  return rows.data();
}

}  // namespace

const OSSL_ALGORITHM* KeyManagement() {
  static const std::array algorithms = {
      OSSL_ALGORITHM{"RSA:rsaEncryption:1.2.840.113549.1.1.1", kProperties,
                     Functions<kRsa, RsaOperation>(), "RSA keys of the KMS"},
      OSSL_ALGORITHM{"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", kProperties,
                     Functions<kRsaPss, RsaOperation>(),
                     "RSA keys of the KMS for PSS only"},
      OSSL_ALGORITHM{"EC:id-ecPublicKey:1.2.840.10045.2.1", kProperties,
                     Functions<kEc, EcOperation>(), "EC keys of the KMS"},
      OSSL_ALGORITHM{"ED25519:1.3.101.112", kProperties,
                     Functions<kEd25519, Ed25519Operation>(),
                     "Ed25519 keys of the KMS"},
      OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
  return algorithms.data();
}

}  // namespace pkcs11::openssl
