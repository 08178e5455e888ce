// SPDX-License-Identifier: Apache-2.0
// SoftHSM behind a module that makes the IVs of AES-GCM itself, in the way that
// $OWN_IVS_MODE names (../own_ivs_token.h). $OWN_IVS_MODULE is SoftHSM's. All
// but the functions here are SoftHSM's own.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace fakes::own_ivs {
namespace {

constexpr std::size_t kIvSize = 12;
constexpr std::size_t kLunaIvSize = 16;

// An encryption by AES-GCM that has begun.
struct Operation {
  CK_BYTE* callers;  // Where the caller's IV stands, until C_Encrypt is over.
  std::vector<CK_BYTE> iv;
};

CK_FUNCTION_LIST* softhsm = nullptr;
std::map<CK_SESSION_HANDLE, Operation> operations;

bool Is(std::string_view mode) {
  const char* told = std::getenv("OWN_IVS_MODE");
  return told != nullptr && told == mode;
}

bool Appends() { return Is("appends 12") || Is("appends 16"); }

bool IsZero(std::span<const CK_BYTE> iv) {
  return std::ranges::all_of(iv, [](CK_BYTE byte) { return byte == 0; });
}

std::vector<CK_BYTE> NewIv() {
  std::vector<CK_BYTE> iv(Is("appends 16") ? kLunaIvSize : kIvSize, 1);
  if (!Is("repeats")) {
    base::RandomBytes(iv);
  }
  return iv;
}

// "in place" insists on zeros, as AWS CloudHSM does. Others take what they are
// given and do not heed it, as Thales Luna does in FIPS mode.
CK_RV EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE key) {
  operations.erase(session);
  if (mechanism->mechanism != CKM_AES_GCM || Is("caller")) {
    return softhsm->C_EncryptInit(session, mechanism, key);
  }
  CK_GCM_PARAMS gcm = *static_cast<CK_GCM_PARAMS*>(mechanism->pParameter);
  if (!Appends() && !Is("overwrites") &&
      (gcm.iv_len != kIvSize || !IsZero({gcm.iv_ptr, gcm.iv_len}))) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  Operation operation{.callers = gcm.iv_ptr, .iv = NewIv()};
  gcm.iv_ptr = operation.iv.data();
  gcm.iv_len = operation.iv.size();
  gcm.iv_bits = operation.iv.size() * 8;
  CK_MECHANISM own = {CKM_AES_GCM, &gcm, sizeof(gcm)};
  const CK_RV rv = softhsm->C_EncryptInit(session, &own, key);
  if (rv == CKR_OK) {
    operations.emplace(session, std::move(operation));
  }
  return rv;
}

CK_RV Encrypt(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_size,
              CK_BYTE* out, CK_ULONG* out_size) {
  const CK_ULONG room = *out_size;
  const CK_RV rv = softhsm->C_Encrypt(session, in, in_size, out, out_size);
  const auto operation = operations.extract(session);
  if (rv != CKR_OK || operation.empty() || Is("keeps quiet")) {
    return rv;
  }
  const std::vector<CK_BYTE>& iv = operation.mapped().iv;
  if (!Appends()) {
    std::ranges::copy(iv, operation.mapped().callers);
    return rv;
  }
  if (room - *out_size < iv.size()) {
    return CKR_BUFFER_TOO_SMALL;
  }
  std::ranges::copy(iv, out + *out_size);
  *out_size += iv.size();
  return rv;
}

CK_RV DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                CK_OBJECT_HANDLE key, CK_ATTRIBUTE* attributes, CK_ULONG count,
                CK_OBJECT_HANDLE* derived) {
  if (mechanism->mechanism == CKM_AES_ECB_ENCRYPT_DATA &&
      std::getenv("OWN_IVS_NO_DERIVE") != nullptr) {
    return CKR_MECHANISM_INVALID;
  }
  return softhsm->C_DeriveKey(session, mechanism, key, attributes, count,
                              derived);
}

CK_RV GetFunctionList(CK_FUNCTION_LIST** list) {
  void* const library =
      dlopen(std::getenv("OWN_IVS_MODULE"), RTLD_NOW | RTLD_LOCAL);
  const auto get = library == nullptr
                       ? nullptr
                       : reinterpret_cast<CK_C_GetFunctionList>(
                             dlsym(library, "C_GetFunctionList"));
  if (get == nullptr || get(&softhsm) != CKR_OK) {
    return CKR_GENERAL_ERROR;
  }
  static CK_FUNCTION_LIST functions;
  functions = *softhsm;
  functions.C_GetFunctionList = GetFunctionList;
  functions.C_EncryptInit = EncryptInit;
  functions.C_Encrypt = Encrypt;
  functions.C_DeriveKey = DeriveKey;
  *list = &functions;
  return CKR_OK;
}

}  // namespace
}  // namespace fakes::own_ivs

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(
    CK_FUNCTION_LIST** list) {
  return fakes::own_ivs::GetFunctionList(list);
}
