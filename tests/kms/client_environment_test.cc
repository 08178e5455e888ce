// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "kms/client/endpoint.h"
#include "kms/client/environment.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testlib::StatusIs;

using Variables = std::map<std::string, std::string>;

Environment Of(const Variables& variables) {
  return [variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt
                                    : std::optional<std::string>(found->second);
  };
}

base::Result<Options> From(const Variables& variables,
                           std::string_view profile = {}) {
  return OptionsFromEnvironment(Of(variables), profile);
}

TEST(EnvironmentTest, DefaultsToTheSystemsSocket) {
  ASSERT_OK_AND_ASSIGN(const Options options, From({}));
  EXPECT_EQ(Describe(options.endpoint), "unix:/run/claviger/clavigerd.sock");
  EXPECT_EQ(options.region, "us-east-1");
  EXPECT_FALSE(options.credentials.has_value());
}

TEST(EnvironmentTest, PrefersTheSocketAndThenOurOwnNames) {
  Variables variables = {
      {"CLAVIGER_SOCKET", "/run/s"},
      {"CLAVIGER_ENDPOINT", "http://127.0.0.1:1"},
      {"AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:2"},
      {"AWS_ENDPOINT_URL", "http://127.0.0.1:3"},
      {"AWS_REGION", "eu-west-1"},
      {"AWS_DEFAULT_REGION", "eu-west-2"},
  };
  ASSERT_OK_AND_ASSIGN(const Options on_socket, From(variables));
  EXPECT_EQ(Describe(on_socket.endpoint), "unix:/run/s");
  EXPECT_EQ(on_socket.region, "eu-west-1");
  variables["CLAVIGER_SOCKET"] = "";
  variables.erase("AWS_REGION");
  ASSERT_OK_AND_ASSIGN(const Options ours, From(variables));
  EXPECT_EQ(Describe(ours.endpoint), "http://127.0.0.1:1");
  EXPECT_EQ(ours.region, "eu-west-2");
  variables.erase("CLAVIGER_ENDPOINT");
  ASSERT_OK_AND_ASSIGN(const Options kms, From(variables));
  EXPECT_EQ(Describe(kms.endpoint), "http://127.0.0.1:2");
  variables.erase("AWS_ENDPOINT_URL_KMS");
  // Set for other services.
  ASSERT_OK_AND_ASSIGN(const Options none, From(variables));
  EXPECT_EQ(Describe(none.endpoint), "unix:/run/claviger/clavigerd.sock");
}

TEST(EnvironmentTest, ReadsCredentialsForTcpOnly) {
  Variables variables = {
      {"CLAVIGER_ENDPOINT", "https://kms.example"},
      {"AWS_ACCESS_KEY_ID", "AKID"},
      {"AWS_SECRET_ACCESS_KEY", "secret"},
      {"AWS_SESSION_TOKEN", "token"},
      {"AWS_CA_BUNDLE", "/etc/ca.pem"},
  };
  ASSERT_OK_AND_ASSIGN(const Options options, From(variables));
  ASSERT_TRUE(options.credentials.has_value());
  EXPECT_EQ(options.credentials->access_key_id, "AKID");
  EXPECT_EQ(options.credentials->secret_access_key.RevealText(), "secret");
  EXPECT_EQ(options.credentials->session_token, "token");
  EXPECT_EQ(options.ca_file, "/etc/ca.pem");
  EXPECT_FALSE(options.credential_files.has_value());
  variables["CLAVIGER_SOCKET"] = "/run/s";
  ASSERT_OK_AND_ASSIGN(const Options on_socket, From(variables));
  EXPECT_FALSE(on_socket.credentials.has_value());
}

TEST(EnvironmentTest, RefusesHalfAnAccessKey) {
  EXPECT_THAT(From({{"CLAVIGER_ENDPOINT", "https://kms.example"},
                    {"AWS_ACCESS_KEY_ID", "AKID"}}),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("AWS_SECRET_ACCESS_KEY")));
}

TEST(EnvironmentTest, NamesTheVariableThatIsWrong) {
  for (const char* name : {"CLAVIGER_ENDPOINT", "AWS_ENDPOINT_URL_KMS"}) {
    EXPECT_THAT(From({{name, "http://kms.example"}}),
                StatusIs(ErrorCode::kInvalidArgument,
                         AllOf(HasSubstr(name), HasSubstr("use https"))));
  }
}

// With a home folder whose profile "default" names a server, and "b" another.
class SharedFilesTest : public testing::Test {
 protected:
  SharedFilesTest() {
    std::filesystem::create_directory(folder_ / ".aws");
    Write(".aws/credentials",
          "[default]\n"
          "aws_access_key_id = DEFAULT\n"
          "aws_secret_access_key = S\n"
          "[b]\n"
          "aws_access_key_id = B\n"
          "aws_secret_access_key = S\n");
    Write(".aws/config",
          "[default]\n"
          "region = eu-west-1\n"
          "endpoint_url = https://kms.default\n"
          "ca_bundle = /etc/default.pem\n"
          "[profile b]\n"
          "endpoint_url = https://kms.b\n");
    variables_["HOME"] = folder_.path().string();
  }

