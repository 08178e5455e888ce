// SPDX-License-Identifier: Apache-2.0
// Roles, and whom they trust.
#include "policy/decide.h"
#include "policy/policy.h"
#include "tests/kms/operations_iam_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class IamRolesTest : public IamTest {
 protected:
  base::Result<json> Create(const std::string& trust,
                            const json& more = json::object()) {
    json input = {{"RoleName", "deployer"},
                  {"AssumeRolePolicyDocument", trust}};
    input.update(more);
    return Iam("CreateRole", input);
  }

  // Whether the role's trust policy alone lets the user in.
  bool Trusts(std::string_view user) {
    const auto now = directory();
    const identity::Record* const role =
        now->FindByName(kAccount, EntityKind::kRole, "deployer");
    const Caller caller = As(user).caller;
    const std::string arn = role->entity.Arn();
    policy::Request request;
    request.action = "sts:AssumeRole";
    request.resource = arn;
    request.resource_account = kAccount;
    request.principal = caller.arn;
    request.principal_account = caller.account;
    request.principal_id = caller.principal_id;
    return environment()
               .authorizer
               .Authorize(caller, request,
                          {.resource_policy = role->trust.get()}, nullptr)
               .verdict == policy::Verdict::kAllow;
  }

  const json role_ = {{"RoleName", "deployer"}};
};

TEST_F(IamRolesTest, AreMadeShownChangedAndDeleted) {
  const std::string trust = TrustText(UserArn("alice"));
  json made = Take(Create(trust, {{"Path", "/ops/"},
                                  {"Description", "Deploys"},
                                  {"MaxSessionDuration", 7200},
                                  {"Tags", Tags({{"k", "v"}})}}));
  EXPECT_EQ(Do("GetRole", role_), made);
  json role = made.at("Role");
  EXPECT_THAT(role.at("RoleId").get<std::string>(),
              testing::StartsWith("AROA"));
  role.erase("RoleId");
  const std::string encoded = role.at("AssumeRolePolicyDocument");
  EXPECT_THAT(encoded, testing::StartsWith("%7B%22Statement%22%3A%5B%7B"));
  EXPECT_THAT(encoded, testing::MatchesRegex("[A-Za-z0-9._~%-]+"));
  role.erase("AssumeRolePolicyDocument");
  EXPECT_EQ(role, json({{"Path", "/ops/"},
                        {"RoleName", "deployer"},
                        {"Arn", std::string(kIamPrefix) + "role/ops/deployer"},
                        {"CreateDate", kNow},
                        {"MaxSessionDuration", 7200},
                        {"Description", "Deploys"},
                        {"Tags", Tags({{"k", "v"}})}}));
  EXPECT_THAT(Create(trust), StatusIs(ErrorCode::kAlreadyExists,
                                      "Role with name deployer already "
                                      "exists."));
  Do("UpdateRole", {{"RoleName", "deployer"}, {"MaxSessionDuration", 3600}});
  role = Do("GetRole", role_).at("Role");
  EXPECT_EQ(role.at("MaxSessionDuration"), 3600);
  EXPECT_EQ(role.at("Description"), "Deploys");
  const json listed =
      Do("ListRoles", {{"PathPrefix", "/ops/"}}).at("Roles").at(0);
  EXPECT_FALSE(listed.contains("Tags"));
  EXPECT_EQ(listed.at("AssumeRolePolicyDocument"), encoded);
  Do("TagRole", {{"RoleName", "deployer"}, {"Tags", Tags({{"l", "w"}})}});
  Do("UntagRole", {{"RoleName", "deployer"}, {"TagKeys", {"k"}}});
  EXPECT_EQ(Do("ListRoleTags", role_).at("Tags"), Tags({{"l", "w"}}));
  // Terraform asks before it deletes a role.
  EXPECT_EQ(
      Do("ListInstanceProfilesForRole", role_),
      (json{{"InstanceProfiles", json::array()}, {"IsTruncated", false}}));
  EXPECT_OK(Iam("DeleteRole", role_));
  EXPECT_THAT(Iam("GetRole", role_),
              StatusIs(ErrorCode::kNotFound,
                       "The role with name deployer cannot be found."));
}

