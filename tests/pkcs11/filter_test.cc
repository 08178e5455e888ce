// SPDX-License-Identifier: Apache-2.0
// Which keys a token shows, by its options.
#include <gmock/gmock.h>

#include <set>

#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kArnPrefix = "arn:aws:kms:us-east-1:000000000000:key/";

class FilterTest : public CryptokiTest {
 protected:
  explicit FilterTest(TokenOptions options)
      : CryptokiTest(std::move(options)) {}

  std::set<std::string> Labels() const {
    std::set<std::string> labels;
    for (const CK_OBJECT_HANDLE object : FindAll({})) {
      labels.emplace(base::AsText(Value(object, CKA_LABEL)));
    }
    return labels;
  }
};

// The fake's ids count from 1.
std::string IdOf(int number) {
  return "00000000-0000-4000-8000-00000000000" + std::to_string(number);
}

class NamedKeysTest : public FilterTest {
 protected:
  NamedKeysTest()
      : FilterTest({.filter = {.key_ids = {IdOf(2), kArnPrefix + IdOf(3)}}}) {
    kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "one");
    kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "two");
    kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "three");
  }
};

TEST_F(NamedKeysTest, AreShownWithoutListingKeys) {
  EXPECT_THAT(Labels(), ElementsAre("three", "two"));
  EXPECT_EQ(kms_->Calls("ListKeys"), 0);
}

TEST_F(NamedKeysTest, NeedNoPermissionToList) {
  const base::Error denied = {ErrorCode::kAccessDenied, "AccessDenied"};
  kms_->Fail("ListKeys", denied);
  kms_->Fail("ListAliases", denied);
  kms_->Fail("ListResourceTags", denied);
  EXPECT_THAT(Labels(), ElementsAre(IdOf(2), IdOf(3)));
}

class KeysNamedTwiceTest : public FilterTest {
 protected:
  KeysNamedTwiceTest()
      : FilterTest(
            {.filter = {.key_ids = {IdOf(1), kArnPrefix + IdOf(1), IdOf(1)}}}) {
    kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "one");
  }
};

TEST_F(KeysNamedTwiceTest, AreShownOnce) {
  EXPECT_THAT(FindAll({}), testing::SizeIs(1));
}

class AliasPrefixTest : public FilterTest {
 protected:
  AliasPrefixTest() : FilterTest({.filter = {.alias_prefix = "web/"}}) {}
};

TEST_F(AliasPrefixTest, ShowsOnlyKeysWithSuchAnAliasByThatAlias) {
  const std::string id = kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC");
  kms_->AddAlias(id, "api");
  kms_->AddAlias(id, "web/b");
  kms_->AddAlias(id, "web/a");
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "website");
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC");
  EXPECT_THAT(Labels(), ElementsAre("web/a"));
  EXPECT_EQ(kms_->Calls("ListKeys"), 0);
  EXPECT_EQ(kms_->Calls("DescribeKey"), 1);
}

TEST_F(AliasPrefixTest, ShowsNothingWhereAliasesCannotBeListed) {
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "web/a");
  kms_->Fail("ListAliases", base::Error{ErrorCode::kAccessDenied, "denied"});
  EXPECT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_FUNCTION_REJECTED);
}

class TagFilterTest : public FilterTest {
 protected:
  TagFilterTest() : FilterTest({.filter = {.tag = {{"team", "web"}}}}) {
    for (const char* const team : {"web", "db"}) {
      const std::string id =
          kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", team);
      kms_->SetTag(id, "team", team);
    }
    kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "untagged");
  }
};

TEST_F(TagFilterTest, ShowsKeysWithTheTagAndItsValue) {
  EXPECT_THAT(Labels(), ElementsAre("web"));
}

TEST_F(TagFilterTest, ShowsNothingWhereTagsCannotBeListed) {
  kms_->Fail("ListResourceTags",
             base::Error{ErrorCode::kAccessDenied, "denied"});
  EXPECT_THAT(Labels(), IsEmpty());
}

class BothFiltersTest : public FilterTest {
 protected:
  BothFiltersTest()
      : FilterTest(
            {.filter = {.key_ids = {IdOf(1), IdOf(2)}, .alias_prefix = "x"}}) {}
};

TEST_F(BothFiltersTest, AllConditionsMustHold) {
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "x1");
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "y2");
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "x3");
  EXPECT_THAT(Labels(), ElementsAre("x1"));
}

