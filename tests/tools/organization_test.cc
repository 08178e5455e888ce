// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/organization.h"

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "policy/policy.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"
#include "tools/clavigerd/policy_files.h"

namespace tools {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class OrganizationFilesTest : public testing::Test {
 protected:
  OrganizationFilesTest() {
    config::Organization organization{.id = "o-exampleorg1",
                                      .management_account = "444455556666"};
    organization.units = {
        {.id = "r-ab12", .service_control_policies = {"FullAWSAccess", scp_}},
        {.id = "ou-ab12-11111111",
         .parent = "r-ab12",
         .resource_control_policies = {rcp_}}};
    organization.accounts = {{.id = "111122223333",
                              .parent = "ou-ab12-11111111",
                              .where = {"clavigerd.toml:9"}},
                             {.id = "444455556666", .parent = "r-ab12"}};
    config_.organization = std::move(organization);
    Write(scp_, R"({"Statement":[{"Effect":"Deny","Action":"kms:*",)"
                R"("Resource":"*"}]})");
    Write(rcp_, R"({"Statement":[{"Effect":"Deny","Principal":"*",)"
                R"("Action":"kms:*","Resource":"*"}]})");
  }

  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
  }

  testlib::TempDir folder_;
  const std::string scp_ = folder_ / "scp.json";
  const std::string rcp_ = folder_ / "rcp.json";
  config::Config config_;
};

TEST_F(OrganizationFilesTest, HasTheLevelsAboveAnAccount) {
  const kms::Organization organization = Take(LoadOrganization(config_));
  EXPECT_EQ(organization.id(), "o-exampleorg1");
  EXPECT_EQ(organization.Find("999999999999"), nullptr);
  const auto* const member = organization.Find("111122223333");
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->path, "o-exampleorg1/r-ab12/ou-ab12-11111111/");
  ASSERT_EQ(member->service_control.sets().size(), 3U);
  EXPECT_EQ(member->service_control.sets()[0].size(), 2U);
  EXPECT_EQ(member->service_control.sets()[2].size(), 1U);
  ASSERT_EQ(member->resource_control.sets().size(), 3U);
  EXPECT_EQ(member->resource_control.sets()[1].size(), 1U);
}

TEST_F(OrganizationFilesTest, DoesNotBindTheManagementAccount) {
  const kms::Organization organization = Take(LoadOrganization(config_));
  const auto* const member = organization.Find("444455556666");
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->path, "o-exampleorg1/r-ab12/");
  EXPECT_TRUE(member->service_control.sets().empty());
  EXPECT_TRUE(member->resource_control.sets().empty());
}

TEST_F(OrganizationFilesTest, RefusesWhatIsNoSuchPolicy) {
  Write(rcp_, R"({"Statement":[{"Effect":"Allow","Principal":"*",)"
              R"("Action":"kms:*","Resource":"*"}]})");
  EXPECT_THAT(LoadOrganization(config_),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("resource_control_policies of "
                                 "ou-ab12-11111111: " +
                                 rcp_)));
  config_.organization->accounts[0].service_control_policies = {folder_ /
                                                                "none.json"};
  Write(rcp_, "{}");
  EXPECT_THAT(LoadOrganization(config_), StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(OrganizationFilesTest, NoticesThatAFileHasChanged) {
  const base::Digest before = Take(DigestOfPolicies(config_));
  EXPECT_EQ(Take(DigestOfPolicies(config_)), before);
  Write(scp_, R"({"Statement":[]})");
  EXPECT_NE(Take(DigestOfPolicies(config_)), before);
}

TEST(OrganizationTest, NeedNotBe) {
  const kms::Organization none = Take(LoadOrganization({}));
  EXPECT_EQ(none.Find("111122223333"), nullptr);
}

}  // namespace
}  // namespace tools
