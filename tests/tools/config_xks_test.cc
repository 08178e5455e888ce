// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>

#include "tests/tools/config_testing.h"

namespace tools::config {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testlib::StatusIs;

constexpr const char* kProxy = R"([xks_proxy]
listen = "0.0.0.0:443"
certificate = "/c"
private_key = "/k"
)";
constexpr const char* kTenant = "[[xks_tenant]]\nname = \"a\"\n";

constexpr const char* kHeap = "[memory]\nsecure_heap_bytes = 33554432\n";

class ConfigXks : public ConfigTest {};

TEST_F(ConfigXks, TakesAProxyAndItsTenants) {
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      ReadWith(std::string(kHeap) + kProxy +
               "client_ca = \"/ca\"\nclient_names = [\"aws\"]\n" +
               "[[xks_tenant]]\nname = \"team-a\"\nuri_prefix = \"/x/team-a\"\n"
               "regions = [\"us-east-1\"]\npolicy = \"/p\"\n"
               "requests_per_second = 5\n[[xks_tenant]]\nname = \"b\"\n"));
  ASSERT_TRUE(config.xks_proxy.has_value());
  EXPECT_EQ(config.xks_proxy->listen.port, 443);
  EXPECT_EQ(config.xks_proxy->client_ca, "/ca");
  EXPECT_THAT(config.xks_proxy->client_names, ElementsAre("aws"));
  ASSERT_EQ(config.xks_tenants.size(), 2U);
  const XksTenant& tenant = config.xks_tenants.front();
  EXPECT_EQ(tenant.uri_prefix, "/x/team-a");
  EXPECT_THAT(tenant.regions, ElementsAre("us-east-1"));
  EXPECT_EQ(tenant.policy, "/p");
  EXPECT_EQ(tenant.requests_per_second, 5);
  EXPECT_THAT(tenant.where.text, HasSubstr(":"));
  EXPECT_EQ(config.xks_tenants.back().uri_prefix, "");
  EXPECT_EQ(config.xks_tenants.back().requests_per_second, 1800);
}

TEST_F(ConfigXks, RefusesWhatCannotBe) {
  const std::string proxy = kProxy;
  const std::string whole = proxy + kTenant;
  const std::pair<std::string, const char*> cases[] = {
      {proxy, "[xks_proxy] serves nobody"},
      {kTenant, "needs [xks_proxy]"},
      {"[xks_proxy]\ncertificate = \"/c\"\nprivate_key = \"/k\"\n",
       "xks_proxy.listen"},
      {"[xks_proxy]\nlisten = \"0.0.0.0:443\"\nprivate_key = \"/k\"\n",
       "xks_proxy.certificate"},
      {proxy + "client_ca = \"/ca\"\n" + kTenant, "client_names"},
      {proxy + "client_names = [\"aws\"]\n" + kTenant, "client_ca"},
      {proxy + "ping_listen = \"0.0.0.0:443\"\n" + kTenant,
       "xks_proxy.ping_listen has the address of xks_proxy.listen"},
      {proxy + "ping_listen = \"127.0.0.1:443\"\n" + kTenant,
       "give it another port"},
      {proxy + "client = 1\n" + kTenant, "xks_proxy.client"},
      {whole + "key = \"x\"\n", "xks_tenant.key"},
      {"[listen]\nhttp = \"127.0.0.1:443\"\n" + whole, "port 443"},
      {"[memory]\nsecure_heap_bytes = 16777216\n" + whole, "xks_proxy"},
      {whole + kTenant, "name a"},
      {whole + "[[xks_tenant]]\nname = \"b\"\n", "uri_prefix ''"},
      {whole + "uri_prefix = \"a\"\n", "uri_prefix must"},
      {whole + "uri_prefix = \"a\"\n", "leave the key out"},
      {whole + "uri_prefix = \"/a/\"\n", "uri_prefix must"},
      {whole + "uri_prefix = \"/a//b\"\n", "uri_prefix must"},
      {whole + "uri_prefix = \"/a%20\"\n", "uri_prefix must"},
      {whole + "uri_prefix = \"/kms/xks/v1\"\n", "uri_prefix must"},
      {whole + "regions = [\"Mars\"]\n", "regions must"},
      {whole + "requests_per_second = 0\n", "requests_per_second"},
      {proxy + "[[xks_tenant]]\nname = \"a b\"\n", "name must"},
      {proxy + "[[xks_tenant]]\nuri_prefix = \"/a\"\n", "xks_tenant.name"},
  };
  for (const auto& [text, reason] : cases) {
    const bool has_heap = text.find("[memory]") != std::string::npos;
    EXPECT_THAT(ReadWith(has_heap ? text : kHeap + text),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr(reason)))
        << text;
  }
}

// What `clavigerd --dev --dev-xks FILE` reads.
TEST_F(ConfigXks, ReadsAFileOfNothingElse) {
  Config config;
  std::ofstream(path_, std::ios::trunc) << kProxy << kTenant;
  EXPECT_OK(LoadXks(path_, config));
  EXPECT_TRUE(config.xks_proxy.has_value());
  std::ofstream(path_, std::ios::trunc) << "account = \"111122223333\"\n"
                                        << kProxy << kTenant;
  Config other;
  EXPECT_THAT(LoadXks(path_, other),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("account")));
  std::ofstream(path_, std::ios::trunc) << kProxy;
  Config third;
  EXPECT_THAT(LoadXks(path_, third),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("nobody")));
}

}  // namespace
}  // namespace tools::config
