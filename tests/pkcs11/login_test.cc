// SPDX-License-Identifier: Apache-2.0
// Logins, where the configuration wants the PIN to be the access key.
#include <gmock/gmock.h>

#include <string>

#include "pkcs11/module/pin.h"
#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

using testing::IsEmpty;

class LoginTest : public CryptokiTest {
 protected:
  explicit LoginTest(std::string access_key_id = "")
      : CryptokiTest({.login = LoginMode::kPin,
                      .access_key_id = std::move(access_key_id)}) {
    kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "pair");
    kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "mac");
  }

  CK_RV LogIn(std::string pin, CK_USER_TYPE user = CKU_USER) const {
    return C_Login(session_, user, reinterpret_cast<CK_UTF8CHAR*>(pin.data()),
                   pin.size());
  }
  CK_RV LogInAs(std::string name, std::string pin,
                CK_USER_TYPE user = CKU_USER) const {
    return C_LoginUser(
        session_, user, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size(),
        reinterpret_cast<CK_UTF8CHAR*>(name.data()), name.size());
  }
  CK_STATE State() const {
    CK_SESSION_INFO info = {};
    EXPECT_EQ(C_GetSessionInfo(session_, &info), CKR_OK);
    return info.state;
  }
};

TEST_F(LoginTest, TheTokenSaysSo) {
  CK_TOKEN_INFO info = {};
  ASSERT_EQ(C_GetTokenInfo(0, &info), CKR_OK);
  EXPECT_NE(info.flags & CKF_LOGIN_REQUIRED, 0U);
  EXPECT_GE(info.ulMaxPinLen, 2048U);
}

TEST_F(LoginTest, NothingIsShownOrAskedForBefore) {
  EXPECT_THAT(FindAll({}), IsEmpty());
  EXPECT_EQ(kms_->Calls(), 0);
  EXPECT_EQ(State(), CKS_RW_PUBLIC_SESSION);
}

TEST_F(LoginTest, ShowsPrivateObjectsAfter) {
  ASSERT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
  EXPECT_EQ(State(), CKS_RW_USER_FUNCTIONS);
  EXPECT_EQ(FindAll({}).size(), 3U);
  EXPECT_TRUE(Flag(Find(CKO_PRIVATE_KEY, "pair"), CKA_PRIVATE));
  EXPECT_FALSE(Flag(Find(CKO_PUBLIC_KEY, "pair"), CKA_PRIVATE));
  EXPECT_TRUE(Flag(Find(CKO_SECRET_KEY, "mac"), CKA_PRIVATE));
  EXPECT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_USER_ALREADY_LOGGED_IN);
}

