// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <string_view>
#include <utility>

#include "tests/fakes/pkcs11/faults.h"
#include "tests/fakes/pkcs11/functions.h"
#include "tests/fakes/pkcs11/state.h"

namespace fakes::pkcs11 {
namespace {

constexpr std::string_view kPin = "1234";

void Pad(std::string_view text, CK_UTF8CHAR* field, std::size_t size) {
  std::memset(field, ' ', size);
  std::memcpy(field, text.data(), text.size());
}

}  // namespace

CK_RV C_Initialize(void* args) {
  if (const CK_RV rv = Enter("C_Initialize"); rv != CKR_OK) {
    return rv;
  }
  const auto* given = static_cast<const CK_C_INITIALIZE_ARGS*>(args);
  if (given == nullptr || (given->flags & CKF_OS_LOCKING_OK) == 0) {
    return CKR_CANT_LOCK;  // Stricter than the standard: ours must ask.
  }
  if (std::exchange(TheToken().initialized, true)) {
    return CKR_CRYPTOKI_ALREADY_INITIALIZED;
  }
  TheToken().objects.Reload();
  return CKR_OK;
}

CK_RV C_Finalize(void*) {
  if (const CK_RV rv = Enter("C_Finalize"); rv != CKR_OK) {
    return rv;
  }
  TheToken() = Token();
  return CKR_OK;
}

CK_RV C_GetInfo(CK_INFO* info) {
  *info = {};
  info->cryptokiVersion = {2, 40};
  Pad("Fake", info->manufacturerID, sizeof(info->manufacturerID));
  Pad("Fake", info->libraryDescription, sizeof(info->libraryDescription));
  return Enter("C_GetInfo");
}

CK_RV C_GetSlotList(CK_BBOOL, CK_SLOT_ID* slots, CK_ULONG* count) {
  if (const CK_RV rv = Enter("C_GetSlotList"); rv != CKR_OK) {
    return rv;
  }
  if (slots != nullptr && *count < 1) {
    return CKR_BUFFER_TOO_SMALL;
  }
  *count = 1;
  if (slots != nullptr) {
    slots[0] = kSlot;
  }
  return CKR_OK;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID, CK_TOKEN_INFO* info) {
  *info = {};
  Pad("fake", info->label, sizeof(info->label));
  Pad("Fakes", info->manufacturerID, sizeof(info->manufacturerID));
  Pad("fake model", info->model, sizeof(info->model));
  Pad("0001", reinterpret_cast<CK_UTF8CHAR*>(info->serialNumber),
      sizeof(info->serialNumber));
  info->ulMaxSessionCount = 16;
  info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_RNG;
  info->flags |= Told("pin-locked") ? CKF_USER_PIN_LOCKED : 0;
  info->flags |= Told("pin-final-try") ? CKF_USER_PIN_FINAL_TRY : 0;
  return Enter("C_GetTokenInfo");
}

CK_RV C_OpenSession(CK_SLOT_ID, CK_FLAGS, void*, CK_NOTIFY,
                    CK_SESSION_HANDLE* session) {
  if (const CK_RV rv = Enter("C_OpenSession"); rv != CKR_OK) {
    return rv;
  }
  *session = TheToken().next_session++;
  TheToken().sessions[*session];
  return CKR_OK;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE session) {
  if (const CK_RV rv = Begin("C_CloseSession", session); rv != CKR_OK) {
    return rv;
  }
  Token& token = TheToken();
  token.sessions.erase(session);
  token.objects.RemoveOwnedBy(session);
  token.logged_in = token.logged_in && !token.sessions.empty();
  return CKR_OK;
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  if (const CK_RV rv = Begin("C_GetSessionInfo", session); rv != CKR_OK) {
    return rv;
  }
  *info = {};
  info->slotID = kSlot;
  info->state =
      TheToken().logged_in ? CKS_RW_USER_FUNCTIONS : CKS_RW_PUBLIC_SESSION;
  return CKR_OK;
}

CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE, CK_UTF8CHAR* pin,
              CK_ULONG size) {
  if (const CK_RV rv = Begin("C_Login", session); rv != CKR_OK) {
    return rv;
  }
  if (std::string_view(reinterpret_cast<char*>(pin), size) != kPin) {
    return CKR_PIN_INCORRECT;
  }
  return std::exchange(TheToken().logged_in, true) ? CKR_USER_ALREADY_LOGGED_IN
                                                   : CKR_OK;
}

}  // namespace fakes::pkcs11
