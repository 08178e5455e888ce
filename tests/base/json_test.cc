// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/testlib/status.h"

namespace base {
namespace {

using testing::HasSubstr;
using testlib::StatusIs;

std::string Nested(int depth) {
  const auto size = static_cast<std::size_t>(depth);
  return std::string(size, '[') + std::string(size, ']');
}

TEST(ParseJsonTest, ReadsEveryKindOfValue) {
  ASSERT_OK_AND_ASSIGN(
      const Json read,
      ParseJson(R"( {"t":"\u00e4\n","i":-3,"u":18446744073709551615,)"
                R"("f":1.5,"b":true,"n":null,"a":[{},[]]} )"));
  EXPECT_EQ(TextOf(read.at("t")), "\xC3\xA4\n");
  EXPECT_EQ(read.at("i").get<std::int64_t>(), -3);
  EXPECT_EQ(read.at("u").get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(read.at("f").get<double>(), 1.5);
  EXPECT_TRUE(read.at("b").get<bool>());
  EXPECT_TRUE(read.at("n").is_null());
  EXPECT_EQ(read.at("a").size(), 2U);
}

TEST(ParseJsonTest, KeepsWhatFollowsANestedContainer) {
  ASSERT_OK_AND_ASSIGN(const Json read,
                       ParseJson(R"({"a":{"b":[1,{"c":2}],"d":3},"e":4})"));
  EXPECT_EQ(read.at("a").at("b").at(1).at("c").get<int>(), 2);
  EXPECT_EQ(read.at("a").at("d").get<int>(), 3);
  EXPECT_EQ(read.at("e").get<int>(), 4);
}

TEST(ParseJsonTest, ObjectsIterateInOrderOfUtf8) {
  ASSERT_OK_AND_ASSIGN(
      const Json read,
      ParseJson("{\"\xF0\x9F\x94\x91\":1,\"\xEF\xBF\xAE\":2,\"b\":3,\"B\":4}"));
  std::string keys;
  for (const auto& [key, value] : read.get_ref<const Json::object_t&>()) {
    keys.append(key);
  }
  EXPECT_EQ(keys, "Bb\xEF\xBF\xAE\xF0\x9F\x94\x91");
}

TEST(ParseJsonTest, RefusesAKeyThatIsThereTwice) {
  for (const char* const text :
       {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", R"([{"b":{"a":1,"a":2}}])",
        R"({"":1,"":1})"}) {
    EXPECT_THAT(ParseJson(text), StatusIs(ErrorCode::kSerialization,
                                          "an object names a key twice"));
  }
  EXPECT_OK(ParseJson(R"({"a":{"a":1},"b":[{"a":1},{"a":1}]})"));
}

TEST(ParseJsonTest, NestsThirtyTwoDeepAndNoDeeper) {
  EXPECT_OK(ParseJson(Nested(32)));
  EXPECT_THAT(ParseJson(Nested(33)),
              StatusIs(ErrorCode::kSerialization, HasSubstr("32")));
  EXPECT_THAT(ParseJson(std::string(1'000'000, '[')),
              StatusIs(ErrorCode::kSerialization, HasSubstr("32")));
}

TEST(ParseJsonTest, RefusesWhatIsNotJson) {
  using namespace std::string_literals;
  for (const std::string& text : {""s,
                                  " "s,
                                  "{"s,
                                  "[1,]"s,
                                  "{\"a\":1,}"s,
                                  "{a:1}"s,
                                  "'a'"s,
                                  "01"s,
                                  "+1"s,
                                  "1."s,
                                  ".5"s,
                                  "NaN"s,
                                  "Infinity"s,
                                  "1 2"s,
                                  "{} x"s,
                                  "{}{}"s,
                                  "{}\0"s,
                                  "{}\0 x"s,
                                  "[\0]"s,
                                  "// c\n{}"s,
                                  "\"\n\""s,
                                  "\"\\x\""s,
                                  "\"\\ud800\""s,
                                  "\"\xFF\""s,
                                  "\"\xC0\xAF\""s,
                                  "\"\xED\xA0\x80\""s,
                                  "\xEF\xBB\xBF{}"s,
                                  "True"s,
                                  "1e400"s,
                                  "\"a"s}) {
    EXPECT_THAT(ParseJson(text), StatusIs(ErrorCode::kSerialization)) << text;
  }
}

TEST(ParseJsonTest, ANumberTooLargeForAnIntegerIsNotOne) {
  for (const char* const text :
       {"18446744073709551616", "-9223372036854775809", "1e3", "1.0"}) {
    ASSERT_OK_AND_ASSIGN(const Json read, ParseJson(text));
    EXPECT_FALSE(read.is_number_integer()) << text;
  }
}

TEST(ParseJsonTest, SaysWhere) {
  EXPECT_THAT(ParseJson("{\"a\":x}"),
              StatusIs(ErrorCode::kSerialization, HasSubstr("byte 6")));
}

}  // namespace
}  // namespace base
