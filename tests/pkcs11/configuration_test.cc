// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/configuration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

#include "pkcs11/module/connection.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
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
  ASSERT_OK_AND_ASSIGN(const Settings settings, ReadConfigurationFile(Write(R"(
[[token]]
label = "one"
endpoint = "unix:/run/one.sock"
[[token]]
label = "two"
endpoint = "https://kms.example"
region = "eu-west-1"
ca_file = "/etc/ca.pem"
)")));
  const auto& tokens = settings.tokens;
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[0].label, "one");
  EXPECT_EQ(tokens[0].endpoint, "unix:/run/one.sock");
  EXPECT_EQ(tokens[0].where, (folder_ / "pkcs11.toml").string() + ":2");
  EXPECT_EQ(tokens[1].region, "eu-west-1");
  EXPECT_EQ(tokens[1].ca_file, "/etc/ca.pem");
}

TEST_F(ConfigurationTest, ReadsEverySwitch) {
  ASSERT_OK_AND_ASSIGN(const Settings settings, ReadConfigurationFile(Write(R"(
log = "file:/var/log/pkcs11.log"
log_level = "debug"
fork = "strict"
[[token]]
backend = "aws"
login = "pin"
access_key_id = "AKIA1"
filter = { key_ids = ["a", "arn:b"], alias_prefix = "alias/web-", tag = { key = "team", value = "" } }
show_disabled = true
object_ttl = 0
certificates = ["/etc/one.pem", "/etc/more"]
certificate_dir = "/var/lib/certificates"
verify = "remote"
random = "remote"
destroy = false
destroy_days = 7
ephemeral_certificates = true
session_keypairs = false
digests = true
strict_templates = true
)")));
  EXPECT_EQ(settings.log.target, LogTarget::kFile);
  EXPECT_EQ(settings.log.file, "/var/log/pkcs11.log");
  EXPECT_EQ(settings.log.level, LogLevel::kDebug);
  EXPECT_EQ(settings.fork, ForkMode::kStrict);
  ASSERT_EQ(settings.tokens.size(), 1U);
  const TokenSettings& token = settings.tokens[0];
  EXPECT_EQ(token.backend, Backend::kAws);
  EXPECT_EQ(token.credentials, CredentialSource::kPin);
  const TokenOptions& options = token.options;
  EXPECT_EQ(options.login, LoginMode::kPin);
  EXPECT_EQ(options.access_key_id, "AKIA1");
  EXPECT_THAT(options.filter.key_ids, ElementsAre("a", "arn:b"));
  EXPECT_EQ(options.filter.alias_prefix, "web-");
  ASSERT_TRUE(options.filter.tag.has_value());
  EXPECT_EQ(options.filter.tag->key, "team");
  EXPECT_EQ(options.filter.tag->value, "");
  EXPECT_TRUE(options.show_disabled);
  EXPECT_EQ(options.object_ttl.count(), 0);
  EXPECT_THAT(options.certificates, ElementsAre("/etc/one.pem", "/etc/more"));
  EXPECT_EQ(options.certificate_dir, "/var/lib/certificates");
  EXPECT_EQ(options.verify, Place::kRemote);
  EXPECT_EQ(options.random, Place::kRemote);
  EXPECT_FALSE(options.destroy);
  EXPECT_EQ(options.destroy_after.count(), 7);
  EXPECT_TRUE(options.ephemeral_certificates);
  EXPECT_FALSE(options.session_keypairs);
  EXPECT_TRUE(options.digests);
  EXPECT_TRUE(options.strict_templates);
}

// What the reference says counts where nothing is written is what does.
TEST_F(ConfigurationTest, WritingADefaultChangesNothing) {
  std::string text;
  for (const MemberDescription& row : DescribeTopMembers()) {
    text += fmt::format("{} = {}\n", row.key, row.fallback);
  }
  text += "[[token]]\n";
  for (const MemberDescription& row : DescribeTokenMembers()) {
    if (!row.fallback.empty()) {
      text += fmt::format("{} = {}\n", row.key, row.fallback);
    }
  }
  ASSERT_OK_AND_ASSIGN(const Settings written,
                       ReadConfigurationFile(Write(text)));
  const Settings fresh;
  EXPECT_EQ(written.log, fresh.log);
  EXPECT_EQ(written.fork, fresh.fork);
  ASSERT_EQ(written.tokens.size(), 1U);
  const TokenSettings token;
  EXPECT_EQ(written.tokens[0].label, token.label);
  const TokenOptions& options = written.tokens[0].options;
  const TokenOptions& usual = token.options;
  EXPECT_EQ(options.login, usual.login);
  EXPECT_EQ(options.show_disabled, usual.show_disabled);
  EXPECT_EQ(options.object_ttl, usual.object_ttl);
  EXPECT_EQ(options.verify, usual.verify);
  EXPECT_EQ(options.random, usual.random);
  EXPECT_EQ(options.destroy, usual.destroy);
  EXPECT_EQ(options.destroy_after, usual.destroy_after);
  EXPECT_EQ(options.ephemeral_certificates, usual.ephemeral_certificates);
  EXPECT_EQ(options.session_keypairs, usual.session_keypairs);
  EXPECT_EQ(options.digests, usual.digests);
  EXPECT_EQ(options.strict_templates, usual.strict_templates);
}

TEST_F(ConfigurationTest, RefusesWhatItDoesNotUnderstandAndSaysWhere) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"[[token]]\nlabel = ", "pkcs11.toml:2: "},
      {"[[token]]\nlabel = 7",
       "pkcs11.toml:2: label must be a text of 1 to 32 bytes"},
      {"[[token]]\nlabel = ''", "label must be a text"},
      {"[[token]]\n\nlable = 'x'", "pkcs11.toml:3: unknown key lable"},
      {"[token]\nlabel = 'x'", "write [[token]], for there may be several"},
      {"tokens = []", "pkcs11.toml:1: unknown key tokens"},
      {"token = ['x']", "must be a table"},
      {"[[token]]\n[[token]]", "pkcs11.toml:2: two tokens have the same label"},
      {"[[token]]\nlabel = '012345678901234567890123456789012'",
       "of 1 to 32 bytes"},
      {"[[token]]\nlog = 'stderr'",
       "pkcs11.toml:2: log belongs above the first [[token]]"},
      {"label = 'x'", "label belongs below a [[token]]"},
      {"log = 'file:relative'",
       R"(log must be "stderr", "syslog" or "file:/path")"},
      {"log = 'printer'", "log must be"},
      {"log_level = 3", R"(must be "error", "warn", "info" or "debug")"},
      {"fork = true", R"(fork must be "continue" or "strict")"},
      {"[[token]]\nca_file = 'ca.pem'", "ca_file must be an absolute path"},
      {"[[token]]\ncertificates = '/etc/a.pem'",
       "certificates must be a list of absolute paths"},
      {"[[token]]\ncertificates = []", "must be a list of absolute paths"},
      {"[[token]]\ncertificates = ['a.pem']", "a list of absolute paths"},
      {"[[token]]\ncertificates = ['/a', 1]", "a list of absolute paths"},
      {"[[token]]\ncertificate_dir = 'x'",
       "certificate_dir must be an absolute path"},
      {"[[token]]\nendpoint = []", "endpoint must be a text"},
      {"[[token]]\nbackend = 'gcp'", R"(must be "claviger" or "aws")"},
      {"[[token]]\nlogin = true", R"(login must be "none" or "pin")"},
      {"[[token]]\ncredentials = 'file:x'", "credentials must be"},
      {"[[token]]\nverify = 'never'", R"(must be "local" or "remote")"},
      {"[[token]]\nrandom = 1", R"(must be "local" or "remote")"},
      {"[[token]]\ndestroy = 'no'", "destroy must be true or false"},
      {"[[token]]\ndestroy_days = 6", "a whole number from 7 to 30"},
      {"[[token]]\ndestroy_days = 31", "a whole number from 7 to 30"},
      {"[[token]]\ndestroy_days = 7.5", "a whole number from 7 to 30"},
      {"[[token]]\nobject_ttl = -1", "of seconds from 0 to 86400"},
      {"[[token]]\nobject_ttl = 99999999999", "of seconds from 0 to 86400"},
      {"[[token]]\nfilter = 'x'", "filter must be a table"},
      {"[[token]]\nfilter = {}", "filter must be a table"},
      {"[[token]]\nfilter = { ids = ['x'] }", "unknown key ids"},
      {"[[token]]\nfilter.key_ids = []", "a list of key ids and key ARNs"},
      {"[[token]]\nfilter.key_ids = ['']", "a list of key ids and key ARNs"},
      {"[[token]]\nfilter.key_ids = ['alias/x']",
       "filter.key_ids must be a list of key ids and key ARNs"},
      {"[[token]]\nfilter.alias_prefix = 'alias/'", "alias_prefix must be"},
      {"[[token]]\nfilter.tag = { key = 'x' }", "a table of key and value"},
      {"[[token]]\nfilter.tag = { key = '', value = '' }",
       "a table of key and value"},
      {"[[token]]\nlogin = 'pin'\nprofile = 'x'", "leave profile out"},
      {"[[token]]\nlogin = 'pin'\ncredentials = 'env'",
       "leave credentials out"},
      {"[[token]]\naccess_key_id = 'x'", "access_key_id is for login"},
      {"[[token]]\ncredentials = 'env'\nprofile = 'x'",
       "credentials = \"env\" uses no profile"},
  };
  for (const auto& each : cases) {
    EXPECT_THAT(ReadConfigurationFile(Write(each.text)),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr(each.problem)))
        << each.text;
  }
}

