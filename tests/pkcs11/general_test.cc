// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <string>

#include "pkcs11/module/functions.h"
#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

using testing::Each;

template <std::size_t kSize>
std::string Padded(const CK_UTF8CHAR (&field)[kSize]) {
  return {reinterpret_cast<const char*>(field), kSize};
}

CK_VERSION* Version(CK_BYTE major, CK_BYTE minor) {
  static CK_VERSION version;
  version = {major, minor};
  return &version;
}

using GeneralTest = CryptokiTest;

TEST(InterfacesTest, OfferVersionThreeFirstAndTwoForty) {
  CK_ULONG count = 0;
  ASSERT_EQ(C_GetInterfaceList(nullptr, &count), CKR_OK);
  ASSERT_EQ(count, 2U);
  std::array<CK_INTERFACE, 2> list{};
  count = 1;
  EXPECT_EQ(C_GetInterfaceList(list.data(), &count), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(count, 2U);
  ASSERT_EQ(C_GetInterfaceList(list.data(), &count), CKR_OK);
  for (const CK_INTERFACE& interface : list) {
    EXPECT_STREQ(reinterpret_cast<char*>(interface.pInterfaceName), "PKCS 11");
    EXPECT_EQ(interface.flags, CKF_INTERFACE_FORK_SAFE);
  }
  EXPECT_EQ(
      static_cast<CK_FUNCTION_LIST_3_0*>(list[0].pFunctionList)->version.major,
      3);
  CK_FUNCTION_LIST* functions = nullptr;
  ASSERT_EQ(C_GetFunctionList(&functions), CKR_OK);
  EXPECT_EQ(list[1].pFunctionList, functions);
  EXPECT_EQ(functions->version.minor, 40);
  EXPECT_EQ(functions->C_Sign, C_Sign);
  EXPECT_EQ(functions->C_WaitForSlotEvent, C_WaitForSlotEvent);
}

TEST(InterfacesTest, AreFoundByNameVersionAndFlags) {
  CK_UTF8CHAR name[] = "PKCS 11";
  CK_UTF8CHAR other[] = "PKCS 12";
  CK_INTERFACE* found = nullptr;
  EXPECT_EQ(C_GetInterface(nullptr, nullptr, &found, 0), CKR_OK);
  EXPECT_EQ(C_GetInterface(name, nullptr, &found, CKF_INTERFACE_FORK_SAFE),
            CKR_OK);
  EXPECT_EQ(C_GetInterface(name, Version(3, 0), &found, 0), CKR_OK);
  EXPECT_EQ(static_cast<CK_VERSION*>(found->pFunctionList)->major, 3);
  EXPECT_EQ(C_GetInterface(name, Version(2, 40), &found, 0), CKR_OK);
  EXPECT_EQ(static_cast<CK_VERSION*>(found->pFunctionList)->major, 2);
  EXPECT_EQ(C_GetInterface(name, Version(3, 2), &found, 0), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetInterface(other, nullptr, &found, 0), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetInterface(name, nullptr, &found, 2), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetInterface(name, nullptr, nullptr, 0), CKR_ARGUMENTS_BAD);
}

TEST(UninitializedTest, EverythingElseSaysSo) {
  CK_INFO info;
  CK_ULONG count = 0;
  CK_SESSION_HANDLE session = 0;
  EXPECT_EQ(C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
  EXPECT_EQ(C_GetSlotList(CK_TRUE, nullptr, &count),
            CKR_CRYPTOKI_NOT_INITIALIZED);
  EXPECT_EQ(C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
            CKR_CRYPTOKI_NOT_INITIALIZED);
  EXPECT_EQ(C_Sign(1, nullptr, 0, nullptr, nullptr),
            CKR_CRYPTOKI_NOT_INITIALIZED);
  EXPECT_EQ(C_Finalize(nullptr), CKR_CRYPTOKI_NOT_INITIALIZED);
}

TEST_F(GeneralTest, TellsOfItselfWithoutAskingTheKms) {
  CK_INFO info;
  ASSERT_EQ(C_GetInfo(&info), CKR_OK);
  EXPECT_EQ(info.cryptokiVersion.major, 2);
  EXPECT_EQ(Padded(info.manufacturerID), "Claviger" + std::string(24, ' '));
  CK_ULONG count = 0;
  ASSERT_EQ(C_GetSlotList(CK_TRUE, nullptr, &count), CKR_OK);
  ASSERT_EQ(count, 1U);
  CK_SLOT_ID slot = 7;
  ASSERT_EQ(C_GetSlotList(CK_TRUE, &slot, &count), CKR_OK);
  EXPECT_EQ(slot, 0U);
  count = 0;
  EXPECT_EQ(C_GetSlotList(CK_TRUE, &slot, &count), CKR_BUFFER_TOO_SMALL);
  CK_SLOT_INFO slot_info;
  ASSERT_EQ(C_GetSlotInfo(0, &slot_info), CKR_OK);
  EXPECT_EQ(slot_info.flags, CKF_TOKEN_PRESENT);
  CK_TOKEN_INFO token;
  ASSERT_EQ(C_GetTokenInfo(0, &token), CKR_OK);
  EXPECT_EQ(Padded(token.label), "fake" + std::string(28, ' '));
  EXPECT_EQ(Padded(token.serialNumber), "0123456789abcdef");
  EXPECT_EQ(token.flags,
            CKF_TOKEN_INITIALIZED | CKF_RNG | CKF_USER_PIN_INITIALIZED);
  EXPECT_EQ(token.ulSessionCount, 1U);
  EXPECT_EQ(token.ulRwSessionCount, 1U);
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(GeneralTest, HasNoOtherSlots) {
  CK_SLOT_INFO slot;
  CK_TOKEN_INFO token;
  CK_MECHANISM_INFO mechanism;
  CK_ULONG count = 0;
  CK_SESSION_HANDLE session = 0;
  for (const CK_SLOT_ID id : {1UL, ~0UL}) {
    EXPECT_EQ(C_GetSlotInfo(id, &slot), CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_GetTokenInfo(id, &token), CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_GetMechanismList(id, nullptr, &count), CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_GetMechanismInfo(id, CKM_ECDSA, &mechanism),
              CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_OpenSession(id, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
              CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_CloseAllSessions(id), CKR_SLOT_ID_INVALID);
  }
}

TEST_F(GeneralTest, ListsOnlyMechanismsThatItDescribes) {
  CK_ULONG count = 0;
  ASSERT_EQ(C_GetMechanismList(0, nullptr, &count), CKR_OK);
  std::vector<CK_MECHANISM_TYPE> types(count);
  ASSERT_EQ(C_GetMechanismList(0, types.data(), &count), CKR_OK);
  for (const CK_MECHANISM_TYPE type : types) {
    CK_MECHANISM_INFO info;
    ASSERT_EQ(C_GetMechanismInfo(0, type, &info), CKR_OK);
    // The slot does not say that it is hardware either.
    EXPECT_EQ(info.flags & CKF_HW, 0U);
    EXPECT_LE(info.ulMinKeySize, info.ulMaxKeySize);
    EXPECT_NE(info.ulMinKeySize, 0U);
  }
  CK_MECHANISM_INFO info;
  ASSERT_EQ(C_GetMechanismInfo(0, CKM_RSA_PKCS, &info), CKR_OK);
  EXPECT_EQ(info.ulMinKeySize, 2048U);
  EXPECT_EQ(info.ulMaxKeySize, 4096U);
  EXPECT_EQ(info.flags, CKF_SIGN | CKF_VERIFY);
  ASSERT_EQ(C_GetMechanismInfo(0, CKM_GENERIC_SECRET_KEY_GEN, &info), CKR_OK);
  EXPECT_EQ(info.ulMinKeySize, 8U);
  EXPECT_EQ(info.ulMaxKeySize, 32768U);
  // Digests would be fetched from the token, by those that see them here.
  for (const CK_MECHANISM_TYPE type :
       {CKM_SHA256, CKM_RSA_X_509, CKM_SHA1_RSA_PKCS}) {
    EXPECT_EQ(C_GetMechanismInfo(0, type, &info), CKR_MECHANISM_INVALID);
  }
}

TEST_F(GeneralTest, RefusesNullWhereSomethingMustBe) {
  CK_BYTE byte = 0;
  CK_ULONG size = 1;
  EXPECT_EQ(C_GetInfo(nullptr), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetSlotList(CK_TRUE, nullptr, nullptr), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetFunctionList(nullptr), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, nullptr),
            CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_DeriveKey(session_, nullptr, 1, nullptr, 0, &size),
            CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_Sign(session_, &byte, 1, &byte, nullptr), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_Sign(session_, nullptr, 1, &byte, &size), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_Verify(session_, &byte, 1, nullptr, 1), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_FindObjectsInit(session_, nullptr, 1), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetAttributeValue(session_, 1, nullptr, 0), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GenerateRandom(session_, nullptr, 1), CKR_ARGUMENTS_BAD);
}

TEST_F(GeneralTest, RefusesLengthsThatCannotBe) {
  CK_BYTE byte = 0;
  CK_ULONG size = 1;
  CK_ATTRIBUTE row = {CKA_LABEL, &byte, ~0UL};
  EXPECT_EQ(C_Sign(session_, &byte, ~0UL, &byte, &size), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GenerateRandom(session_, &byte, ~0UL), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_FindObjectsInit(session_, &row, ~0UL), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_FindObjectsInit(session_, &row, 1), CKR_ARGUMENTS_BAD);
  row = {CKA_LABEL, nullptr, 3};
  EXPECT_EQ(C_FindObjectsInit(session_, &row, 1), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetAttributeValue(session_, 1, &row, ~0UL), CKR_ARGUMENTS_BAD);
}

TEST_F(GeneralTest, SaysWhatItDoesNotSupport) {
  EXPECT_EQ(C_InitToken(0, nullptr, 0, nullptr), CKR_FUNCTION_NOT_SUPPORTED);
  EXPECT_EQ(C_InitPIN(session_, nullptr, 0), CKR_FUNCTION_NOT_SUPPORTED);
  EXPECT_EQ(C_SetPIN(session_, nullptr, 0, nullptr, 0),
            CKR_FUNCTION_NOT_SUPPORTED);
  EXPECT_EQ(C_SignRecoverInit(session_, nullptr, 0),
            CKR_FUNCTION_NOT_SUPPORTED);
  EXPECT_EQ(C_MessageSignFinal(session_), CKR_FUNCTION_NOT_SUPPORTED);
  EXPECT_EQ(C_GetFunctionStatus(session_), CKR_FUNCTION_NOT_PARALLEL);
  EXPECT_EQ(C_CancelFunction(session_), CKR_FUNCTION_NOT_PARALLEL);
  CK_SLOT_ID slot = 0;
  EXPECT_EQ(C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_NO_EVENT);
  EXPECT_EQ(C_WaitForSlotEvent(0, &slot, nullptr), CKR_FUNCTION_NOT_SUPPORTED);
}

TEST_F(GeneralTest, MakesRandomBytesWithoutTheKms) {
  std::array<CK_BYTE, 64> first{};
  std::array<CK_BYTE, 64> second{};
  EXPECT_EQ(C_SeedRandom(session_, first.data(), first.size()), CKR_OK);
  ASSERT_EQ(C_GenerateRandom(session_, first.data(), first.size()), CKR_OK);
  ASSERT_EQ(C_GenerateRandom(session_, second.data(), second.size()), CKR_OK);
  EXPECT_NE(first, second);
  EXPECT_THAT(first, testing::Not(Each(0)));
  EXPECT_EQ(C_GenerateRandom(session_ + 1, first.data(), 1),
            CKR_SESSION_HANDLE_INVALID);
  EXPECT_EQ(kms_->Calls(), 0);
}

}  // namespace
}  // namespace pkcs11::module
