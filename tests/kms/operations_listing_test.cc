// SPDX-License-Identifier: Apache-2.0
// Pages and their markers, tags, the names of aliases.
#include "base/bytes.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testlib::StatusIs;

class ListingTest : public OperationsTest {
 protected:
  ListingTest() : key_(NewKey()) {}

  base::Result<json> Tag(const json& tags) {
    return Ask("TagResource", {{"KeyId", key_}, {"Tags", tags}});
  }
  base::Result<json> Alias(const std::string& name) {
    return Ask("CreateAlias", {{"AliasName", name}, {"TargetKeyId", key_}});
  }

  std::string key_;
};

json Tags(int first, int count) {
  json tags = json::array();
  for (int i = first; i < first + count; ++i) {
    tags.push_back({{"TagKey", "k" + std::to_string(i)}, {"TagValue", ""}});
  }
  return tags;
}

TEST_F(ListingTest, PagesGiveEveryItemOnce) {
  ASSERT_OK(Tag(Tags(0, 5)));
  std::vector<std::string> seen;
  json input = {{"KeyId", key_}, {"Limit", 2}};
  for (int page = 0; page < 3; ++page) {
    ASSERT_OK_AND_ASSIGN(const json reply, Ask("ListResourceTags", input));
    for (const json& tag : reply.at("Tags")) {
      seen.push_back(tag.at("TagKey"));
    }
    EXPECT_EQ(reply.at("Truncated"), page < 2);
    EXPECT_EQ(reply.contains("NextMarker"), page < 2);
    if (page < 2) {
      input["Marker"] = reply.at("NextMarker");
    }
  }
  EXPECT_THAT(seen, testing::ElementsAre("k0", "k1", "k2", "k3", "k4"));
}

TEST_F(ListingTest, RefusesAMarkerThatItDidNotReturn) {
  NewKey();
  ASSERT_OK_AND_ASSIGN(const json reply, Ask("ListKeys", {{"Limit", 1}}));
  const std::string marker = reply.at("NextMarker");
  EXPECT_OK(Ask("ListKeys", {{"Marker", marker}}));
  EXPECT_THAT(Ask("ListAliases", {{"Marker", marker}}),
              StatusIs(ErrorCode::kInvalidMarker));
  EXPECT_THAT(Ask("ListKeys", {{"Marker", marker}}, {.region = "us-east-1"}),
              StatusIs(ErrorCode::kInvalidMarker));
  for (const std::string& foreign :
       {std::string("x"), std::string("YQ=="), std::string("!"),
        base::Base64Encode(base::AsBytes("ListKeys:00000000"))}) {
    EXPECT_THAT(Ask("ListKeys", {{"Marker", foreign}}),
                StatusIs(ErrorCode::kInvalidMarker));
  }
  ASSERT_OK(Tag(Tags(0, 2)));
  const std::string of_tags =
      testlib::Take(Ask("ListResourceTags", {{"KeyId", key_}, {"Limit", 1}}))
          .at("NextMarker");
  EXPECT_THAT(
      Ask("ListResourceTags", {{"KeyId", NewKey()}, {"Marker", of_tags}}),
      StatusIs(ErrorCode::kInvalidMarker));
}

TEST_F(ListingTest, HoldsTheLimitsOfEachListing) {
  EXPECT_OK(Ask("ListKeys", {{"Limit", 1000}}));
  EXPECT_OK(Ask("ListAliases", {{"Limit", 100}}));
  EXPECT_THAT(Ask("ListAliases", {{"Limit", 101}}),
              StatusIs(ErrorCode::kValidation,
                       "1 validation error detected: Value '101' at 'limit' "
                       "failed to satisfy constraint: Member must have value "
                       "less than or equal to 100"));
  EXPECT_THAT(Ask("ListResourceTags", {{"KeyId", key_}, {"Limit", 51}}),
              StatusIs(ErrorCode::kValidation));
}

TEST_F(ListingTest, RefusesBadTags) {
  const auto tag = [](const std::string& name) {
    return json::array({{{"TagKey", name}, {"TagValue", "v"}}});
  };
  for (const std::string name : {"aws:x", "AWS:x", "aWs:"}) {
    EXPECT_THAT(Tag(tag(name)), StatusIs(ErrorCode::kTag,
                                         "Tags beginning with aws: are "
                                         "reserved"));
  }
  EXPECT_OK(Tag(tag("aws")));
  json twice = Tags(0, 1);
  twice.push_back(twice[0]);
  EXPECT_THAT(Tag(twice), StatusIs(ErrorCode::kTag, "Duplicate tag keys"));
  EXPECT_THAT(Tag(Tags(0, 51)), StatusIs(ErrorCode::kTag, "Too many tags"));
  EXPECT_OK(Tag(Tags(0, 49)));
  EXPECT_THAT(Tag(Tags(49, 1)), StatusIs(ErrorCode::kTag, "Too many tags"));
  EXPECT_OK(Tag(Tags(0, 49)));  // The same keys again.
}

TEST_F(ListingTest, RefusesBadAliasNames) {
  EXPECT_OK(Alias("alias/a/b-c_1"));
  EXPECT_THAT(Alias("alias/a/b-c_1"),
              StatusIs(ErrorCode::kAlreadyExists,
                       "An alias with the name arn:aws:kms:eu-west-1:"
                       "111122223333:alias/a/b-c_1 already exists"));
  EXPECT_THAT(Alias("a"), StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(Alias("alias/aws/x"), StatusIs(ErrorCode::kNotAuthorized, ""));
  for (const std::string name : {"alias/", "alias/my:alias"}) {
    EXPECT_THAT(Alias(name),
                StatusIs(ErrorCode::kValidation,
                         name + " contains invalid characters for an alias"));
  }
  EXPECT_THAT(Ask("CreateAlias",
                  {{"AliasName", "alias/b"}, {"TargetKeyId", "alias/a/b-c_1"}}),
              StatusIs(ErrorCode::kValidation,
                       "Aliases must refer to keys. Not aliases"));
}

TEST_F(ListingTest, FindsKeysInTheFormsThatAreTaken) {
  ASSERT_OK(Alias("alias/a"));
  const std::string arn = "arn:aws:kms:eu-west-1:111122223333:";
  const auto describe = [&](const std::string& id) {
    return Ask("DescribeKey", {{"KeyId", id}});
  };
  for (const std::string& id :
       {key_, arn + "key/" + key_, std::string("alias/a"), arn + "alias/a"}) {
    EXPECT_OK(describe(id));
  }
  EXPECT_THAT(describe("nonsense"),
              StatusIs(ErrorCode::kNotFound, "Invalid keyId 'nonsense'"));
  EXPECT_THAT(describe("alias/none"),
              StatusIs(ErrorCode::kNotFound,
                       "Alias " + arn + "alias/none is not found."));
  EXPECT_THAT(describe("arn:aws:kms:us-east-1:111122223333:key/" + key_),
              StatusIs(ErrorCode::kNotFound, "Invalid arn us-east-1"));
  EXPECT_THAT(describe("arn:aws:s3:::x"), StatusIs(ErrorCode::kInvalidArn));
  EXPECT_THAT(Ask("DisableKey", {{"KeyId", "alias/a"}}),
              StatusIs(ErrorCode::kNotFound, "Invalid keyId 'alias/a'"));
  const From elsewhere = {.region = "us-east-1"};
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", key_}}, elsewhere),
              StatusIs(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace kms::operations
