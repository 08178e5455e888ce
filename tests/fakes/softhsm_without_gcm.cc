// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module that is SoftHSM, as far as its caller can tell, but has no
// AES-GCM. It finds SoftHSM by its name.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

namespace {

CK_FUNCTION_LIST* softhsm = nullptr;

CK_RV EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE key) {
  return mechanism != nullptr && mechanism->mechanism == CKM_AES_GCM
             ? CKR_MECHANISM_INVALID
             : softhsm->C_EncryptInit(session, mechanism, key);
}

CK_RV DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE key) {
  return mechanism != nullptr && mechanism->mechanism == CKM_AES_GCM
             ? CKR_MECHANISM_INVALID
             : softhsm->C_DecryptInit(session, mechanism, key);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(
    CK_FUNCTION_LIST** list) {
  static CK_FUNCTION_LIST without_gcm;
  if (softhsm == nullptr) {
    // Stays for as long as the process does.
    void* const module =
        dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    const auto get_list = module == nullptr
                              ? nullptr
                              : reinterpret_cast<CK_C_GetFunctionList>(
                                    dlsym(module, "C_GetFunctionList"));
    if (get_list == nullptr || get_list(&softhsm) != CKR_OK) {
      return CKR_GENERAL_ERROR;
    }
    without_gcm = *softhsm;
    without_gcm.C_GetFunctionList = C_GetFunctionList;
    without_gcm.C_EncryptInit = EncryptInit;
    without_gcm.C_DecryptInit = DecryptInit;
  }
  *list = &without_gcm;
  return CKR_OK;
}
