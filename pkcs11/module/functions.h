// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_FUNCTIONS_H_
#define PKCS11_MODULE_FUNCTIONS_H_

#include <cstdint>

#include "pkcs11/module/answer.h"
#include "pkcs11/p11_v3.h"

namespace pkcs11::module {

class Module;

// Rules say which arguments of a function, counted from 0, the shim checks.
struct Rules {
  std::uint32_t needed = 0;     // Pointers that must not be null.
  std::uint32_t buffers = 0;    // Null only if the length behind it is 0.
  std::uint32_t templates = 0;  // The same for arrays of attributes.
  // The session's operation (CKF_SIGN and the like) that ends where a rule is
  // broken: PKCS#11 2.40 section 5.2, every failure ends it.
  CK_FLAGS ends = 0;
  // The operation that ends where the second argument, a mechanism, is null:
  // PKCS#11 3.0, "C_SignInit" and its sisters.
  CK_FLAGS cancels = 0;
};
constexpr Rules operator|(const Rules& a, const Rules& b) {
  return {a.needed | b.needed, a.buffers | b.buffers, a.templates | b.templates,
          a.ends | b.ends, a.cancels | b.cancels};
}
template <typename... Positions>
constexpr Rules Needs(Positions... at) {
  return {.needed = ((1U << at) | ...)};
}
constexpr Rules Buffer(unsigned at) { return {.buffers = 1U << at}; }
constexpr Rules Template(unsigned at) { return {.templates = 1U << at}; }
constexpr Rules Ends(CK_FLAGS operation) { return {.ends = operation}; }
constexpr Rules Cancels(CK_FLAGS operation) { return {.cancels = operation}; }
constexpr Rules kAnything = {};

// Every function of Cryptoki, in the order of CK_FUNCTION_LIST, with the number
// of its arguments:
//
//   ALWAYS(name, arguments, rules)  works before C_Initialize;
//   REAL(name, arguments, rules)    takes the Module, which must be
//   initialised; ABSENT(name, arguments)         is CKR_FUNCTION_NOT_SUPPORTED.
//
// The shim makes the C functions and the function lists of it, and the
// declarations below are those of the functions that it calls.
//
// clang-format off
#define PKCS11_FUNCTIONS_2_40(ALWAYS, REAL, ABSENT)                         \
  ALWAYS(Initialize, 1, kAnything)                                          \
  ALWAYS(Finalize, 1, kAnything)                                            \
  REAL(GetInfo, 1, Needs(0))                                                \
  ALWAYS(GetFunctionList, 1, Needs(0))                                      \
  REAL(GetSlotList, 3, Needs(2))                                            \
  REAL(GetSlotInfo, 2, Needs(1))                                            \
  REAL(GetTokenInfo, 2, Needs(1))                                           \
  REAL(GetMechanismList, 3, Needs(2))                                       \
  REAL(GetMechanismInfo, 3, Needs(2))                                       \
  ABSENT(InitToken, 4)                                                      \
  ABSENT(InitPIN, 3)                                                        \
  ABSENT(SetPIN, 5)                                                         \
  REAL(OpenSession, 5, Needs(4))                                            \
  REAL(CloseSession, 1, kAnything)                                          \
  REAL(CloseAllSessions, 1, kAnything)                                      \
  REAL(GetSessionInfo, 2, Needs(1))                                         \
  ABSENT(GetOperationState, 3)                                              \
  ABSENT(SetOperationState, 5)                                              \
  REAL(Login, 4, Buffer(2))                                                 \
  REAL(Logout, 1, kAnything)                                                \
  REAL(CreateObject, 4, Template(1) | Needs(3))                             \
  REAL(CopyObject, 5, Template(2) | Needs(4))                               \
  REAL(DestroyObject, 2, kAnything)                                         \
  REAL(GetObjectSize, 3, Needs(2))                                          \
  REAL(GetAttributeValue, 4, Needs(2) | Template(2))                        \
  REAL(SetAttributeValue, 4, Needs(2) | Template(2))                        \
  REAL(FindObjectsInit, 3, Template(1))                                     \
  REAL(FindObjects, 4, Buffer(1) | Needs(3))                                \
  REAL(FindObjectsFinal, 1, kAnything)                                      \
  REAL(EncryptInit, 3, Cancels(CKF_ENCRYPT))                                \
  REAL(Encrypt, 5, Buffer(1) | Needs(4) | Ends(CKF_ENCRYPT))                \
  REAL(EncryptUpdate, 5, Buffer(1) | Needs(4) | Ends(CKF_ENCRYPT))          \
  REAL(EncryptFinal, 3, Needs(2) | Ends(CKF_ENCRYPT))                       \
  REAL(DecryptInit, 3, Cancels(CKF_DECRYPT))                                \
  REAL(Decrypt, 5, Buffer(1) | Needs(4) | Ends(CKF_DECRYPT))                \
  REAL(DecryptUpdate, 5, Buffer(1) | Needs(4) | Ends(CKF_DECRYPT))          \
  REAL(DecryptFinal, 3, Needs(2) | Ends(CKF_DECRYPT))                       \
  REAL(DigestInit, 2, Cancels(CKF_DIGEST))                                  \
  REAL(Digest, 5, Buffer(1) | Needs(4) | Ends(CKF_DIGEST))                  \
  REAL(DigestUpdate, 3, Buffer(1) | Ends(CKF_DIGEST))                       \
  REAL(DigestKey, 2, kAnything)                                             \
  REAL(DigestFinal, 3, Needs(2) | Ends(CKF_DIGEST))                         \
  REAL(SignInit, 3, Cancels(CKF_SIGN))                                      \
  REAL(Sign, 5, Buffer(1) | Needs(4) | Ends(CKF_SIGN))                      \
  REAL(SignUpdate, 3, Buffer(1) | Ends(CKF_SIGN))                           \
  REAL(SignFinal, 3, Needs(2) | Ends(CKF_SIGN))                             \
  ABSENT(SignRecoverInit, 3)                                                \
  ABSENT(SignRecover, 5)                                                    \
  REAL(VerifyInit, 3, Cancels(CKF_VERIFY))                                  \
  REAL(Verify, 5, Buffer(1) | Buffer(3) | Ends(CKF_VERIFY))                 \
  REAL(VerifyUpdate, 3, Buffer(1) | Ends(CKF_VERIFY))                       \
  REAL(VerifyFinal, 3, Buffer(1) | Ends(CKF_VERIFY))                        \
  ABSENT(VerifyRecoverInit, 3)                                              \
  ABSENT(VerifyRecover, 5)                                                  \
  ABSENT(DigestEncryptUpdate, 5)                                            \
  ABSENT(DecryptDigestUpdate, 5)                                            \
  ABSENT(SignEncryptUpdate, 5)                                              \
  ABSENT(DecryptVerifyUpdate, 5)                                            \
  REAL(GenerateKey, 5, Needs(1, 4) | Template(2))                           \
  REAL(GenerateKeyPair, 8, Needs(1, 6, 7) | Template(2) | Template(4))      \
  REAL(WrapKey, 6, Needs(1, 5))                                             \
  REAL(UnwrapKey, 8, Needs(1, 7) | Buffer(3) | Template(5))                 \
  REAL(DeriveKey, 6, Needs(1, 5) | Template(3))                             \
  REAL(SeedRandom, 3, Buffer(1))                                            \
  REAL(GenerateRandom, 3, Buffer(1))                                        \
  REAL(GetFunctionStatus, 1, kAnything)                                     \
  REAL(CancelFunction, 1, kAnything)                                        \
  REAL(WaitForSlotEvent, 3, Needs(1))

#define PKCS11_FUNCTIONS_3_0(ALWAYS, REAL, ABSENT)                          \
  ALWAYS(GetInterfaceList, 2, Needs(1))                                     \
  ALWAYS(GetInterface, 4, Needs(2))                                         \
  REAL(LoginUser, 6, Buffer(2) | Buffer(4))                                 \
  REAL(SessionCancel, 2, kAnything)                                         \
  ABSENT(MessageEncryptInit, 3)                                             \
  ABSENT(EncryptMessage, 9)                                                 \
  ABSENT(EncryptMessageBegin, 5)                                            \
  ABSENT(EncryptMessageNext, 8)                                             \
  ABSENT(MessageEncryptFinal, 1)                                            \
  ABSENT(MessageDecryptInit, 3)                                             \
  ABSENT(DecryptMessage, 9)                                                 \
  ABSENT(DecryptMessageBegin, 5)                                            \
  ABSENT(DecryptMessageNext, 8)                                             \
  ABSENT(MessageDecryptFinal, 1)                                            \
  ABSENT(MessageSignInit, 3)                                                \
  ABSENT(SignMessage, 7)                                                    \
  ABSENT(SignMessageBegin, 3)                                               \
  ABSENT(SignMessageNext, 7)                                                \
  ABSENT(MessageSignFinal, 1)                                               \
  ABSENT(MessageVerifyInit, 3)                                              \
  ABSENT(VerifyMessage, 7)                                                  \
  ABSENT(VerifyMessageBegin, 3)                                             \
  ABSENT(VerifyMessageNext, 7)                                              \
  ABSENT(MessageVerifyFinal, 1)
// clang-format on

// The types of the functions behind those that are ALWAYS and REAL.
template <typename CFunction>
struct EntryOf;
template <typename... Args>
struct EntryOf<CK_RV (*)(Args...)> {
  using Always = Status(Args...);
  using Real = Status(Module&, Args...);
};

#define DECLARE_ALWAYS(name, ...) EntryOf<CK_C_##name>::Always name;
#define DECLARE_REAL(name, ...) EntryOf<CK_C_##name>::Real name;
#define DECLARE_NOTHING(...)
PKCS11_FUNCTIONS_2_40(DECLARE_ALWAYS, DECLARE_REAL, DECLARE_NOTHING)
PKCS11_FUNCTIONS_3_0(DECLARE_ALWAYS, DECLARE_REAL, DECLARE_NOTHING)
#undef DECLARE_ALWAYS
#undef DECLARE_REAL
#undef DECLARE_NOTHING

}  // namespace pkcs11::module

// PKCS#11 3.0's function list: that of 2.40, and what was added.
// NOLINTNEXTLINE(readability-identifier-naming)
struct CK_FUNCTION_LIST_3_0 {
  CK_VERSION version;
#define DECLARE_MEMBER(name, ...) CK_C_##name C_##name;
  PKCS11_FUNCTIONS_2_40(DECLARE_MEMBER, DECLARE_MEMBER, DECLARE_MEMBER)
  PKCS11_FUNCTIONS_3_0(DECLARE_MEMBER, DECLARE_MEMBER, DECLARE_MEMBER)
#undef DECLARE_MEMBER
};

#endif  // PKCS11_MODULE_FUNCTIONS_H_