TEST_F(LoginTest, WrongPinsAreTold) {
  for (const char* const pin :
       {"", ":", "AKIAFAKE", "AKIAFAKE:", ":fake/secret", "fake/secret",
        "AKIAFAKE:wrong", "AKIAOTHER:fake/secret", " AKIAFAKE:fake/secret"}) {
    EXPECT_EQ(LogIn(pin), CKR_PIN_INCORRECT) << pin;
  }
  EXPECT_EQ(LogIn("AKIAFAKE:" + std::string(kMaxPinBytes, 'x')),
            CKR_PIN_INCORRECT);
  EXPECT_EQ(C_Login(session_, CKU_USER, nullptr, 0), CKR_PIN_INCORRECT);
  EXPECT_EQ(C_Login(session_, CKU_USER, nullptr, 8), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(State(), CKS_RW_PUBLIC_SESSION);
}

TEST_F(LoginTest, AUserNameIsTheAccessKeyId) {
  EXPECT_EQ(LogInAs("AKIAOTHER", "fake/secret"), CKR_PIN_INCORRECT);
  EXPECT_EQ(LogInAs("AKIAFAKE", "wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(LogInAs("AKIAFAKE", "fake/secret"), CKR_OK);
}

TEST_F(LoginTest, WhoLoggedInByNameIsAskedForTheSecretAgain) {
  ASSERT_EQ(LogInAs("AKIAFAKE", "fake/secret"), CKR_OK);
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  ASSERT_EQ(C_SignInit(session_, &mechanism, Find(CKO_PRIVATE_KEY, "pair")),
            CKR_OK);
  EXPECT_EQ(LogIn("fake/secret", CKU_CONTEXT_SPECIFIC), CKR_OK);
  EXPECT_EQ(LogInAs("AKIAFAKE", "fake/secret", CKU_CONTEXT_SPECIFIC), CKR_OK);
  EXPECT_EQ(LogInAs("AKIAOTHER", "fake/secret", CKU_CONTEXT_SPECIFIC),
            CKR_PIN_INCORRECT);
}

TEST_F(LoginTest, OnlyUsersLogIn) {
  EXPECT_EQ(LogIn("AKIAFAKE:fake/secret", CKU_SO), CKR_USER_TYPE_INVALID);
  EXPECT_EQ(LogIn("AKIAFAKE:fake/secret", CKU_CONTEXT_SPECIFIC),
            CKR_OPERATION_NOT_INITIALIZED);
}

TEST_F(LoginTest, LoggingOutHidesWhatWasShown) {
  ASSERT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "pair");
  ASSERT_EQ(C_Logout(session_), CKR_OK);
  EXPECT_EQ(C_Logout(session_), CKR_USER_NOT_LOGGED_IN);
  const int calls = kms_->Calls();
  EXPECT_THAT(FindAll({}), IsEmpty());
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &mechanism, key), CKR_USER_NOT_LOGGED_IN);
  CK_ULONG size = 0;
  EXPECT_EQ(C_GetObjectSize(session_, key, &size), CKR_OBJECT_HANDLE_INVALID);
  EXPECT_EQ(kms_->Calls(), calls);
  // The handle is good again for who may see the key.
  ASSERT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
  EXPECT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
}

TEST_F(LoginTest, PrivateObjectsOfSessionsAreTheUsers) {
  CK_OBJECT_CLASS data = CKO_DATA;
  CK_BBOOL hidden = CK_TRUE;
  std::vector<CK_ATTRIBUTE> rows = {Row(CKA_CLASS, data),
                                    TextRow(CKA_VALUE, "open")};
  CK_OBJECT_HANDLE open = 0;
  CK_OBJECT_HANDLE made = 0;
  ASSERT_EQ(C_CreateObject(session_, rows.data(), rows.size(), &open), CKR_OK);
  rows.push_back(Row(CKA_PRIVATE, hidden));
  EXPECT_EQ(C_CreateObject(session_, rows.data(), rows.size(), &made),
            CKR_USER_NOT_LOGGED_IN);

  ASSERT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
  ASSERT_EQ(C_CreateObject(session_, rows.data(), rows.size(), &made), CKR_OK);
  EXPECT_THAT(FindAll({Row(CKA_CLASS, data)}),
              testing::UnorderedElementsAre(open, made));
  ASSERT_EQ(C_Logout(session_), CKR_OK);
  EXPECT_THAT(FindAll({}), testing::ElementsAre(open));
  // It is gone, also for who logs in next.
  ASSERT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
  EXPECT_THAT(FindAll({Row(CKA_CLASS, data)}), testing::ElementsAre(open));
  CK_ULONG size = 0;
  EXPECT_EQ(C_GetObjectSize(session_, made, &size), CKR_OBJECT_HANDLE_INVALID);
}

TEST_F(LoginTest, TheLastSessionLogsOut) {
  ASSERT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
  ASSERT_EQ(C_CloseSession(session_), CKR_OK);
  session_ = Open();
  EXPECT_EQ(State(), CKS_RW_PUBLIC_SESSION);
  EXPECT_THAT(FindAll({}), IsEmpty());
  EXPECT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
}