  void Write(std::string_view name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  testlib::TempDir folder_;
  Variables variables_;
};

TEST_F(SharedFilesTest, FillWhatTheEnvironmentLeavesOpen) {
  variables_["AWS_PROFILE"] = "default";
  ASSERT_OK_AND_ASSIGN(const Options options, From(variables_));
  EXPECT_EQ(Describe(options.endpoint), "https://kms.default");
  EXPECT_EQ(options.region, "eu-west-1");
  EXPECT_EQ(options.ca_file, "/etc/default.pem");
  ASSERT_TRUE(options.credentials.has_value());
  EXPECT_EQ(options.credentials->access_key_id, "DEFAULT");
  ASSERT_TRUE(options.credential_files.has_value());
  EXPECT_EQ(options.credential_files->credentials.path,
            (folder_ / ".aws/credentials").string());
  EXPECT_EQ(options.credential_files->key_file, KeyFile::kCredentials);
}

TEST_F(SharedFilesTest, TheEnvironmentGoesFirst) {
  variables_["AWS_PROFILE"] = "b";
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  variables_["AWS_SECRET_ACCESS_KEY"] = "S";
  variables_["AWS_REGION"] = "eu-west-3";
  variables_["AWS_ENDPOINT_URL_KMS"] = "http://127.0.0.1:1";
  ASSERT_OK_AND_ASSIGN(const Options options, From(variables_));
  EXPECT_EQ(options.credentials->access_key_id, "ENV");
  EXPECT_FALSE(options.credential_files.has_value());
  EXPECT_EQ(options.region, "eu-west-3");
  EXPECT_EQ(Describe(options.endpoint), "http://127.0.0.1:1");
}

TEST_F(SharedFilesTest, AProfileThatTheCallerNamesGoesBeforeTheEnvironment) {
  variables_["AWS_PROFILE"] = "none";
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  variables_["AWS_SECRET_ACCESS_KEY"] = "S";
  ASSERT_OK_AND_ASSIGN(const Options options, From(variables_, "b"));
  EXPECT_EQ(options.credentials->access_key_id, "B");
  EXPECT_EQ(Describe(options.endpoint), "https://kms.b");
  EXPECT_EQ(options.region, "us-east-1");
  EXPECT_THAT(From(variables_),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("'none'")));
}

TEST_F(SharedFilesTest, AnotherIdentityIsNotPassedOver) {
  variables_["AWS_PROFILE"] = "default";
  variables_["AWS_DEFAULT_PROFILE"] = "b";
  ASSERT_OK_AND_ASSIGN(const Options options, From(variables_));
  EXPECT_EQ(options.credentials->access_key_id, "B");
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  EXPECT_OK(From(variables_));
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/r";
  EXPECT_THAT(From(variables_),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("AWS_WEB_IDENTITY_TOKEN_FILE")));
  EXPECT_OK(From(variables_, "b"));
  variables_["CLAVIGER_SOCKET"] = "/run/s";
  EXPECT_OK(From(variables_));
}

TEST_F(SharedFilesTest, AreWhereTheEnvironmentSays) {
  Write("other", "[default]\naws_access_key_id = O\naws_secret_access_key=S\n");
  variables_["AWS_SHARED_CREDENTIALS_FILE"] = "~/other";
  variables_["AWS_CONFIG_FILE"] = "/dev/null";
  variables_["CLAVIGER_ENDPOINT"] = "http://127.0.0.1:1";
  ASSERT_OK_AND_ASSIGN(const Options options, From(variables_));
  EXPECT_EQ(options.credentials->access_key_id, "O");
  EXPECT_EQ(options.region, "us-east-1");
}

TEST_F(SharedFilesTest, AreNotReadForASocket) {
  Write(".aws/config", "nonsense");
  variables_["CLAVIGER_SOCKET"] = "/run/s";
  ASSERT_OK_AND_ASSIGN(const Options options, From(variables_));
  EXPECT_EQ(options.region, "us-east-1");
  EXPECT_FALSE(options.credentials.has_value());
  EXPECT_OK(OptionsFor(Endpoint{}, Of(variables_)));
  // Nor for that which is there by default, unless a profile is named.
  variables_.erase("CLAVIGER_SOCKET");
  ASSERT_OK_AND_ASSIGN(const Options by_default, From(variables_));
  EXPECT_EQ(Describe(by_default.endpoint), "unix:/run/claviger/clavigerd.sock");
  variables_["AWS_PROFILE"] = "default";
  EXPECT_THAT(From(variables_), StatusIs(ErrorCode::kInvalidArgument,
                                         HasSubstr(".aws/config:1: ")));
}

TEST_F(SharedFilesTest, NameTheLineOfAWrongEndpoint) {
  Write(".aws/config", "[default]\nendpoint_url = http://kms.example\n");
  EXPECT_THAT(From(variables_, "default"),
              StatusIs(ErrorCode::kInvalidArgument,
                       AllOf(HasSubstr("config:2: "), HasSubstr("use https"))));
}

TEST_F(SharedFilesTest, NeverShowASecret) {
  variables_["CLAVIGER_ENDPOINT"] = "https://kms.example";
  Write(".aws/credentials",
        "[default]\naws_access_key_id = A\naws_secret_access_key SECRET\n");
  EXPECT_THAT(From(variables_), StatusIs(ErrorCode::kInvalidArgument,
                                         AllOf(HasSubstr("credentials:3: "),
                                               Not(HasSubstr("SECRET")))));
}

}  // namespace
}  // namespace kms::client
