// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json_scanner.h"
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

// What nlohmann's own reader makes of a text: an independent opinion.
struct Other {
  nlohmann::json value;
  std::size_t failed_at = 0;  // 0: it is JSON.
};

// Stops at the first error, and says where.
class Position : public nlohmann::detail::json_sax_dom_parser<nlohmann::json> {
 public:
  explicit Position(Other& other)
      : json_sax_dom_parser(other.value, false), other_(other) {}

  template <typename Exception>
  bool parse_error(  // NOLINT(readability-identifier-naming): nlohmann's name.
      std::size_t position, const std::string&, const Exception&) {
    other_.failed_at = position;
    return false;
  }

 private:
  Other& other_;
};

Other ReadByOther(const std::string& text) {
  Other other;
  Position position(other);
  nlohmann::json::sax_parse(text, &position);
  return other;
}

void ExpectTheSameOf(const std::string& text) {
  const auto read = ParseJson(text);
  if (!read && read.error().message == "an object names a key twice") {
    return;
  }
  const Other other = ReadByOther(text);
  if (read) {
    EXPECT_EQ(other.failed_at, 0U) << text;
    EXPECT_EQ(std::string_view(read->dump()), other.value.dump()) << text;
    return;
  }
  EXPECT_EQ(read.error().message,
            "not JSON at byte " + std::to_string(other.failed_at))
      << text;
}

constexpr std::string_view kEverything =
    R"({"t\"\\\/\b\f\n\r\t":"\u00e4\uD83D\uDD11\u0041", "":[-0,0.5,12e3,-1E-2])"
    R"(, "b" : [true , false,null],"o":{"u":18446744073709551615,"e":{}, "a":[]})"
    "\r\n\t,\"\xC3\xA4\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBE\xF0\x9F\x94\x91"
    "\xF4\x8F\xBF\xBF\x7F\":-9223372036854775808}";

TEST(ParseJsonTest, AgreesWithAnotherReaderHoweverATextEnds) {
  ASSERT_OK(ParseJson(kEverything));
  for (std::size_t size = 0; size <= kEverything.size(); ++size) {
    ExpectTheSameOf(std::string(kEverything.substr(0, size)));
  }
}

TEST(ParseJsonTest, AgreesWithAnotherReaderWhateverByteIsChanged) {
  // One of each kind, and the bounds of what UTF-8 takes.
  constexpr std::string_view kBytes =
      "\x01\n {}[]:,\"\\/-+.e09atu\x1F\x7F\x80\x8F\x90\x9F\xA0\xBF\xC1\xC2\xDF"
      "\xE0\xED\xEE\xF0\xF4\xF5\xFF";
  for (std::size_t at = 0; at < kEverything.size(); ++at) {
    for (const char byte : kBytes) {
      std::string text(kEverything);
      text[at] = byte;
      ExpectTheSameOf(text);
      text = kEverything;
      text.insert(at, 1, byte);
      ExpectTheSameOf(text);
    }
  }
}

TEST(ParseJsonTest, AgreesWithAnotherReaderOnSmallTexts) {
  for (const char* const text : {"",
                                 " ",
                                 "1",
                                 "-",
                                 "-a",
                                 "01",
                                 "1.",
                                 "1.x",
                                 "1e",
                                 "1e+",
                                 "1e+x",
                                 "1e400",
                                 "-1e400",
                                 "1e-400",
                                 "123456789012345678901",
                                 "-9223372036854775809",
                                 "t",
                                 "tru",
                                 "trux",
                                 "nulL",
                                 "[1 2]",
                                 "[1,]",
                                 "[,1]",
                                 "{\"a\"}",
                                 "{\"a\":1,}",
                                 "{\"a\":1 \"b\":2}",
                                 "{1:2}",
                                 "[\"a\":1]",
                                 "1 2",
                                 "{} x",
                                 "\"\\ud800\"",
                                 "\"\\ud800\\n\"",
                                 "\"\\ud800\\u0041\"",
                                 "\"\\udc00\"",
                                 "\"\\u12g4\"",
                                 "\"\\x\"",
                                 "\"a",
                                 "\"\n\"",
                                 "\"\xE0\x9F\x80\"",
                                 "\"\xF0\x8F\"",
                                 "\"\xF5\"",
                                 "\"\xC3",
                                 "]",
                                 "}",
                                 ":"}) {
    ExpectTheSameOf(text);
  }
}

// Up to 15 characters a std::string would keep inside, where nothing wipes
// them.
TEST(JsonScannerTest, KeepsShortStringsWhereTheyAreWiped) {
  constexpr std::string_view kSecret = "0123456789abcde";
  const auto is_inside = [&](const auto& object) {
    const std::string_view bytes(reinterpret_cast<const char*>(&object),
                                 sizeof(object));
    return bytes.find(kSecret.substr(1)) != std::string_view::npos;
  };
  const std::string text = "\"" + std::string(kSecret) + "\"";
  JsonScanner scanner(text);
  ASSERT_EQ(scanner.Next(), JsonToken::kString);
  EXPECT_FALSE(is_inside(scanner));
  const WipingString taken = scanner.TakeString();
  EXPECT_EQ(taken, kSecret);
  EXPECT_FALSE(is_inside(taken));
  EXPECT_FALSE(is_inside(scanner));
}

TEST(ParseJsonTest, SaysWhere) {
  EXPECT_THAT(ParseJson("{\"a\":x}"),
              StatusIs(ErrorCode::kSerialization, HasSubstr("byte 6")));
  // A NUL, before anything else.
  EXPECT_THAT(ParseJson(std::string_view("{a:\0}", 5)),
              StatusIs(ErrorCode::kSerialization, HasSubstr("byte 4")));
}

}  // namespace
}  // namespace base
