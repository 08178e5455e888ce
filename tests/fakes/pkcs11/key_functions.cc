// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <utility>

#include "base/random.h"
#include "tests/fakes/pkcs11/aes.h"
#include "tests/fakes/pkcs11/faults.h"
#include "tests/fakes/pkcs11/functions.h"
#include "tests/fakes/pkcs11/state.h"

namespace fakes::pkcs11 {
namespace {

constexpr CK_MECHANISM_TYPE kAesKeyWrapKwp = 0x210B;

// The key for `mechanism`, if it may be used so.
CK_RV CheckKey(CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE usage,
               CK_MECHANISM_TYPE mechanism, Object** key) {
  *key = TheToken().objects.Find(handle);
  if (*key == nullptr) {
    return CKR_KEY_HANDLE_INVALID;
  }
  if (!(*key)->Has(CKA_VALUE)) {
    return CKR_GENERAL_ERROR;  // Half-made.
  }
  if (!(*key)->Allows(mechanism)) {
    return CKR_MECHANISM_INVALID;
  }
  return (*key)->Is(usage) ? CKR_OK : CKR_KEY_FUNCTION_NOT_PERMITTED;
}

CK_RV StartGcm(std::optional<Operation>& operation, CK_MECHANISM* mechanism,
               CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE usage) {
  if (operation) {
    return CKR_OPERATION_ACTIVE;
  }
  Object* key = nullptr;
  if (const CK_RV rv = CheckKey(handle, usage, mechanism->mechanism, &key);
      rv != CKR_OK) {
    return rv;
  }
  const auto* gcm = static_cast<const CK_GCM_PARAMS*>(mechanism->pParameter);
  if (mechanism->mechanism != CKM_AES_GCM || gcm->iv_len != 12 ||
      gcm->iv_bits != 96 || gcm->tag_bits != 128 || gcm->aad_ptr == nullptr) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  operation =
      Operation{.key = handle,
                .iv = Bytes(gcm->iv_ptr, gcm->iv_ptr + gcm->iv_len),
                .aad = Bytes(gcm->aad_ptr, gcm->aad_ptr + gcm->aad_len)};
  return CKR_OK;
}

// An IV of the token's own over one of zeros; false if there are no zeros.
bool WriteIv(CK_GCM_PARAMS* gcm) {
  const std::span<CK_BYTE> iv(gcm->iv_ptr, gcm->iv_len);
  if (!std::ranges::all_of(iv, [](CK_BYTE byte) { return byte == 0; })) {
    return false;
  }
  base::RandomBytes(iv);
  return true;
}

// Whether `with` may unwrap what is asked for.
bool MayUnwrap(const Object& with, const Object& wanted) {
  const bool sensitive = wanted.Is(CKA_SENSITIVE);
  const bool extractable = wanted.Is(CKA_EXTRACTABLE);
  if (sensitive == extractable && Told("picky-unwrapping")) {
    return false;
  }
  if (!with.Has(CKA_UNWRAP_TEMPLATE) || (sensitive && !extractable)) {
    return true;
  }
  if (sensitive) {
    return Told("theft unwrap-extractable");
  }
  return Told(extractable ? "theft unwrap-readable" : "theft unwrap-hidden");
}

}  // namespace

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                    CK_OBJECT_HANDLE key) {
  if (const CK_RV rv = BeginUser("C_EncryptInit", session); rv != CKR_OK) {
    return rv;
  }
  const bool in_place = Told("iv-in-place");
  if (in_place && mechanism->mechanism == CKM_AES_GCM &&
      !WriteIv(static_cast<CK_GCM_PARAMS*>(mechanism->pParameter))) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  return StartGcm(FindSession(session)->encrypt, mechanism, key, CKA_ENCRYPT);
}

// Whatever fails leaves the operation active, as SoftHSM does: the caller must
// close the session.
CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_size,
                CK_BYTE* out, CK_ULONG* out_size) {
  if (const CK_RV rv = BeginUser("C_Encrypt", session); rv != CKR_OK) {
    return rv;
  }
  auto& operation = FindSession(session)->encrypt;
  if (!operation || in == nullptr) {
    return operation ? CKR_ARGUMENTS_BAD : CKR_OPERATION_NOT_INITIALIZED;
  }
  const Object* key = TheToken().objects.Find(operation->key);
  auto sealed =
      EncryptGcm(key->value(), operation->iv, operation->aad, {in, in_size});
  if (Told("appends-iv")) {
    sealed->insert(sealed->end(), operation->iv.begin(), operation->iv.end());
  }
  if (Lies("C_Encrypt")) {
    sealed->front() ^= 1;
  }
  const CK_RV rv = Return(*std::move(sealed), out, out_size);
  if (rv == CKR_OK) {
    operation.reset();
  }
  return rv;
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                    CK_OBJECT_HANDLE key) {
  if (const CK_RV rv = BeginUser("C_DecryptInit", session); rv != CKR_OK) {
    return rv;
  }
  return StartGcm(FindSession(session)->decrypt, mechanism, key, CKA_DECRYPT);
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_size,
                CK_BYTE* out, CK_ULONG* out_size) {
  if (const CK_RV rv = BeginUser("C_Decrypt", session); rv != CKR_OK) {
    return rv;
  }
  auto& operation = FindSession(session)->decrypt;
  if (!operation || in == nullptr) {
    return operation ? CKR_ARGUMENTS_BAD : CKR_OPERATION_NOT_INITIALIZED;
  }
  const Object* key = TheToken().objects.Find(operation->key);
  auto opened =
      DecryptGcm(key->value(), operation->iv, operation->aad, {in, in_size});
  if (!opened && Told("bad-tag-unknown")) {
    return CKR_ARGUMENTS_BAD;
  }
  if (!opened) {
    return Told("accept-forgery") ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID;
  }
  if (Lies("C_Decrypt") && !opened->empty()) {
    opened->front() ^= 1;
  }
  const CK_RV rv = Return(*std::move(opened), out, out_size);
  if (rv == CKR_OK) {
    operation.reset();
  }
  return rv;
}

CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE handle, CK_BYTE* out,
                CK_ULONG* out_size) {
  if (const CK_RV rv = BeginUser("C_WrapKey", session); rv != CKR_OK) {
    return rv;
  }
  if (mechanism->mechanism != kAesKeyWrapKwp || Told("no-wrapping")) {
    return mechanism->mechanism == CKM_RSA_PKCS && Told("rsa-wrapping-odd")
               ? CKR_GENERAL_ERROR
               : CKR_MECHANISM_INVALID;
  }
  Object* wrapping = nullptr;
  if (const CK_RV rv =
          CheckKey(with, CKA_WRAP, mechanism->mechanism, &wrapping);
      rv != CKR_OK) {
    return rv;
  }
  const Object* key = TheToken().objects.Find(handle);
  if (key == nullptr) {
    return CKR_KEY_HANDLE_INVALID;
  }
  if (!key->Is(CKA_EXTRACTABLE) && !Told("theft wrap")) {
    return Told("refuses-oddly") ? CKR_FUNCTION_FAILED : CKR_KEY_UNEXTRACTABLE;
  }
  if (key->Is(CKA_WRAP_WITH_TRUSTED) && !wrapping->Is(CKA_TRUSTED)) {
    return CKR_KEY_NOT_WRAPPABLE;
  }
  const CK_ATTRIBUTE_TYPE bytes =
      key->Has(CKA_VALUE) ? CKA_VALUE : CKA_PRIVATE_EXPONENT;
  return Return(*WrapKwp(wrapping->value(), key->attributes.at(bytes)), out,
                out_size);
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE with, CK_BYTE* wrapped, CK_ULONG size,
                  CK_ATTRIBUTE* attributes, CK_ULONG count,
                  CK_OBJECT_HANDLE* handle) {
  if (const CK_RV rv = BeginUser("C_UnwrapKey", session); rv != CKR_OK) {
    return rv;
  }
  Object* wrapping = nullptr;
  if (const CK_RV rv =
          CheckKey(with, CKA_UNWRAP, mechanism->mechanism, &wrapping);
      rv != CKR_OK) {
    return rv;
  }
  if (mechanism->mechanism != kAesKeyWrapKwp) {
    return CKR_MECHANISM_INVALID;
  }
  const auto value = UnwrapKwp(wrapping->value(), {wrapped, size});
  if (!value) {
    return CKR_WRAPPED_KEY_INVALID;
  }
  Object key{FromTemplate({attributes, count}), 0, {}};
  if (!MayUnwrap(*wrapping, key)) {
    return CKR_TEMPLATE_INCONSISTENT;
  }
  key.attributes[CKA_VALUE] = *value;
  return AddObject(session, std::move(key), handle);
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE handle, CK_ATTRIBUTE* attributes,
                  CK_ULONG count, CK_OBJECT_HANDLE* derived) {
  if (const CK_RV rv = BeginUser("C_DeriveKey", session); rv != CKR_OK) {
    return rv;
  }
  if (mechanism->mechanism != CKM_AES_ECB_ENCRYPT_DATA || Told("no-derive")) {
    return CKR_MECHANISM_INVALID;
  }
  Object* key = nullptr;
  if (const CK_RV rv = CheckKey(handle, CKA_DERIVE, mechanism->mechanism, &key);
      rv != CKR_OK) {
    return rv;
  }
  const auto* parameter =
      static_cast<const CK_KEY_DERIVATION_STRING_DATA*>(mechanism->pParameter);
  auto value = EncryptEcb(key->value(),
                          {parameter->string_data, parameter->string_data_len});
  if (Lies("C_DeriveKey")) {
    value->front() ^= 1;
  }
  Object made{FromTemplate({attributes, count}), 0, {}};
  made.attributes[CKA_VALUE] = *value;
  return AddObject(session, std::move(made), derived);
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) {
  if (const CK_RV rv = BeginUser("C_GenerateRandom", session); rv != CKR_OK) {
    return rv;
  }
  base::RandomBytes({out, size});
  return CKR_OK;
}

}  // namespace fakes::pkcs11