TEST_F(LoginTest, AnOperationMayAskForThePinAgain) {
  ASSERT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  ASSERT_EQ(C_SignInit(session_, &mechanism, Find(CKO_PRIVATE_KEY, "pair")),
            CKR_OK);
  EXPECT_EQ(LogIn("AKIAFAKE:wrong", CKU_CONTEXT_SPECIFIC), CKR_PIN_INCORRECT);
  EXPECT_EQ(LogIn("AKIAFAKE:fake/secret", CKU_CONTEXT_SPECIFIC), CKR_OK);
  CK_BYTE digest[32] = {};
  CK_BYTE signature[64];
  CK_ULONG size = sizeof(signature);
  EXPECT_EQ(C_Sign(session_, digest, sizeof(digest), signature, &size), CKR_OK);
}

TEST_F(LoginTest, AnAccessKeyThatHasExpiredMeansNobodyIsLoggedIn) {
  ASSERT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  ASSERT_EQ(C_SignInit(session_, &mechanism, Find(CKO_PRIVATE_KEY, "pair")),
            CKR_OK);
  kms_->Fail("Sign", base::Error{base::ErrorCode::kExpiredToken, "expired"});
  kms_->SetLastFailure(400);
  CK_BYTE digest[32] = {};
  CK_BYTE signature[64];
  CK_ULONG size = sizeof(signature);
  EXPECT_EQ(C_Sign(session_, digest, sizeof(digest), signature, &size),
            CKR_USER_NOT_LOGGED_IN);
  CK_SESSION_INFO info = {};
  ASSERT_EQ(C_GetSessionInfo(session_, &info), CKR_OK);
  EXPECT_EQ(info.ulDeviceError, 400U);
}

class ConfiguredIdTest : public LoginTest {
 protected:
  ConfiguredIdTest() : LoginTest("AKIAFAKE") {}
};

TEST_F(ConfiguredIdTest, ThePinIsTheSecret) {
  EXPECT_EQ(LogIn("wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(LogIn("fake/secret"), CKR_OK);
}

TEST_F(ConfiguredIdTest, ThePinMayNameTheIdAllTheSame) {
  EXPECT_EQ(LogIn("AKIAOTHER:fake/secret"), CKR_PIN_INCORRECT);
  EXPECT_EQ(LogIn("AKIAFAKE:fake/secret"), CKR_OK);
}

TEST(PinTest, IsTakenApart) {
  const struct {
    const char* user_name;
    const char* pin;
    const char* configured;
    const char* id;
    const char* secret;
    const char* token;
  } cases[] = {
      {"", "ID:SECRET", "", "ID", "SECRET", ""},
      {"", "ID:SECRET:TOKEN", "", "ID", "SECRET", "TOKEN"},
      {"", "ID:SECRET:TO:KEN==", "", "ID", "SECRET", "TO:KEN=="},
      {"", "SECRET", "ID", "ID", "SECRET", ""},
      {"", "SECRET:TOKEN", "ID", "ID", "SECRET", "TOKEN"},
      {"", "ID:SECRET", "ID", "ID", "SECRET", ""},
      {"", "IDX", "ID", "ID", "IDX", ""},
      {"", "ID", "ID", "ID", "ID", ""},
      {"NAME", "SECRET", "ID", "NAME", "SECRET", ""},
      {"NAME", "SECRET:TOKEN", "", "NAME", "SECRET", "TOKEN"},
  };
  for (const auto& each : cases) {
    const auto read = ReadPin(each.user_name, each.pin, each.configured);
    ASSERT_TRUE(read.has_value()) << each.pin;
    EXPECT_EQ(read->access_key_id, each.id) << each.pin;
    EXPECT_EQ(read->secret_access_key.RevealText(), each.secret) << each.pin;
    EXPECT_EQ(read->session_token, each.token) << each.pin;
  }
}

}  // namespace
}  // namespace pkcs11::module
