// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>
#include <string>

#include "hsm/token/cryptoki.h"
#include "hsm/token/lru.h"
#include "hsm/token/template.h"
#include "tests/hsm/token_fixture.h"

// The small parts: tables, templates, the bounded map.
namespace hsm::token {
namespace {

using base::ErrorCode;

TEST(CryptokiTest, EveryReturnValueHasACodeAndAName) {
  for (CK_RV rv = 1; rv < 0x1000; ++rv) {
    EXPECT_FALSE(Check(rv, "C_X").has_value());
    EXPECT_NE(RvText(rv), "");
  }
  for (const CK_RV rv : {CK_RV{0x80000001}, ~CK_RV{0}}) {
    EXPECT_EQ(CodeOf(rv), ErrorCode::kInternal);
  }
  ASSERT_OK(Check(CKR_OK, "C_X"));
}

TEST(CryptokiTest, TableNamesEveryValueOfTheStandardOnce) {
  std::map<std::string_view, CK_RV> names;
  for (const RvMeaning& meaning : RvMeanings()) {
    EXPECT_TRUE(names.emplace(meaning.name, meaning.rv).second) << meaning.name;
    EXPECT_EQ(CodeOf(meaning.rv), meaning.code);
    EXPECT_TRUE(meaning.name.starts_with("CKR_"));
  }
  EXPECT_GT(names.size(), 90U);
}

// Ending the worker, disabling a PIN and calling a ciphertext forged are what
// the codes decide: each is listed here again, on purpose.
TEST(CryptokiTest, CodesThatDecideSomethingAreThese) {
  const std::map<CK_RV, ErrorCode> expected = {
      {CKR_DEVICE_ERROR, ErrorCode::kHsmUnavailable},
      {CKR_DEVICE_MEMORY, ErrorCode::kLimitExceeded},
      {CKR_DEVICE_REMOVED, ErrorCode::kHsmUnavailable},
      {CKR_TOKEN_NOT_PRESENT, ErrorCode::kHsmUnavailable},
      {CKR_SESSION_HANDLE_INVALID, ErrorCode::kHsmUnavailable},
      {CKR_USER_NOT_LOGGED_IN, ErrorCode::kHsmUnavailable},
      {CKR_CRYPTOKI_NOT_INITIALIZED, ErrorCode::kHsmUnavailable},
      {CKR_PIN_INCORRECT, ErrorCode::kAccessDenied},
      {CKR_PIN_LOCKED, ErrorCode::kAccessDenied},
      {CKR_PIN_EXPIRED, ErrorCode::kAccessDenied},
      {CKR_ENCRYPTED_DATA_INVALID, ErrorCode::kInvalidCiphertext},
      {CKR_MECHANISM_INVALID, ErrorCode::kUnsupportedOperation},
      {CKR_OBJECT_HANDLE_INVALID, ErrorCode::kNotFound},
      {CKR_KEY_HANDLE_INVALID, ErrorCode::kNotFound},
      {CKR_GENERAL_ERROR, ErrorCode::kInternal},
      {CKR_FUNCTION_FAILED, ErrorCode::kInternal}};
  for (const auto& [rv, code] : expected) {
    EXPECT_EQ(CodeOf(rv), code) << RvText(rv);
  }
}

TEST(CryptokiTest, TextNamesTheValue) {
  EXPECT_EQ(RvText(CKR_DEVICE_ERROR), "CKR_DEVICE_ERROR (0x30)");
  EXPECT_EQ(RvText(0x80000001), "CK_RV (0x80000001)");
  EXPECT_EQ(Check(CKR_GENERAL_ERROR, "C_Sign").error().message,
            "C_Sign: CKR_GENERAL_ERROR (0x5)");
}

TEST(CryptokiTest, UnconstIsNeverNull) { EXPECT_NE(Unconst({}), nullptr); }

TEST(CryptokiTest, PaddingIsCut) {
  EXPECT_EQ(PaddedText(base::AsBytes("label   ")), "label");
  EXPECT_EQ(PaddedText(base::AsBytes("two words ")), "two words");
  EXPECT_EQ(PaddedText(base::AsBytes("    ")), "");
}

TEST(TemplateTest, LaterValuesReplaceEarlierOnes) {
  Template attributes;
  attributes.Set(CKA_TOKEN, true).Set(CKA_VALUE_LEN, CK_ULONG{32});
  attributes.Set(CKA_TOKEN, false).Remove(CKA_LABEL);
  const Template moved = std::move(attributes);
  ASSERT_EQ(moved.size(), 2U);
  EXPECT_EQ(moved.data()[0].type, CKA_VALUE_LEN);
  EXPECT_EQ(*static_cast<CK_ULONG*>(moved.data()[0].pValue), 32U);
  EXPECT_EQ(*static_cast<CK_BBOOL*>(moved.data()[1].pValue), CK_FALSE);
}

using Map = Lru<int, std::string, std::hash<int>>;

TEST(LruTest, LetsGoOfTheOneUnusedForLongest) {
  Map map(2);
  EXPECT_EQ(map.Insert(1, "one"), std::nullopt);
  EXPECT_EQ(map.Insert(2, "two"), std::nullopt);
  ASSERT_NE(map.Find(1), nullptr);
  EXPECT_EQ(map.Insert(3, "three"), "two");
  EXPECT_EQ(map.Find(2), nullptr);
  EXPECT_EQ(*map.Find(1), "one");
  EXPECT_EQ(map.size(), 2U);
}

TEST(LruTest, RemovesByCondition) {
  Map map(3);
  for (const int key : {1, 2, 3}) {
    map.Insert(key, std::to_string(key));
  }
  EXPECT_THAT(map.RemoveIf([](int key) { return key != 2; }),
              testing::UnorderedElementsAre("1", "3"));
  EXPECT_EQ(map.size(), 1U);
  EXPECT_EQ(*map.Find(2), "2");
}

}  // namespace
}  // namespace hsm::token
