// SPDX-License-Identifier: Apache-2.0
// The reference of pkcs11.toml in docs/pkcs11.md, and the example that is
// installed, against what the module reads.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "pkcs11/module/settings.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace pkcs11::module {
namespace {

using testing::ElementsAreArray;
using testing::Gt;
using testing::SizeIs;

std::vector<std::string> LinesOf(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

// The rows of the tables of members, as far as the code knows them.
std::vector<std::string> RowsOfCode() {
  std::vector<std::string> rows;
  for (const auto& members : {DescribeTopMembers(), DescribeTokenMembers()}) {
    for (const MemberDescription& row : members) {
      rows.push_back(fmt::format(
          "| `{}` | {} | {} |", row.key, row.values,
          row.fallback.empty() ? "" : fmt::format("`{}`", row.fallback)));
    }
  }
  return rows;
}

TEST(ConfigurationReferenceTest, HasEveryMemberWithItsValuesAndDefault) {
  // | `key` | values | default | meaning |
  const std::regex row(R"(^(\| `[a-z_.]+` \| [^|]+ \| [^|]* ?\|) [^|]+ \|$)");
  std::vector<std::string> rows;
  bool inside = false;
  for (const std::string& line : LinesOf(CLAVIGER_DOCS "/pkcs11.md")) {
    inside = line.starts_with("## ") ? line == "## pkcs11.toml" : inside;
    std::smatch match;
    if (inside && std::regex_match(line, match, row)) {
      rows.push_back(match[1]);
    }
  }
  EXPECT_THAT(rows, ElementsAreArray(RowsOfCode()));
}

TEST(ConfigurationReferenceTest, TheExampleIsUnderstood) {
  ASSERT_OK_AND_ASSIGN(
      const Settings settings,
      ReadConfigurationFile(CLAVIGER_PACKAGING "/pkcs11/pkcs11.toml"));
  ASSERT_THAT(settings.tokens, SizeIs(1));
  EXPECT_EQ(settings.tokens[0].label, "claviger");
}

// Lines of the example that are commented out are there to be used.
TEST(ConfigurationReferenceTest, SoIsTheExampleWithEverythingSwitchedOn) {
  const testlib::TempDir folder;
  const std::string path = folder / "pkcs11.toml";
  {
    std::ofstream file(path);
    for (const std::string& line :
         LinesOf(CLAVIGER_PACKAGING "/pkcs11/pkcs11.toml")) {
      const bool is_member = line.starts_with('#') && !line.starts_with("# ");
      file << line.substr(is_member ? 1 : 0) << '\n';
    }
  }
  ASSERT_OK_AND_ASSIGN(const Settings settings, ReadConfigurationFile(path));
  ASSERT_THAT(settings.tokens, SizeIs(Gt(2)));
  EXPECT_EQ(settings.log.target, LogTarget::kSyslog);
  EXPECT_EQ(settings.tokens.back().options.login, LoginMode::kPin);
}

}  // namespace
}  // namespace pkcs11::module
