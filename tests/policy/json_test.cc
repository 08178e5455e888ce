// SPDX-License-Identifier: Apache-2.0
#include "policy/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "policy/text.h"

namespace policy {
namespace {

std::string Nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(JsonTextTest, TakesWhatTheParserOfRequestsTakes) {
  std::vector<std::string> texts = {"",
                                    " ",
                                    "{}",
                                    "[]",
                                    " [ ] ",
                                    "null",
                                    "true",
                                    "false",
                                    "tru",
                                    "nulll",
                                    "0",
                                    "-0",
                                    "01",
                                    "-",
                                    "1.",
                                    "1.5",
                                    ".5",
                                    "1e5",
                                    "1e",
                                    "1E+5",
                                    "1e+",
                                    "-1.25e-3",
                                    "+1",
                                    "\"\"",
                                    "\"",
                                    "\"a",
                                    "\"a\\\"b\"",
                                    "\"\\x\"",
                                    "\"\\u12\"",
                                    "\"\\u0041\"",
                                    "\"\\ud83d\\ude00\"",
                                    "\"\\ud83d\"",
                                    "\"\\ude00\"",
                                    "\"\\ud83d\\u0041\"",
                                    "\"\\ud83dx\"",
                                    "\"\t\"",
                                    "\"\x7f\"",
                                    "\"\xC3\xA4\"",
                                    "\"\xC3\"",
                                    "\"\xC0\x80\"",
                                    "\"\xED\xA0\x80\"",
                                    "\"\xF0\x9F\x98\x80\"",
                                    "\"\xF4\x90\x80\x80\"",
                                    "\"\xE0\x80\x80\"",
                                    "\xEF\xBB\xBF{}",
                                    "{\"a\":1,\"a\":2}",
                                    "{\"a\":1,\"b\":2}",
                                    "{\"a\":1,}",
                                    "[1,]",
                                    "[,]",
                                    "{\"a\"}",
                                    "{\"a\":}",
                                    "{a:1}",
                                    "{\"a\":1 \"b\":2}",
                                    "[1 2]",
                                    "{} x",
                                    "{\"\\u0061\":1,\"a\":2}",
                                    "[[1,2],{\"a\":[]}]",
                                    "]",
                                    "}",
                                    "{]",
                                    "[}",
                                    std::string("{}\0", 3),
                                    std::string("\"\0\"", 3),
                                    "// c",
                                    "[1]/**/",
                                    Nested(31),
                                    Nested(32),
                                    Nested(33),
                                    "[{\"a\":[1]},{\"a\":[1]}]"};
  std::string many = "{";
  for (int i = 0; i < 40; ++i) {
    many += "\"k" + std::to_string(i) + "\":1,";
  }
  texts.push_back(many + "\"z\":1}");
  texts.push_back(many + "\"k7\":1}");
  for (const std::string& text : texts) {
    EXPECT_EQ(JsonText::Parse(text).has_value(),
              base::ParseJson(text).has_value())
        << text;
  }
}

TEST(JsonTextTest, GivesStringsWithoutEscapes) {
  const auto json =
      JsonText::Parse(R"({"a\n":"\u00e4\ud83d\ude00\/","b":[1.50,true,null]})");
  ASSERT_TRUE(json.has_value());
  const JsonNode* const text = json->Find(json->root(), "a\n");
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(text->text, "\xC3\xA4\xF0\x9F\x98\x80/");
  const JsonNode* const list = json->Find(json->root(), "b");
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->size, 3U);
  EXPECT_EQ(list->text, "[1.50,true,null]");
  std::vector<std::string_view> items;
  json->AllOf(*list, [&](const JsonNode& item) {
    items.push_back(item.text);
    return true;
  });
  EXPECT_EQ(items, (std::vector<std::string_view>{"1.50", "true", "null"}));
  EXPECT_EQ(json->Find(json->root(), "c"), nullptr);
  EXPECT_EQ(json->Find(*text, "c"), nullptr);
}

TEST(TextTest, KnowsTheCharactersOfPolicies) {
  EXPECT_TRUE(IsLatin1Text("a\t\r\n\x7f\xC2\x80\xC3\xBF"));
  EXPECT_FALSE(IsLatin1Text("\xC4\x80"));
  EXPECT_FALSE(IsLatin1Text("\x01"));
  EXPECT_FALSE(IsLatin1Text("\xE2\x82\xAC"));
  EXPECT_FALSE(IsLatin1Text("\xC3"));
}

TEST(TextTest, GlobsMatchWholeTexts) {
  const struct {
    const char* pattern;
    const char* text;
    bool matches;
  } rows[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"**", "ab", true},
      {"?", "", false},
      {"?", "a", true},
      {"a*b*c", "aXbYc", true},
      {"a*b*c", "acb", false},
      {"*ab", "aab", true},
      {"*ab", "aba", false},
      {"a?", "ab", true},
      {"*?", "\xC3\xA4", true},
      {"??", "\xC3\xA4", false},
      {"*\xA4", "\xC3\xA4", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(GlobMatches(row.pattern, row.text), row.matches)
        << row.pattern << " " << row.text;
  }
}

}  // namespace
}  // namespace policy