// A key that would not be shown is not made.
template <typename Test>
class MakingTest : public Test {
 protected:
  CK_RV Make(const char* label) {
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG length = 32;
    CK_ATTRIBUTE rows[] = {Row(CKA_TOKEN, yes), Row(CKA_VALUE_LEN, length),
                           TextRow(CKA_LABEL, label)};
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE key = 0;
    return C_GenerateKey(this->session_, &mechanism, rows, std::size(rows),
                         &key);
  }
};

using NamedMakingTest = MakingTest<NamedKeysTest>;
using PrefixMakingTest = MakingTest<AliasPrefixTest>;
using TagMakingTest = MakingTest<TagFilterTest>;

TEST_F(NamedMakingTest, MakesNoneWhereKeysAreNamed) {
  EXPECT_EQ(Make("new"), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

TEST_F(PrefixMakingTest, WantsALabelThatBecomesSuchAnAlias) {
  for (const char* label : {"", "new", "web/new key"}) {
    EXPECT_EQ(Make(label), CKR_ATTRIBUTE_VALUE_INVALID) << label;
  }
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
  EXPECT_EQ(Make("web/new"), CKR_OK);
  EXPECT_THAT(Labels(), ElementsAre("web/new"));
}

TEST_F(PrefixMakingTest, GivesUpAKeyThatGetsNoAlias) {
  kms_->Fail("CreateAlias", base::Error{ErrorCode::kAlreadyExists, "there"});
  EXPECT_NE(Make("web/new"), CKR_OK);
  EXPECT_EQ(kms_->Calls("ScheduleKeyDeletion"), 1);
}

TEST_F(TagMakingTest, TagsTheKey) {
  EXPECT_EQ(Make("new"), CKR_OK);
  EXPECT_THAT(Labels(), ElementsAre("new", "web"));
}

class ShowDisabledTest : public FilterTest {
 protected:
  ShowDisabledTest() : FilterTest({.show_disabled = true}) {}
};

TEST_F(ShowDisabledTest, ShowsKeysAsleepWithTheirState) {
  for (const char* const state :
       {"Disabled", "PendingDeletion", "PendingImport", "Unavailable"}) {
    const std::string id =
        kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", state);
    kms_->SetState(id, state);
  }
  EXPECT_THAT(Labels(),
              ElementsAre("Disabled", "PendingDeletion", "PendingImport"));
  EXPECT_EQ(
      base::AsText(Value(Find(CKO_SECRET_KEY, "Disabled"), CKA_KMS_KEY_STATE)),
      "Disabled");
}

TEST_F(ShowDisabledTest, PairsAsleepAreShownAsFarAsTheirPublicKeyIsKnown) {
  const std::string known = kms_->AddKey("RSA_2048", "SIGN_VERIFY", "known");
  EXPECT_THAT(Labels(), ElementsAre("known"));
  kms_->SetState(known, "Disabled");
  kms_->SetState(kms_->AddKey("RSA_2048", "SIGN_VERIFY", "new"), "Disabled");
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_THAT(Labels(), ElementsAre("known"));  // As on AWS.
}

TEST_F(ShowDisabledTest, AClavigerTellsThePublicKeysOfPairsAsleep) {
  kms_->BeClaviger();
  for (const char* const state :
       {"Disabled", "PendingDeletion", "PendingImport"}) {
    const std::string id = kms_->AddKey("RSA_2048", "SIGN_VERIFY", state);
    kms_->SetState(id, state);
  }
  EXPECT_THAT(Labels(), ElementsAre("Disabled", "PendingDeletion"));
}

TEST_F(ShowDisabledTest, SuchKeysAreOfNoUseHereEither) {
  kms_->BeClaviger();
  const std::string id = kms_->AddKey("RSA_2048", "SIGN_VERIFY", "off");
  kms_->SetState(id, "PendingDeletion");
  CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &mechanism, Find(CKO_PRIVATE_KEY, "off")),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(C_VerifyInit(session_, &mechanism, Find(CKO_PUBLIC_KEY, "off")),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
}

class TtlTest : public FilterTest {
 protected:
  TtlTest() : FilterTest({.object_ttl = std::chrono::seconds(5)}) {}
};

TEST_F(TtlTest, TheListIsAsOldAsTheOptionSays) {
  FindAll({});
  clock_->Advance(std::chrono::seconds(4));
  FindAll({});
  EXPECT_EQ(kms_->Calls("ListKeys"), 1);
  clock_->Advance(std::chrono::seconds(2));
  FindAll({});
  EXPECT_EQ(kms_->Calls("ListKeys"), 2);
}

}  // namespace
}  // namespace pkcs11::module
