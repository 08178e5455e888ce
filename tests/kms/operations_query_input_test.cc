// SPDX-License-Identifier: Apache-2.0
// From the form of the Query protocol to the input of an operation.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kms/operations/query_input.h"
#include "tests/testlib/status.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using base::Json;
using testing::HasSubstr;
using testlib::StatusIs;

constexpr Shape kText = {.type = Type::kString};
constexpr Shape kNumber = {.type = Type::kInteger};
constexpr Shape kFlag = {.type = Type::kBoolean};
constexpr Shape kBytes = {.type = Type::kBlob};
constexpr Shape kTime = {.type = Type::kTimestamp};
constexpr Shape kMap = {.type = Type::kStringMap};
constexpr Shape kTexts = {.type = Type::kList, .item = &kText};
constexpr Shape kTextLists = {.type = Type::kList, .item = &kTexts};
constexpr std::array<Member, 2> kTagMembers = {
    {{"Key", &kText, true}, {"Value", &kText, true}}};
constexpr Shape kTag = {.type = Type::kStructure, .members = kTagMembers};
constexpr Shape kTags = {.type = Type::kList, .item = &kTag};
constexpr std::array<Member, 2> kOuterMembers = {
    {{"Inner", &kTag}, {"Names", &kTexts}}};
constexpr Shape kOuter = {.type = Type::kStructure, .members = kOuterMembers};
constexpr std::array<Member, 10> kMembers = {{{"UserName", &kText},
                                              {"DurationSeconds", &kNumber},
                                              {"SetAsDefault", &kFlag},
                                              {"Bytes", &kBytes},
                                              {"Time", &kTime},
                                              {"Map", &kMap},
                                              {"PolicyArns", &kTexts},
                                              {"Lists", &kTextLists},
                                              {"Tags", &kTags},
                                              {"Outer", &kOuter}}};

std::string Read(std::string_view body) {
  return std::string(testlib::Take(ReadQueryInput(body, kMembers)).dump());
}

TEST(QueryInputTest, ReadsEachTypeByItsShape) {
  EXPECT_EQ(Read(""), "{}");
  EXPECT_EQ(Read("UserName=a+b"), R"({"UserName":"a b"})");
  EXPECT_EQ(Read("UserName="), R"({"UserName":""})");
  EXPECT_EQ(Read("UserName=7"), R"({"UserName":"7"})");
  EXPECT_EQ(Read("DurationSeconds=3600"), R"({"DurationSeconds":3600})");
  EXPECT_EQ(Read("DurationSeconds=-1"), R"({"DurationSeconds":-1})");
  EXPECT_EQ(Read("SetAsDefault=true"), R"({"SetAsDefault":true})");
  EXPECT_EQ(Read("SetAsDefault=false"), R"({"SetAsDefault":false})");
  EXPECT_EQ(Read("Bytes=YQ%3D%3D"), R"({"Bytes":"YQ=="})");
}

TEST(QueryInputTest, NestsAsTheShapesSay) {
  EXPECT_EQ(Read("Outer.Inner.Key=k&Outer.Names.member.1=n"),
            R"({"Outer":{"Inner":{"Key":"k"},"Names":["n"]}})");
  EXPECT_EQ(Read("Tags.member.1.Key=a&Tags.member.1.Value=b&"
                 "Tags.member.2.Key=c&Tags.member.2.Value="),
            R"({"Tags":[{"Key":"a","Value":"b"},{"Key":"c","Value":""}]})");
  EXPECT_EQ(Read("Lists.member.1.member.1=a&Lists.member.1.member.2=b&"
                 "Lists.member.2="),
            R"({"Lists":[["a","b"],[]]})");
}

TEST(QueryInputTest, TakesTheItemsOfAListInAnyOrder) {
  EXPECT_EQ(Read("PolicyArns.member.2=b&PolicyArns.member.1=a"),
            R"({"PolicyArns":["a","b"]})");
  std::string body = "UserName=x";
  std::string list;
  for (int i = 12; i >= 1; --i) {
    const std::string number = std::to_string(i);
    body.append("&PolicyArns.member.")
        .append(number)
        .append("=")
        .append(number);
    list.insert(0, fmt::format("\"{}\"{}", number, list.empty() ? "" : ","));
  }
  EXPECT_EQ(Read(body), R"({"PolicyArns":[)" + list + R"(],"UserName":"x"})");
}

