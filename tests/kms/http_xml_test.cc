// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/utf8.h"
#include "kms/http/xml.h"
#include "tests/testlib/status.h"

namespace kms::http {
namespace {

using base::ErrorCode;
using testlib::StatusIs;

std::string Escaped(std::string_view text) {
  base::WipingString out;
  AppendXmlEscaped(text, out);
  return std::string(out);
}

std::string Members(std::string_view json) {
  base::WipingString out;
  const base::Json object = testlib::Take(base::ParseJson(json));
  EXPECT_THAT(AppendXmlMembers(object, out), testlib::IsOk());
  return std::string(out);
}

base::Status Failure(std::string_view json) {
  base::WipingString out;
  return AppendXmlMembers(testlib::Take(base::ParseJson(json)), out);
}

TEST(XmlTest, EscapesMarkup) {
  EXPECT_EQ(Escaped(R"(<a b="c">&'d'</a>]]>)"),
            "&lt;a b=&quot;c&quot;&gt;&amp;&apos;d&apos;&lt;/a&gt;]]&gt;");
  EXPECT_EQ(Escaped("a\tb\nc\rd"), "a\tb\nc&#13;d");
  EXPECT_EQ(Escaped("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x94\x91"),
            "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x94\x91");
}

TEST(XmlTest, ReplacesWhatXmlCannotSay) {
  constexpr std::string_view kReplaced = "\xEF\xBF\xBD";
  for (const std::string_view bad :
       {std::string_view("\0", 1), std::string_view("\x01"),
        std::string_view("\x0B"), std::string_view("\x1F"),
        std::string_view("\xEF\xBF\xBE"), std::string_view("\xEF\xBF\xBF"),
        std::string_view("\xFF"), std::string_view("\x80"),
        std::string_view("\xC3")}) {
    EXPECT_EQ(Escaped("a" + std::string(bad) + "b"),
              "a" + std::string(kReplaced) + "b");
  }
  EXPECT_EQ(
      Escaped("\xED\xA0\x80"),
      std::string(kReplaced) + std::string(kReplaced) + std::string(kReplaced));
  EXPECT_EQ(Escaped("\xEF\xBF\xBD\x7F"), "\xEF\xBF\xBD\x7F");
}

TEST(XmlTest, HasNoMarkupAndOnlyUtf8WhateverTheBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes = {static_cast<char>(first),
                                 static_cast<char>(second)};
      const std::string escaped = Escaped(bytes);
      ASSERT_TRUE(base::IsUtf8(escaped));
      ASSERT_EQ(escaped.find_first_of("<>"), std::string::npos);
      for (const char c : escaped) {
        ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' ||
                    c == '\t');
      }
    }
  }
}

TEST(XmlTest, WritesEveryKindOfValue) {
  EXPECT_EQ(Members("{}"), "");
  EXPECT_EQ(Members(R"({"User":{"UserName":"a&b","Path":"/"},"Is":true,)"
                    R"("Not":false,"N":-3,"U":18446744073709551615,"Z":null})"),
            "<Is>true</Is><N>-3</N><Not>false</Not>"
            "<U>18446744073709551615</U>"
            "<User><Path>/</Path><UserName>a&amp;b</UserName></User>");
  EXPECT_EQ(Members(R"({"Tags":[{"Key":"k"},{"Key":""}],"E":[],"L":["a",null,)"
                    R"(["b"]]})"),
            "<E></E><L><member>a</member><member><member>b</member></member>"
            "</L><Tags><member><Key>k</Key></member>"
            "<member><Key></Key></member></Tags>");
}

TEST(XmlTest, WritesTimesAsTheQueryProtocolHasThem) {
  EXPECT_EQ(Members(R"({"CreateDate":1795348800.000})"),
            "<CreateDate>2026-11-22T12:00:00Z</CreateDate>");
  EXPECT_EQ(Members(R"({"CreateDate":1795348800.999})"),
            "<CreateDate>2026-11-22T12:00:00Z</CreateDate>");
  EXPECT_EQ(Members(R"({"CreateDate":0.0})"),
            "<CreateDate>1970-01-01T00:00:00Z</CreateDate>");
  EXPECT_EQ(Members(R"({"CreateDate":253402300799.5})"),
            "<CreateDate>9999-12-31T23:59:59Z</CreateDate>");
}

TEST(XmlTest, RefusesWhatNoReplyHas) {
  for (const char* json :
       {"[]", "3", R"({"a b":"c"})", R"({"":"c"})", R"({"<x>":"c"})",
        R"({"1a":"c"})", R"({"a:b":"c"})", R"({"a":{"b/":1}})",
        R"({"a":[{"b\u0000":1}]})", "{\"\xC3\xA4\":1}", R"({"T":-1.5})",
        R"({"T":253402300800.0})", R"({"T":1e300})"}) {
    EXPECT_THAT(Failure(json), StatusIs(ErrorCode::kInternal)) << json;
  }
}

}  // namespace
}  // namespace kms::http
