// SPDX-License-Identifier: Apache-2.0
#include "kms/form.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/testlib/status.h"

namespace kms {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;

std::string Value(std::string_view body, std::string_view name) {
  const Form form = testlib::Take(ParseForm(body));
  return std::string(ParameterOf(form, name).value_or("(none)"));
}

std::string Many(int count) {
  std::string body = "a0=";
  for (int i = 1; i < count; ++i) {
    body += "&a" + std::to_string(i) + "=";
  }
  return body;
}

TEST(FormTest, ReadsNamesAndValues) {
  constexpr std::string_view kBody =
      "Action=CreateUser&Version=2010-05-08&Tags.member.1.Key=a&Empty=";
  EXPECT_EQ(testlib::Take(ParseForm(kBody)).size(), 4u);
  EXPECT_EQ(Value(kBody, "Action"), "CreateUser");
  EXPECT_EQ(Value(kBody, "Tags.member.1.Key"), "a");
  EXPECT_EQ(Value(kBody, "Empty"), "");
  EXPECT_EQ(Value(kBody, "action"), "(none)");
  EXPECT_TRUE(testlib::Take(ParseForm("")).empty());
}

TEST(FormTest, DecodesEscapesOnceAndPlusAsASpace) {
  EXPECT_EQ(Value("a=b+c%20d%2Be", "a"), "b c d+e");
  EXPECT_EQ(Value("a=%2525", "a"), "%25");
  EXPECT_EQ(Value("a=%26b%3Dc", "a"), "&b=c");
  EXPECT_EQ(Value("%41+b=1", "A b"), "1");
  EXPECT_EQ(Value("a=%c3%A4\xC3\xA4", "a"), "\xC3\xA4\xC3\xA4");
  EXPECT_EQ(Value("a=b=c==", "a"), "b=c==");
  EXPECT_EQ(Value("a=%00b", "a"), std::string("\0b", 2));
}

TEST(FormTest, RefusesWhatIsNoForm) {
  struct Case {
    std::string_view body;
    std::string_view what;
  };
  constexpr Case kCases[] = {
      {"a", "parameter 1 of the form is not of the form name=value"},
      {"=b", "name=value"},
      {"a=b&", "parameter 2 of the form is not"},
      {"&a=b", "parameter 1 of the form is not"},
      {"a=b&&c=d", "parameter 2 of the form is not"},
      {"a=%", "'%' without two hexadecimal digits"},
      {"a=%4", "'%' without"},
      {"a=%4&b=c", "'%' without"},
      {"a=%4g", "'%' without"},
      {"a=%-1", "'%' without"},
      {"%zz=a", "'%' without"},
      {"a=%C3", "is not UTF-8"},
      {"a=\xC3", "is not UTF-8"},
      {"\xFF=a", "is not UTF-8"},
      {"a=%ED%A0%80", "is not UTF-8"},
      {"a=%C0%80", "is not UTF-8"},
      {"a=b&c=d&a=b", "parameter 3 of the form has the name of one before it"},
      {"a=b&%61=c", "parameter 2 of the form has the name"},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(ParseForm(c.body), StatusIs(ErrorCode::kSerialization,
                                            HasSubstr(std::string(c.what))))
        << c.body;
  }
}

TEST(FormTest, BoundsTheNumberOfParameters) {
  EXPECT_EQ(testlib::Take(ParseForm(Many(2000))).size(), 2000u);
  EXPECT_THAT(ParseForm(Many(2001)),
              StatusIs(ErrorCode::kSerialization,
                       "the form has more than 2000 parameters"));
}

TEST(FormTest, RepeatsNothingThatWasSent) {
  for (const char* body : {"hunter2", "a=hunter2%", "a=1&a=hunter2"}) {
    EXPECT_EQ(ParseForm(body).error().message.find("hunter2"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace kms