// botocore sends an empty list so.
TEST(QueryInputTest, TakesAnEmptyValueForAnEmptyList) {
  EXPECT_EQ(Read("Tags="), R"({"Tags":[]})");
}

TEST(QueryInputTest, IgnoresWhatNoMemberHas) {
  EXPECT_EQ(Read("Action=A&Version=1&Other=x&Other.member.7=y&username=z"),
            "{}");
  EXPECT_EQ(Read("UserName.x=1&Tags.1.Key=a&PolicyArnsX=b"), "{}");
  // An item that is there, with nothing that counts: its members are missing.
  EXPECT_EQ(Read("Tags.member.1.Other=x"), R"({"Tags":[{}]})");
}

TEST(QueryInputTest, RefusesWhatIsNotOfTheMembersType) {
  struct Case {
    std::string_view body;
    std::string_view message;
  };
  constexpr std::string_view kGap =
      "'Tags' must be a list whose items are numbered from 1, without a gap";
  constexpr std::string_view kNoNumber =
      "'Tags' must be a list whose items have numbers";
  constexpr std::string_view kNoList =
      "'Tags' must be a list: Tags.member.1 and so on";
  constexpr Case kCases[] = {
      {"DurationSeconds=", "'DurationSeconds' must be an integer"},
      {"DurationSeconds=12x", "'DurationSeconds' must be an integer"},
      {"DurationSeconds=1.5", "'DurationSeconds' must be an integer"},
      {"DurationSeconds=+1", "'DurationSeconds' must be an integer"},
      {"DurationSeconds=%2B1", "'DurationSeconds' must be an integer"},
      {"DurationSeconds=9223372036854775808",
       "'DurationSeconds' must be an integer"},
      {"SetAsDefault=True", "'SetAsDefault' must be true or false"},
      {"SetAsDefault=1", "'SetAsDefault' must be true or false"},
      {"SetAsDefault=", "'SetAsDefault' must be true or false"},
      {"Tags.member.2.Key=a", kGap},
      {"Tags.member.1.Key=a&Tags.member.3.Key=a", kGap},
      {"Tags.member.0.Key=a", kNoNumber},
      {"Tags.member.01.Key=a", kNoNumber},
      {"Tags.member.-1.Key=a", kNoNumber},
      {"Tags.member.x.Key=a", kNoNumber},
      {"Tags.member.=a", kNoNumber},
      {"Tags.member.1x.Key=a&Tags.member.1.Key=a", kNoNumber},
      {"Tags.member.18446744073709551617.Key=a", kNoNumber},
      {"Tags.member.18446744073709551615.Key=a", kGap},
      {"Tags=a", kNoList},
      {"Tags=&Tags.member.1.Key=a", kNoList},
      {"Tags.member.1=a", "'Tags.member.1' must be given by its members"},
      {"Outer=a", "'Outer' must be given by its members"},
      {"PolicyArns.member.1.x=a",
       "'PolicyArns.member.1' must be a single value"},
      {"Outer.Names.member.1=a&Outer.Names.member.3=a",
       "'Outer.Names' must be a list whose items are numbered from 1, without "
       "a gap"},
      {"Time=2026-11-22T12:00:00Z",
       "'Time' must be left out: the Query protocol has no such values"},
      {"Map.entry.1.key=a",
       "'Map' must be left out: the Query protocol has no such values"},
      {"UserName=a&UserName=b",
       "parameter 2 of the form has the name of one before it"},
      {"UserName=%",
       "parameter 1 of the form has a '%' without two "
       "hexadecimal digits"},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(ReadQueryInput(c.body, kMembers),
                StatusIs(ErrorCode::kSerialization, std::string(c.message)))
        << c.body;
  }
}

TEST(QueryInputTest, MakesWhatTheShapesCheck) {
  std::vector<NamedBlob> blobs;
  const Json good = testlib::Take(ReadQueryInput(
      "Tags.member.1.Key=a&Tags.member.1.Value=b&Bytes=YQ==&UserName=u",
      kMembers));
  EXPECT_THAT(CheckInput(kMembers, good, blobs), testlib::IsOk());
  ASSERT_EQ(blobs.size(), 1u);
  const Json bad =
      testlib::Take(ReadQueryInput("Tags.member.1.Key=a", kMembers));
  EXPECT_THAT(CheckInput(kMembers, bad, blobs),
              StatusIs(ErrorCode::kValidation,
                       HasSubstr("Value null at 'tags.1.member.value'")));
}

}  // namespace
}  // namespace kms::operations