TEST_F(ConfigurationTest, RefusesFilesThatCannotBeRead) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  std::ofstream(folder_ / "long") << std::string((1 << 20) + 1, '#');
  const struct {
    const char* file;
    const char* problem;
  } cases[] = {
      {"absent", "absent:0: cannot be read: No such file or directory"},
      {"pipe", "it is no regular file"},
      {".", "it is no regular file"},
      {"long", "it is longer than 1 MiB"},
  };
  for (const auto& each : cases) {
    EXPECT_THAT(ReadConfigurationFile(folder_ / each.file),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr(each.problem)));
  }
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

TEST_F(ConfigurationTest, ABadFileGivesNoTokensAndOneLine) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"[[token]]\nendpoint = 'gopher://x'", "pkcs11.toml:1: "},
      {"[[token]]\nlabel = 'good'\nendpoint = '/run/x.sock'\n[[token]]\nx = 1",
       "pkcs11.toml:5: unknown key x"},
      {"[[token]]\nendpoint = 'https://kms.example'\ncredentials = 'env'",
       "pkcs11.toml:1: requests to https://kms.example"},
      {"[[token]]\nendpoint = '/run/x.sock'\nlogin = 'pin'",
       "pkcs11.toml:1: login = \"pin\" needs an endpoint over TCP"},
      {"[[token]]\nendpoint = 'http://127.0.0.1:1'\n"
       "credentials = 'file:/absent/credentials'",
       "pkcs11.toml:1: "},
      {"[[token]]\nendpoint = 'https://kms.example'\nca_file = '/absent'\n"
       "credentials = 'file:FILE'",
       "/absent"},
  };
  std::ofstream(folder_ / "credentials")
      << "[default]\naws_access_key_id = A\naws_secret_access_key = B\n";
  for (const auto& each : cases) {
    std::string text = each.text;
    if (const auto at = text.find("FILE"); at != std::string::npos) {
      text.replace(at, 4, (folder_ / "credentials").string());
    }
    testing::internal::CaptureStderr();
    const auto parts = Configure(Write(text));
    const std::string log = testing::internal::GetCapturedStderr();
    ASSERT_TRUE(parts.has_value());
    EXPECT_TRUE(parts->tokens.empty()) << each.text;
    EXPECT_THAT(log, HasSubstr("no tokens: "));
    EXPECT_THAT(log, HasSubstr(each.problem));
    EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  }
}

