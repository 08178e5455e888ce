// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module with one software token, which does wrong what it is told to
// (faults.h). Label "fake", user PIN "1234"; AES keys only.
#include "tests/fakes/pkcs11/functions.h"

namespace fakes::pkcs11 {
namespace {

// Every other function of the list.
template <typename Function>
struct Unsupported;
template <typename... Args>
struct Unsupported<CK_RV (*)(Args...)> {
  static CK_RV Call(Args...) { return CKR_FUNCTION_NOT_SUPPORTED; }
};

CK_RV GetFunctionList(CK_FUNCTION_LIST** list);

CK_FUNCTION_LIST MakeList() {
  CK_FUNCTION_LIST list{};
  list.version = {2, 40};
  list.C_GetFunctionList = GetFunctionList;
#define UNSUPPORTED(name) list.name = Unsupported<decltype(list.name)>::Call
  UNSUPPORTED(C_GetSlotInfo);
  UNSUPPORTED(C_GetMechanismList);
  UNSUPPORTED(C_GetMechanismInfo);
  UNSUPPORTED(C_InitToken);
  UNSUPPORTED(C_InitPIN);
  UNSUPPORTED(C_SetPIN);
  UNSUPPORTED(C_CloseAllSessions);
  UNSUPPORTED(C_Logout);
  UNSUPPORTED(C_GenerateKeyPair);
  UNSUPPORTED(C_SignInit);
  UNSUPPORTED(C_Sign);
#undef UNSUPPORTED
#define SUPPORTED(name) list.name = name
  SUPPORTED(C_Initialize);
  SUPPORTED(C_Finalize);
  SUPPORTED(C_GetInfo);
  SUPPORTED(C_GetSlotList);
  SUPPORTED(C_GetTokenInfo);
  SUPPORTED(C_OpenSession);
  SUPPORTED(C_CloseSession);
  SUPPORTED(C_GetSessionInfo);
  SUPPORTED(C_Login);
  SUPPORTED(C_CreateObject);
  SUPPORTED(C_CopyObject);
  SUPPORTED(C_DestroyObject);
  SUPPORTED(C_GetAttributeValue);
  SUPPORTED(C_SetAttributeValue);
  SUPPORTED(C_FindObjectsInit);
  SUPPORTED(C_FindObjects);
  SUPPORTED(C_FindObjectsFinal);
  SUPPORTED(C_EncryptInit);
  SUPPORTED(C_Encrypt);
  SUPPORTED(C_DecryptInit);
  SUPPORTED(C_Decrypt);
  SUPPORTED(C_GenerateKey);
  SUPPORTED(C_WrapKey);
  SUPPORTED(C_UnwrapKey);
  SUPPORTED(C_DeriveKey);
  SUPPORTED(C_GenerateRandom);
#undef SUPPORTED
  return list;
}

CK_RV GetFunctionList(CK_FUNCTION_LIST** list) {
  static CK_FUNCTION_LIST functions = MakeList();
  *list = &functions;
  return CKR_OK;
}

}  // namespace
}  // namespace fakes::pkcs11

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(
    CK_FUNCTION_LIST** list) {
  return fakes::pkcs11::GetFunctionList(list);
}
