// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "tests/tools/config_testing.h"

namespace tools::config {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testlib::StatusIs;

TEST_F(ConfigTest, HasNoXksClientUnlessAsked) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadWith(""));
  EXPECT_FALSE(config.xks_client.has_value());
}

TEST_F(ConfigTest, XksClientHasDefaults) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadWith("[xks_client]\n"));
  ASSERT_TRUE(config.xks_client.has_value());
  EXPECT_EQ(config.xks_client->socket, "/run/claviger-xks/xks.sock");
  EXPECT_EQ(config.xks_client->workers, 1);
  const hsm::xks::Settings& settings = config.xks_client->settings;
  EXPECT_EQ(settings.timeout, std::chrono::milliseconds{250});
  EXPECT_EQ(settings.ca_file, "/etc/ssl/certs/ca-certificates.crt");
  EXPECT_EQ(settings.client_certificate, "");
  EXPECT_EQ(settings.client_key, "");
  EXPECT_TRUE(settings.allow_networks.empty());
  EXPECT_TRUE(settings.connect_to.empty());
  EXPECT_EQ(settings.requests_per_second, 1800);
}

TEST_F(ConfigTest, TakesEveryKeyOfTheXksClient) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadWith(R"([xks_client]
socket = "/x.sock"
workers = 16
timeout_milliseconds = 8000
ca_file = "/ca"
client_certificate = "/c"
client_key = "/k"
allow_networks = ["10.1.0.0/16", "fd00::/8"]
connect_to = ["a.example.com:443:10.1.2.3:8443", "b.example.com:443:[::1]:1"]
requests_per_second = 1
)"));
  ASSERT_TRUE(config.xks_client.has_value());
  EXPECT_EQ(config.xks_client->socket, "/x.sock");
  EXPECT_EQ(config.xks_client->workers, 16);
  const hsm::xks::Settings& settings = config.xks_client->settings;
  EXPECT_EQ(settings.timeout, std::chrono::milliseconds{8000});
  EXPECT_EQ(settings.ca_file, "/ca");
  EXPECT_EQ(settings.client_certificate, "/c");
  EXPECT_EQ(settings.client_key, "/k");
  ASSERT_EQ(settings.allow_networks.size(), 2U);
  EXPECT_EQ(settings.allow_networks[0].prefix, 96 + 16);
  EXPECT_EQ(settings.allow_networks[1].prefix, 8);
  ASSERT_EQ(settings.connect_to.size(), 2U);
  EXPECT_EQ(settings.connect_to[0].host, "a.example.com");
  EXPECT_EQ(settings.connect_to[0].port, 8443);
  EXPECT_EQ(settings.connect_to[1].text, "b.example.com:443:[::1]:1");
  EXPECT_EQ(settings.requests_per_second, 1);
}

TEST_F(ConfigTest, RefusesBadValuesOfTheXksClient) {
  const std::pair<const char*, const char*> cases[] = {
      {"socket = \"\"", "xks_client.socket must be a text"},
      {"workers = 0", "xks_client.workers must be a whole number from 1 to 16"},
      {"workers = 17", "from 1 to 16"},
      {"timeout_milliseconds = 9", "from 10 to 8000"},
      {"timeout_milliseconds = 8001", "from 10 to 8000"},
      {"timeout_milliseconds = 1.5", "whole number"},
      {"ca_file = 1", "xks_client.ca_file must be a text"},
      {"client_certificate = \"/c\"", "client_certificate and client_key"},
      {"client_key = \"/k\"", "client_certificate and client_key"},
      {"allow_networks = \"10.0.0.0/8\"", "must be a list of texts"},
      {"allow_networks = []", "at least one"},
      {"allow_networks = [\"10.0.0.0/8\", \"10.0.0.1\"]", "is no network"},
      {"allow_networks = [\"10.0.0.1/8\"]", "behind its prefix"},
      {"connect_to = [\"h:443:name:1\"]", "HOST:443:ADDRESS:PORT"},
      {"connect_to = [\"h:443:10.0.0.1:1\", \"H:443:10.0.0.1:2\"]",
       "h stands there twice"},
      {"requests_per_second = 0", "xks_client.requests_per_second must be"},
      {"verify = false", "unknown key 'xks_client.verify'"},
  };
  for (const auto& [line, reason] : cases) {
    EXPECT_THAT(ReadWith("[xks_client]\n" + std::string(line) + "\n"),
                StatusIs(ErrorCode::kInvalidArgument,
                         AllOf(StartsWith(path_ + ":3: "), HasSubstr(reason))))
        << line;
  }
  EXPECT_THAT(ReadWith("xks_client = 1\n"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("[xks_client]")));
}

}  // namespace
}  // namespace tools::config
