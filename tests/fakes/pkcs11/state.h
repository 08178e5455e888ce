// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_PKCS11_STATE_H_
#define TESTS_FAKES_PKCS11_STATE_H_

#include <p11-kit/pkcs11.h>

#include <map>
#include <optional>
#include <vector>

#include "tests/fakes/pkcs11/objects.h"

// The fake token's state, and what its functions have in common.
namespace fakes::pkcs11 {

inline constexpr CK_SLOT_ID kSlot = 1;

struct Operation {
  CK_OBJECT_HANDLE key = 0;
  Bytes iv;
  Bytes aad;
};

struct Session {
  std::optional<Operation> encrypt;
  std::optional<Operation> decrypt;
  std::optional<std::vector<CK_OBJECT_HANDLE>> found;
};

struct Token {
  bool initialized = false;
  bool logged_in = false;
  std::map<CK_SESSION_HANDLE, Session> sessions;
  CK_SESSION_HANDLE next_session = 1;
  Objects objects;
};

Token& TheToken();
Session* FindSession(CK_SESSION_HANDLE handle);

// What every function checks first: a fault, and whether the session is there.
CK_RV Begin(const char* function, CK_SESSION_HANDLE session);
// Also whether the user is logged in.
CK_RV BeginUser(const char* function, CK_SESSION_HANDLE session);

// Copies `out` to the caller's buffer, by the rules of PKCS#11 section 5.2.
CK_RV Return(const Bytes& out, CK_BYTE* buffer, CK_ULONG* size);

CK_RV AddObject(CK_SESSION_HANDLE session, Object object,
                CK_OBJECT_HANDLE* handle);

}  // namespace fakes::pkcs11

#endif  // TESTS_FAKES_PKCS11_STATE_H_
