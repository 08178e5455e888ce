// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "tests/tools/config_testing.h"
#include "tools/config/organization.h"

namespace tools::config {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::StatusIs;

constexpr const char* kRoot =
    "[organization]\n"
    "id = \"o-exampleorg1\"\n"
    "[[organization.unit]]\n"
    "id = \"r-ab12\"\n";

std::string Unit(const std::string& id, const std::string& parent) {
  return "[[organization.unit]]\nid = \"" + id + "\"\nparent = \"" + parent +
         "\"\n";
}
std::string Account(const std::string& id, const std::string& parent) {
  return "[[organization.account]]\nid = \"" + id + "\"\nparent = \"" + parent +
         "\"\n";
}

TEST_F(ConfigTest, TakesAnOrganization) {
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      ReadWith(kRoot + Unit("ou-ab12-11111111", "r-ab12") +
               "resource_control_policies = [\"/rcp.json\"]\n" +
               Account("111122223333", "ou-ab12-11111111") +
               "service_control_policies = [\"/scp.json\"]\n" +
               Account("444455556666", "r-ab12")));
  ASSERT_TRUE(config.organization.has_value());
  const Organization& organization = *config.organization;
  EXPECT_EQ(organization.id, "o-exampleorg1");
  ASSERT_EQ(organization.accounts.size(), 2U);
  const OrganizationNode& account = organization.accounts.front();
  EXPECT_THAT(account.service_control_policies, ElementsAre("/scp.json"));
  EXPECT_EQ(account.where.text, path_ + ":11");
  const auto way = WayTo(organization, account);
  ASSERT_EQ(way.size(), 3U);
  EXPECT_EQ(way[0]->id, "r-ab12");
  EXPECT_THAT(way[0]->service_control_policies, ElementsAre("FullAWSAccess"));
  EXPECT_THAT(way[0]->resource_control_policies, IsEmpty());
  EXPECT_THAT(way[1]->resource_control_policies, ElementsAre("/rcp.json"));
  EXPECT_EQ(way[2], &account);
}

TEST_F(ConfigTest, NeedsNoOrganization) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadWith(""));
  EXPECT_FALSE(config.organization.has_value());
}

TEST_F(ConfigTest, RefusesBadOrganizations) {
  const std::string root = kRoot;
  const std::string ou = "ou-ab12-11111111";
  std::string deep = root + Unit("ou-ab12-00000000", "r-ab12");
  for (int i = 1; i < 6; ++i) {
    deep += Unit("ou-ab12-0000000" + std::to_string(i),
                 "ou-ab12-0000000" + std::to_string(i - 1));
  }
  const std::pair<std::string, const char*> cases[] = {
      {"[organization]\nid = \"mine\"\n", "'mine' is not an organization's"},
      {"[organization]\n", "organization.id is missing"},
      {root + "color = 1\n", "unknown key 'organization.unit.color'"},
      {root + Unit("x", "r-ab12"), "'x' is neither a root"},
      {root + Unit("r-cd34", "r-ab12"), "must be a root (r-ab12) in the first"},
      {"[organization]\nid = \"o-exampleorg1\"\n" + Unit(ou, "r-ab12"),
       "must be a root (r-ab12) in the first"},
      {root + "parent = \"r-ab12\"\n", "is not for a root"},
      {root + Unit(ou, "ou-ab12-22222222"), "is no unit that stands before it"},
      {root + Unit(ou, ou), "is no unit that stands before it"},
      {root + Unit(ou, "r-ab12") + Unit(ou, "r-ab12"), "stands there twice"},
      {root + "[[organization.unit]]\nid = \"" + ou + "\"\n",
       "needs a 'parent'"},
      {root + Account("12", "r-ab12"), "must be an account: 12 digits"},
      {root + Account("111122223333", "r-none"), "is no unit"},
      {root + Account("111122223333", "r-ab12") +
           Account("111122223333", "r-ab12"),
       "stands there twice"},
      {root + "service_control_policies = []\n", "with at least one of them"},
      {"[organization]\nid = \"o-exampleorg1\"\nmanagement_account = "
       "\"111122223333\"\n",
       "must be one of the [[organization.account]]"},
      {deep, "is too deep"},
  };
  for (const auto& [text, reason] : cases) {
    EXPECT_THAT(ReadWith(text),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr(reason)))
        << text;
  }
}

}  // namespace
}  // namespace tools::config