TEST_F(ConfigurationTest, TokensGetTheirOptions) {
  std::ofstream(folder_ / "credentials")
      << "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
         "[other]\naws_access_key_id = C\naws_secret_access_key = D\n";
  const auto parts = Configure(Write(fmt::format(
      R"(
fork = "strict"
[[token]]
label = "aws"
endpoint = "https://kms.eu-west-1.amazonaws.com"
credentials = "file:{0}"
destroy = false
[[token]]
label = "pin"
endpoint = "http://127.0.0.1:1"
login = "pin"
[[token]]
label = "other"
endpoint = "http://127.0.0.1:1"
credentials = "file:{0}"
profile = "other"
)",
      (folder_ / "credentials").string())));
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->fork, ForkMode::kStrict);
  ASSERT_EQ(parts->tokens.size(), 3U);
  EXPECT_EQ(parts->tokens[0]->options().backend, Backend::kAws);
  EXPECT_FALSE(parts->tokens[0]->options().destroy);
  EXPECT_EQ(parts->tokens[1]->options().backend, Backend::kClaviger);
  EXPECT_EQ(parts->tokens[1]->options().login, LoginMode::kPin);
}

TEST_F(ConfigurationTest, ABackendIsKnownByItsHost) {
  const struct {
    const char* endpoint;
    Backend backend;
  } cases[] = {
      {"https://kms.us-east-1.amazonaws.com", Backend::kAws},
      {"https://KMS.us-east-1.AmazonAWS.com.", Backend::kAws},
      {"https://kms.cn-north-1.amazonaws.com.cn", Backend::kAws},
      {"https://kms.us-east-1.api.aws", Backend::kAws},
      {"https://amazonaws.com.example", Backend::kClaviger},
      {"https://notamazonaws.com", Backend::kClaviger},
      {"http://127.0.0.1:80", Backend::kClaviger},
      {"/x.amazonaws.com", Backend::kClaviger},
  };
  for (const auto& each : cases) {
    ASSERT_OK_AND_ASSIGN(const auto endpoint,
                         kms::client::ParseEndpoint(each.endpoint));
    EXPECT_EQ(BackendAt(endpoint), each.backend) << each.endpoint;
  }
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
