// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;

class ConfigurationTest : public testing::Test {
 protected:
  std::string Write(const std::string& text) {
    std::string path = folder_ / "pkcs11.toml";
    std::ofstream(path) << text;
    return path;
  }

  testlib::TempDir folder_;
};

TEST_F(ConfigurationTest, ListsTokens) {
  ASSERT_OK_AND_ASSIGN(const auto tokens, ReadConfigurationFile(Write(R"(
[[token]]
label = "one"
endpoint = "unix:/run/one.sock"
[[token]]
label = "two"
endpoint = "https://kms.example"
region = "eu-west-1"
ca_file = "/etc/ca.pem"
)")));
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[0].label, "one");
  EXPECT_EQ(tokens[0].endpoint, "unix:/run/one.sock");
  EXPECT_EQ(tokens[1].region, "eu-west-1");
  EXPECT_EQ(tokens[1].ca_file, "/etc/ca.pem");
}

TEST_F(ConfigurationTest, RefusesWhatItDoesNotUnderstandAndSaysWhere) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"[[token]]\nlabel = ", "pkcs11.toml:2: "},
      {"[[token]]\nlabel = 7", "pkcs11.toml:2: label must be a text"},
      {"[[token]]\nlabel = ''", "label must be a text"},
      {"[[token]]\n\nlable = 'x'", "pkcs11.toml:3: unknown key lable"},
      {"[token]\nlabel = 'x'", "this file is a list of [[token]]"},
      {"tokens = []", "unknown key tokens"},
      {"token = ['x']", "must be a table"},
      {"[[token]]\n[[token]]", "two tokens have the same label"},
      {"[[token]]\nlabel = '012345678901234567890123456789012'",
       "at most 32 bytes"},
  };
  for (const auto& each : cases) {
    EXPECT_THAT(ReadConfigurationFile(Write(each.text)),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr(each.problem)))
        << each.text;
  }
  EXPECT_THAT(ReadConfigurationFile(folder_ / "absent"),
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(ConfigurationTest, TheMostParticularFileWins) {
  std::map<std::string, std::string, std::less<>> variables;
  const kms::client::Environment environment =
      [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt
                                    : std::optional(found->second);
  };
  const std::filesystem::path users = folder_ / "claviger";
  std::filesystem::create_directory(users);
  std::ofstream(users / "pkcs11.toml") << "\n";
  variables["XDG_CONFIG_HOME"] = folder_.path();
  EXPECT_EQ(FindConfigurationFile("", environment), users / "pkcs11.toml");
  variables["CLAVIGER_PKCS11_CONFIG"] = "/absent/named.toml";
  EXPECT_EQ(FindConfigurationFile("", environment), "/absent/named.toml");
  EXPECT_EQ(FindConfigurationFile("/told.toml", environment), "/told.toml");
}

TEST_F(ConfigurationTest, ABadFileGivesNoTokensAtAll) {
  const auto parts = Configure(Write("[[token]]\nendpoint = 'gopher://x'"));
  ASSERT_TRUE(parts.has_value());
  EXPECT_TRUE(parts->tokens.empty());
}

TEST_F(ConfigurationTest, SerialsAreTheSameForTheSamePlaceAndName) {
  const std::string file = Write(R"(
[[token]]
label = "one"
endpoint = "unix:/run/one.sock"
[[token]]
label = "two"
endpoint = "unix:/run/one.sock"
)");
  const auto first = Configure(file);
  const auto second = Configure(file);
  ASSERT_TRUE(first.has_value() && second.has_value());
  ASSERT_EQ(first->tokens.size(), 2U);
  const std::string& serial = first->tokens[0]->label().serial;
  EXPECT_EQ(serial.size(), 16U);
  EXPECT_EQ(second->tokens[0]->label().serial, serial);
  EXPECT_NE(first->tokens[1]->label().serial, serial);
}

}  // namespace
}  // namespace pkcs11::module
