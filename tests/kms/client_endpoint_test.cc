// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "kms/client/endpoint.h"
#include "kms/client/environment.h"
#include "tests/testlib/status.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testlib::StatusIs;

struct GoodCase {
  const char* text;
  Transport transport;
  const char* path;
  const char* host;
  int port;
  const char* description;
  const char* host_header;
};

TEST(EndpointTest, ReadsSocketsAndUrls) {
  const GoodCase cases[] = {
      {"/run/s", Transport::kUnix, "/run/s", "", 0, "unix:/run/s", "localhost"},
      {"unix:/run/s", Transport::kUnix, "/run/s", "", 0, "unix:/run/s",
       "localhost"},
      {"http://127.0.0.1:8080", Transport::kHttp, "", "127.0.0.1", 8080,
       "http://127.0.0.1:8080", "127.0.0.1:8080"},
      {"http://localhost/", Transport::kHttp, "", "localhost", 80,
       "http://localhost", "localhost"},
      {"http://[::1]:9", Transport::kHttp, "", "::1", 9, "http://[::1]:9",
       "[::1]:9"},
      {"https://kms.example", Transport::kHttps, "", "kms.example", 443,
       "https://kms.example", "kms.example"},
      {"https://[2001:db8::1]", Transport::kHttps, "", "2001:db8::1", 443,
       "https://[2001:db8::1]", "[2001:db8::1]"},
      {"https://10.0.0.1:443/", Transport::kHttps, "", "10.0.0.1", 443,
       "https://10.0.0.1", "10.0.0.1"},
  };
  for (const GoodCase& each : cases) {
    SCOPED_TRACE(each.text);
    ASSERT_OK_AND_ASSIGN(const Endpoint endpoint, ParseEndpoint(each.text));
    EXPECT_EQ(endpoint.transport, each.transport);
    EXPECT_EQ(endpoint.path, each.path);
    EXPECT_EQ(endpoint.host, each.host);
    EXPECT_EQ(endpoint.port, each.port);
    EXPECT_EQ(Describe(endpoint), each.description);
    EXPECT_EQ(HostHeader(endpoint), each.host_header);
  }
}

TEST(EndpointTest, RefusesPlainHttpToOtherMachines) {
  for (const char* text :
       {"http://kms.example", "http://10.0.0.1:80", "http://128.0.0.1",
        "http://[::2]", "http://localhost.example", "http://0.0.0.0"}) {
    EXPECT_THAT(ParseEndpoint(text),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("use https")))
        << text;
  }
}

TEST(EndpointTest, RefusesWhatItWouldNotSend) {
  for (const char* text : {"",
                           "relative.sock",
                           "unix:relative",
                           "ftp://h",
                           "https://",
                           "https://user@h",
                           "https://h/path",
                           "https://h?q",
                           "https://h:",
                           "https://h:0",
                           "https://h:65536",
                           "https://h:-1",
                           "https://h:80x",
                           "https://[::1",
                           "https://[h]",
                           "https://[::1]x",
                           "https://a:b:c",
                           "https://h\r\nX: y",
                           "https://:80",
                           "HTTPS://h"}) {
    EXPECT_THAT(ParseEndpoint(text), StatusIs(ErrorCode::kInvalidArgument))
        << text;
  }
}

base::Result<Options> From(std::map<std::string, std::string> variables) {
  return OptionsFromEnvironment(
      [&](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(std::string(name));
        return found == variables.end() ? std::nullopt
                                        : std::optional(found->second);
      });
}

TEST(EnvironmentTest, DefaultsToTheSystemsSocket) {
  ASSERT_OK_AND_ASSIGN(const Options options, From({}));
  EXPECT_EQ(Describe(options.endpoint), "unix:/run/claviger/clavigerd.sock");
  EXPECT_EQ(options.region, "us-east-1");
  EXPECT_FALSE(options.credentials.has_value());
}

TEST(EnvironmentTest, PrefersTheSocketAndThenOurOwnNames) {
  std::map<std::string, std::string> variables = {
      {"CLAVIGER_SOCKET", "/run/s"},
      {"CLAVIGER_ENDPOINT", "http://127.0.0.1:1"},
      {"AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:2"},
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
  ASSERT_OK_AND_ASSIGN(const Options aws, From(variables));
  EXPECT_EQ(Describe(aws.endpoint), "http://127.0.0.1:2");
}

TEST(EnvironmentTest, ReadsCredentialsForTcpOnly) {
  std::map<std::string, std::string> variables = {
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
  EXPECT_THAT(
      From({{"CLAVIGER_ENDPOINT", "http://kms.example"}}),
      StatusIs(ErrorCode::kInvalidArgument,
               AllOf(HasSubstr("CLAVIGER_ENDPOINT"), HasSubstr("use https"))));
}

}  // namespace
}  // namespace kms::client
