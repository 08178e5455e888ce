// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <set>

#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

using SessionsTest = CryptokiTest;

CK_SESSION_INFO InfoOf(CK_SESSION_HANDLE session) {
  CK_SESSION_INFO info{};
  EXPECT_EQ(C_GetSessionInfo(session, &info), CKR_OK);
  return info;
}

TEST_F(SessionsTest, HandlesAreRandomAndEndWithTheirSession) {
  std::set<CK_SESSION_HANDLE> handles;
  for (int i = 0; i < 100; ++i) {
    const CK_SESSION_HANDLE session = Open();
    EXPECT_TRUE(handles.insert(session).second);
    EXPECT_GT(session, 0xFFFFU);
    EXPECT_LE(session, ~0UL >> 1U);
    EXPECT_EQ(C_CloseSession(session), CKR_OK);
    EXPECT_EQ(C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
  }
  CK_SESSION_INFO info;
  for (const CK_SESSION_HANDLE bad : {0UL, 1UL, ~0UL}) {
    EXPECT_EQ(C_GetSessionInfo(bad, &info), CKR_SESSION_HANDLE_INVALID);
  }
}

TEST_F(SessionsTest, ParallelSessionsAreRefused) {
  CK_SESSION_HANDLE session = 0;
  EXPECT_EQ(C_OpenSession(0, CKF_RW_SESSION, nullptr, nullptr, &session),
            CKR_SESSION_PARALLEL_NOT_SUPPORTED);
}

TEST_F(SessionsTest, TheStateFollowsTheLogin) {
  const CK_SESSION_HANDLE reader = Open(0);
  EXPECT_EQ(InfoOf(reader).state, CKS_RO_PUBLIC_SESSION);
  EXPECT_EQ(InfoOf(session_).state, CKS_RW_PUBLIC_SESSION);
  EXPECT_EQ(C_Logout(session_), CKR_USER_NOT_LOGGED_IN);
  EXPECT_EQ(C_Login(session_, CKU_USER, nullptr, 0), CKR_OK);
  EXPECT_EQ(InfoOf(reader).state, CKS_RO_USER_FUNCTIONS);
  EXPECT_EQ(InfoOf(session_).state, CKS_RW_USER_FUNCTIONS);
  EXPECT_EQ(InfoOf(session_).flags, CKF_RW_SESSION | CKF_SERIAL_SESSION);
  CK_UTF8CHAR pin[] = "1234";
  EXPECT_EQ(C_Login(session_, CKU_USER, pin, 4), CKR_USER_ALREADY_LOGGED_IN);
  EXPECT_EQ(C_Logout(session_), CKR_OK);
  EXPECT_EQ(C_LoginUser(session_, CKU_USER, pin, 4, nullptr, 0), CKR_OK);
}

TEST_F(SessionsTest, OnlyTheUserLogsIn) {
  CK_UTF8CHAR pin[] = "1234";
  EXPECT_EQ(C_Login(session_, CKU_SO, pin, 4), CKR_USER_TYPE_INVALID);
  EXPECT_EQ(C_Login(session_, CKU_CONTEXT_SPECIFIC, pin, 4),
            CKR_OPERATION_NOT_INITIALIZED);
  EXPECT_EQ(C_Login(session_, 77, pin, 4), CKR_USER_TYPE_INVALID);
  EXPECT_EQ(C_Login(session_ + 1, CKU_USER, pin, 4),
            CKR_SESSION_HANDLE_INVALID);
}

TEST_F(SessionsTest, TheLastSessionLogsOut) {
  ASSERT_EQ(C_Login(session_, CKU_USER, nullptr, 0), CKR_OK);
  const CK_SESSION_HANDLE other = Open();
  ASSERT_EQ(C_CloseSession(session_), CKR_OK);
  EXPECT_EQ(InfoOf(other).state, CKS_RW_USER_FUNCTIONS);
  ASSERT_EQ(C_CloseAllSessions(0), CKR_OK);
  EXPECT_EQ(InfoOf(Open()).state, CKS_RW_PUBLIC_SESSION);
}

TEST_F(SessionsTest, ClosingEndsWhatTheSessionDid) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  ASSERT_EQ(C_SignInit(session_, &mechanism, Find(CKO_PRIVATE_KEY, "ec")),
            CKR_OK);
  ASSERT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_OK);
  ASSERT_EQ(C_CloseAllSessions(0), CKR_OK);
  CK_ULONG count = 0;
  CK_OBJECT_HANDLE object = 0;
  EXPECT_EQ(C_FindObjects(session_, &object, 1, &count),
            CKR_SESSION_HANDLE_INVALID);
  CK_BYTE byte = 0;
  EXPECT_EQ(C_SignUpdate(session_, &byte, 1), CKR_SESSION_HANDLE_INVALID);
}

TEST_F(SessionsTest, FinalizeEndsEverythingInTheMiddle) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  ASSERT_EQ(C_SignInit(session_, &mechanism, Find(CKO_PRIVATE_KEY, "ec")),
            CKR_OK);
  CK_BYTE byte = 0;
  EXPECT_EQ(C_Finalize(&byte), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
  EXPECT_EQ(C_SignUpdate(session_, &byte, 1), CKR_CRYPTOKI_NOT_INITIALIZED);
}

}  // namespace
}  // namespace pkcs11::module
