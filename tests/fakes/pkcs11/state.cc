// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/pkcs11/state.h"

#include <algorithm>
#include <utility>

#include "tests/fakes/pkcs11/faults.h"

namespace fakes::pkcs11 {

Token& TheToken() {
  static Token token;
  return token;
}

Session* FindSession(CK_SESSION_HANDLE handle) {
  const auto it = TheToken().sessions.find(handle);
  return it == TheToken().sessions.end() ? nullptr : &it->second;
}

CK_RV Begin(const char* function, CK_SESSION_HANDLE session) {
  if (const CK_RV rv = Enter(function); rv != CKR_OK) {
    return rv;
  }
  if (!TheToken().initialized) {
    return CKR_CRYPTOKI_NOT_INITIALIZED;
  }
  return FindSession(session) == nullptr ? CKR_SESSION_HANDLE_INVALID : CKR_OK;
}

CK_RV BeginUser(const char* function, CK_SESSION_HANDLE session) {
  const CK_RV rv = Begin(function, session);
  return rv == CKR_OK && !TheToken().logged_in ? CKR_USER_NOT_LOGGED_IN : rv;
}

CK_RV Return(const Bytes& out, CK_BYTE* buffer, CK_ULONG* size) {
  if (buffer != nullptr && *size < out.size()) {
    *size = out.size();
    return CKR_BUFFER_TOO_SMALL;
  }
  *size = out.size();
  if (buffer != nullptr) {
    std::ranges::copy(out, buffer);
  }
  return CKR_OK;
}

CK_RV AddObject(CK_SESSION_HANDLE session, Object object,
                CK_OBJECT_HANDLE* handle) {
  if (Told("no-allowed-mechanisms") && object.Has(CKA_ALLOWED_MECHANISMS)) {
    return CKR_ATTRIBUTE_TYPE_INVALID;
  }
  if (IsFull(TheToken().objects.size())) {
    return CKR_DEVICE_MEMORY;
  }
  object.owner = session;
  *handle = TheToken().objects.Add(std::move(object));
  return CKR_OK;
}

}  // namespace fakes::pkcs11