TEST_F(IamRolesTest, RefuseWhatIsNoTrust) {
  EXPECT_THAT(Create("{}"), StatusIs(ErrorCode::kMalformedPolicy));
  EXPECT_THAT(Create(PolicyText("Allow", "sts:AssumeRole")),
              StatusIs(ErrorCode::kMalformedPolicy));
  EXPECT_THAT(
      Create(TrustText(UserArn("nobody"))),
      StatusIs(ErrorCode::kMalformedPolicy, HasSubstr(UserArn("nobody"))));
  EXPECT_THAT(Create(TrustText("arn:aws:iam::999999999999:root")),
              StatusIs(ErrorCode::kMalformedPolicy));
  json large = {{"Effect", "Allow"},
                {"Principal", {{"AWS", kAccount}}},
                {"Action", "sts:AssumeRole"},
                {"Condition",
                 {{"StringEquals", {{"aws:userid", std::string(2048, 'x')}}}}}};
  EXPECT_THAT(Create(DocumentText(large)),
              StatusIs(ErrorCode::kLimitExceeded,
                       "Cannot exceed quota for ACLSizePerRole: 2048"));
  EXPECT_THAT(Create(TrustText(kAccount), {{"MaxSessionDuration", 43201}}),
              StatusIs(ErrorCode::kValidation));
}

TEST_F(IamRolesTest, DoNotTrustWhoWasDeletedAndMadeAgain) {
  Do("CreateUser", {{"UserName", "dora"}});
  Take(Create(TrustText(UserArn("dora"))));
  EXPECT_TRUE(Trusts("dora"));
  EXPECT_FALSE(Trusts("alice"));
  Do("DeleteUser", {{"UserName", "dora"}});
  Do("CreateUser", {{"UserName", "dora"}});
  EXPECT_FALSE(Trusts("dora"));
  EXPECT_THAT(Do("GetRole", role_)
                  .at("Role")
                  .at("AssumeRolePolicyDocument")
                  .get<std::string>(),
              HasSubstr("%22AIDA"));
  Do("UpdateAssumeRolePolicy",
     {{"RoleName", "deployer"},
      {"PolicyDocument", TrustText(UserArn("dora"))}});
  EXPECT_TRUE(Trusts("dora")) << "saved anew, it means the new one";
}

TEST_F(IamRolesTest, KeepTheirTrustIfTheNewOneIsRefused) {
  Take(Create(TrustText(UserArn("alice"))));
  EXPECT_THAT(Iam("UpdateAssumeRolePolicy",
                  {{"RoleName", "deployer"},
                   {"PolicyDocument", TrustText(UserArn("nobody"))}}),
              StatusIs(ErrorCode::kMalformedPolicy));
  EXPECT_TRUE(Trusts("alice"));
}

TEST_F(IamRolesTest, AreNotDeletedWithPolicies) {
  Take(Create(TrustText(kAccount)));
  const json attachment = {{"RoleName", "deployer"},
                           {"PolicyArn", kAdminPolicy}};
  Do("AttachRolePolicy", attachment);
  Do("PutRolePolicy", {{"RoleName", "deployer"},
                       {"PolicyName", "p"},
                       {"PolicyDocument", PolicyText("Allow", "kms:*")}});
  EXPECT_THAT(Iam("DeleteRole", role_),
              StatusIs(ErrorCode::kConflict,
                       "Cannot delete entity, must detach all policies "
                       "first."));
  Do("DetachRolePolicy", attachment);
  EXPECT_THAT(Iam("DeleteRole", role_),
              StatusIs(ErrorCode::kConflict,
                       "Cannot delete entity, must delete policies first."));
}

}  // namespace
}  // namespace kms::operations
