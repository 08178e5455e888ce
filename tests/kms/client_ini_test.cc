// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "kms/client/ini.h"
#include "tests/testlib/status.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testlib::StatusIs;

base::Result<IniFile> Parse(std::string_view text) {
  return IniFile::Parse("/etc/f", base::WipingString(text));
}

std::string_view Value(const IniFile& file, std::string_view section,
                       std::string_view name, std::string_view parent = {}) {
  const IniFile::Section* const found = file.Find(section);
  const IniFile::Setting* const setting =
      found == nullptr ? nullptr : found->Find(name, parent);
  return setting == nullptr ? "(none)" : setting->value;
}

TEST(IniFileTest, ReadsSectionsSettingsAndComments) {
  ASSERT_OK_AND_ASSIGN(IniFile file, Parse("# one\n"
                                           "\n"
                                           "[default]\r\n"
                                           "region = eu-west-1\r\n"
                                           "  ; not indented settings\n"
                                           "[ profile b ]  # two\n"
                                           "secret=a=b # c\n"
                                           "Empty =\n"
                                           "last = x"));
  const IniFile moved = std::move(file);
  EXPECT_EQ(Value(moved, "default", "region"), "eu-west-1");
  EXPECT_EQ(Value(moved, "profile b", "secret"), "a=b # c");
  EXPECT_EQ(Value(moved, "profile b", "empty"), "");
  EXPECT_EQ(Value(moved, "profile b", "last"), "x");
  EXPECT_EQ(Value(moved, "profile b", "region"), "(none)");
  EXPECT_EQ(Value(moved, "b", "last"), "(none)");
  EXPECT_EQ(moved.Find("profile b")->line, 6U);
  EXPECT_EQ(moved.At(6), "/etc/f:6");
}

TEST(IniFileTest, KeepsIndentedSettingsApart) {
  ASSERT_OK_AND_ASSIGN(const IniFile file, Parse("[services s]\n"
                                                 "s3 =\n"
                                                 "  endpoint_url = https://s3\n"
                                                 "kms =\n"
                                                 "\tendpoint_url = https://k\n"
                                                 "region = r\n"));
  EXPECT_EQ(Value(file, "services s", "endpoint_url", "kms"), "https://k");
  EXPECT_EQ(Value(file, "services s", "endpoint_url", "s3"), "https://s3");
  EXPECT_EQ(Value(file, "services s", "endpoint_url"), "(none)");
  EXPECT_EQ(Value(file, "services s", "region"), "r");
}

TEST(IniFileTest, AnEmptyTextHasNoSection) {
  ASSERT_OK_AND_ASSIGN(const IniFile file, Parse(""));
  EXPECT_EQ(file.Find("default"), nullptr);
}

struct BadCase {
  const char* text;
  const char* where;
  const char* why;
};

TEST(IniFileTest, RefusesWhatTwoReadersCouldTakeDifferently) {
  const BadCase cases[] = {
      {"a = SECRET\n", "/etc/f:1: ", "before the first [section]"},
      {"[a]\nSECRET\n", "/etc/f:2: ", "neither"},
      {"[a]\n= SECRET\n", "/etc/f:2: ", "neither"},
      {"[a\n", "/etc/f:1: ", "not closed"},
      {"[]\n", "/etc/f:1: ", "without a name"},
      {"[a] b = SECRET\n", "/etc/f:1: ", "only a comment"},
      {" [a]\n", "/etc/f:1: ", "line's start"},
      {"[a]\n b = SECRET\n", "/etc/f:2: ", "is indented"},
      {"[a]\nb = SECRET\n[a]\n", "/etc/f:3: ", "of line 1 again"},
      {"[a]\nb = SECRET\n\nb = SECRET\n", "/etc/f:4: ", "of line 2 again"},
      {"[a]\nb = SECRET\nB = SECRET\n", "/etc/f:3: ", "of line 2 again"},
      {"[a]\nb = SEC\rRET\n", "/etc/f:2: ", "control character"},
      {"[a]\nb = SECRET\x7F\n", "/etc/f:2: ", "control character"},
  };
  for (const BadCase& each : cases) {
    EXPECT_THAT(Parse(each.text),
                StatusIs(ErrorCode::kInvalidArgument,
                         AllOf(StartsWith(each.where), HasSubstr(each.why),
                               Not(HasSubstr("SECRET")))))
        << each.text;
  }
  EXPECT_THAT(Parse(std::string_view("[a]\nb = \0", 9)),
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST(IniFileTest, RefusesAFileThatIsTooLong) {
  const std::string line = "# " + std::string(100, 'x') + "\n";
  std::string text;
  while (text.size() <= IniFile::kMaxBytes) {
    text += line;
  }
  EXPECT_THAT(Parse(text),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("longer than")));
}

}  // namespace
}  // namespace kms::client
