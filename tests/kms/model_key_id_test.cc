// SPDX-License-Identifier: Apache-2.0
// Key ids, ARNs and aliases as clients write them.
#include <gtest/gtest.h>

#include "kms/key_id.h"
#include "tests/testlib/status.h"

namespace kms {
namespace {

using testlib::StatusIs;

constexpr std::string_view kUuid = "1234abcd-12ab-34cd-56ef-1234567890ab";
constexpr std::string_view kMrk = "mrk-1234abcd12ab34cd56ef1234567890ab";

TEST(KeyIdTest, BothSpellingsRoundTrip) {
  for (const std::string_view text : {kUuid, kMrk}) {
    const auto id = ParseKeyId(text);
    ASSERT_TRUE(id.has_value()) << text;
    EXPECT_EQ(KeyIdText(*id), text);
  }
  EXPECT_EQ(ParseKeyId(kUuid)->bytes, ParseKeyId(kMrk)->bytes);
  EXPECT_EQ(ParseKeyId(kUuid)->kind, KeyIdKind::kUuid);
  EXPECT_EQ(ParseKeyId(kMrk)->kind, KeyIdKind::kMultiRegion);
}

TEST(KeyIdTest, OtherTextIsNone) {
  for (const std::string_view text :
       {"", "mrk-", "1234ABCD-12ab-34cd-56ef-1234567890ab",
        "1234abcd12ab34cd56ef1234567890ab",
        "1234abcd-12ab-34cd-56ef-1234567890a",
        "1234abcd-12ab-34cd-56ef-1234567890abc",
        "1234abcd--2ab-34cd-56ef-1234567890ab",
        "1234abcd-12ab-34cd-56ef-1234567890ag",
        "mrk-1234abcd-12ab-34cd-56ef-1234567890ab",
        "MRK-1234abcd12ab34cd56ef1234567890ab", "alias/x"}) {
    EXPECT_FALSE(ParseKeyId(text).has_value()) << text;
  }
}

TEST(KeyRowIdTest, NamesTheRegionOfMultiRegionKeysOnly) {
  EXPECT_EQ(KeyRowId(kUuid, "eu-west-1"), kUuid);
  const std::string row_id = KeyRowId(kMrk, "eu-west-1");
  EXPECT_EQ(row_id, std::string(kMrk) + "/eu-west-1");
  EXPECT_EQ(KeyIdOfRow(row_id), kMrk);
  EXPECT_EQ(KeyIdOfRow(kUuid), kUuid);
  EXPECT_TRUE(IsMultiRegionKeyId(kMrk));
  EXPECT_FALSE(IsMultiRegionKeyId(kUuid));
}

struct Reference {
  std::string_view text;
  bool is_alias;
  bool is_arn;
  std::string_view region;
  std::string_view account;
  std::string_view name;
};

TEST(KeyReferenceTest, SplitsWhatAwsTakes) {
  constexpr Reference kCases[] = {
      {kUuid, false, false, "", "", kUuid},
      {"nonsense", false, false, "", "", "nonsense"},
      {"alias/a/b", true, false, "", "", "alias/a/b"},
      {"arn:aws:kms:eu-west-1:111122223333:key/k", false, true, "eu-west-1",
       "111122223333", "k"},
      {"arn:aws:kms:eu-west-1:111122223333:alias/a", true, true, "eu-west-1",
       "111122223333", "alias/a"},
  };
  for (const Reference& expected : kCases) {
    SCOPED_TRACE(expected.text);
    ASSERT_OK_AND_ASSIGN(const KeyReference got,
                         ParseKeyReference(expected.text));
    EXPECT_EQ(got.is_alias, expected.is_alias);
    EXPECT_EQ(got.is_arn, expected.is_arn);
    EXPECT_EQ(got.region, expected.region);
    EXPECT_EQ(got.account, expected.account);
    EXPECT_EQ(got.name, expected.name);
  }
}

TEST(KeyReferenceTest, RefusesOtherArns) {
  for (const std::string_view text :
       {"arn:", "arn:aws:kms", "arn:aws:s3:eu-west-1:111122223333:key/k",
        "arn:aws-cn:kms:eu-west-1:111122223333:key/k",
        "arn:aws:kms::111122223333:key/k", "arn:aws:kms:eu-west-1::key/k",
        "arn:aws:kms:eu-west-1:11112222333:key/k",
        "arn:aws:kms:eu-west-1:11112222333x:key/k",
        "arn:aws:kms:eu-west-1:111122223333:keys/k",
        "arn:aws:kms:eu-west-1:111122223333"}) {
    EXPECT_THAT(ParseKeyReference(text),
                StatusIs(base::ErrorCode::kInvalidArn,
                         testing::HasSubstr(std::string(text))));
  }
}

TEST(KeyReferenceTest, ArnsAreAwsOnes) {
  EXPECT_EQ(KeyArn("eu-west-1", "111122223333", kUuid),
            "arn:aws:kms:eu-west-1:111122223333:key/" + std::string(kUuid));
  EXPECT_EQ(AliasArn("eu-west-1", "111122223333", "alias/a"),
            "arn:aws:kms:eu-west-1:111122223333:alias/a");
}

}  // namespace
}  // namespace kms
