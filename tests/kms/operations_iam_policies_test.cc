// SPDX-License-Identifier: Apache-2.0
// Inline and managed policies, their versions, boundaries, and that they
// decide.
#include "tests/kms/operations_iam_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class IamPoliciesTest : public IamTest {
 protected:
  // Asks for something that only identity-based policies decide.
  base::Result<json> Random(std::string_view user) {
    return Ask("GenerateRandom", {{"NumberOfBytes", 1}}, As(user));
  }

  void Put(const std::string& document) {
    Do("PutUserPolicy", {{"UserName", "alice"},
                         {"PolicyName", "p"},
                         {"PolicyDocument", document}});
  }

  std::string Default(const std::string& arn) {
    return Do("GetPolicy", {{"PolicyArn", arn}})
        .at("Policy")
        .at("DefaultVersionId");
  }

  // A policy of about `size` bytes.
  static std::string Large(std::size_t size) {
    return PolicyText("Allow", "kms:*",
                      "arn:aws:kms:*:*:key/" + std::string(size, 'x'));
  }

  const std::string allow_ = PolicyText("Allow", "kms:*");
  const std::string deny_ = PolicyText("Deny", "kms:GenerateRandom");
  const json alice_ = {{"UserName", "alice"}};
};

TEST_F(IamPoliciesTest, InlineOnesComeAndGo) {
  const json named = {{"UserName", "alice"}, {"PolicyName", "p"}};
  EXPECT_THAT(Random("alice"), StatusIs(ErrorCode::kAccessDenied));
  Put(allow_);
  EXPECT_OK(Random("alice"));
  const json got = Do("GetUserPolicy", named);
  EXPECT_EQ(got.at("UserName"), "alice");
  EXPECT_EQ(got.at("PolicyName"), "p");
  EXPECT_THAT(got.at("PolicyDocument").get<std::string>(),
              testing::StartsWith("%7B%22Statement%22%3A%5B%7B%22Action%22%3A"
                                  "%22kms%3A%2A%22"));
  EXPECT_EQ(Do("ListUserPolicies", alice_),
            json({{"PolicyNames", {"p"}}, {"IsTruncated", false}}));
  Put(deny_);
  EXPECT_THAT(Random("alice"),
              StatusIs(ErrorCode::kAccessDenied, HasSubstr("explicit deny")));
  Do("DeleteUserPolicy", named);
  const auto gone = StatusIs(ErrorCode::kNotFound,
                             "The user policy with name p cannot be found.");
  EXPECT_THAT(Iam("DeleteUserPolicy", named), gone);
  EXPECT_THAT(Iam("GetUserPolicy", named), gone);
}

TEST_F(IamPoliciesTest, InlineOnesAreOfGroupsAndRolesToo) {
  Do("CreateGroup", {{"GroupName", "g"}});
  for (const auto& [kind, name] : {std::pair{"Group", "g"}, {"Role", "bob"}}) {
    SCOPED_TRACE(kind);
    const std::string word = kind;
    json input = {{word + "Name", name}, {"PolicyName", "p"}};
    json put = input;
    put["PolicyDocument"] = allow_;
    Do("Put" + word + "Policy", put);
    EXPECT_EQ(Do("Get" + word + "Policy", input).at(word + "Name"), name);
    EXPECT_EQ(Do("List" + word + "Policies", {{word + "Name", name}})
                  .at("PolicyNames"),
              json({"p"}));
    Do("Delete" + word + "Policy", input);
  }
}

TEST_F(IamPoliciesTest, InlineOnesHaveAQuotaTogether) {
  const auto put = [this](const char* name, const std::string& document) {
    return Iam("PutUserPolicy", {{"UserName", "alice"},
                                 {"PolicyName", name},
                                 {"PolicyDocument", document}});
  };
  EXPECT_OK(put("a", Large(1000)));
  const auto full =
      StatusIs(ErrorCode::kLimitExceeded,
               "Maximum policy size of 2048 bytes exceeded for user alice");
  EXPECT_THAT(put("b", Large(1000)), full);
  EXPECT_EQ(Do("ListUserPolicies", alice_).at("PolicyNames"), json({"a"}));
  EXPECT_OK(put("a", Large(1800))) << "in its own place";
  EXPECT_OK(put("a", Large(1800) + std::string(3000, ' '))) << "space is free";
  EXPECT_THAT(put("c", "{}"), StatusIs(ErrorCode::kMalformedPolicy));
  EXPECT_THAT(put("c", TrustText(kAccount)),
              StatusIs(ErrorCode::kMalformedPolicy));
}

TEST_F(IamPoliciesTest, ADenyOfAGroupDeniesItsMembers) {
  Put(allow_);
  const std::string arn = NewPolicy("no-random", deny_);
  Do("CreateGroup", {{"GroupName", "g"}});
  Do("AttachGroupPolicy", {{"GroupName", "g"}, {"PolicyArn", arn}});
  EXPECT_OK(Random("alice"));
  Do("AddUserToGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  EXPECT_THAT(Random("alice"),
              StatusIs(ErrorCode::kAccessDenied, HasSubstr("explicit deny")));
  Do("RemoveUserFromGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  EXPECT_OK(Random("alice"));
}

TEST_F(IamPoliciesTest, ABoundaryBounds) {
  Put(allow_);
  const std::string arn = NewPolicy("bounds", PolicyText("Allow", "kms:List*"));
  Do("PutUserPermissionsBoundary",
     {{"UserName", "alice"}, {"PermissionsBoundary", arn}});
  EXPECT_THAT(Random("alice"), StatusIs(ErrorCode::kAccessDenied,
                                        HasSubstr("permissions boundary")));
  EXPECT_EQ(Do("GetUser", alice_)
                .at("User")
                .at("PermissionsBoundary")
                .at("PermissionsBoundaryArn"),
            arn);
  EXPECT_THAT(Iam("DeletePolicy", {{"PolicyArn", arn}}),
              StatusIs(ErrorCode::kConflict,
                       "Cannot delete a policy attached to entities."));
  Do("DeleteUserPermissionsBoundary", alice_);
  EXPECT_OK(Random("alice"));
  EXPECT_OK(Iam("DeletePolicy", {{"PolicyArn", arn}}));
  EXPECT_THAT(Iam("PutRolePermissionsBoundary",
                  {{"RoleName", "bob"}, {"PermissionsBoundary", arn}}),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(IamPoliciesTest, ManagedOnesAreMadeShownAndDeleted) {
  const json made = Do("CreatePolicy", {{"PolicyName", "mine"},
                                        {"Path", "/p/"},
                                        {"Description", "d"},
                                        {"PolicyDocument", allow_},
                                        {"Tags", Tags({{"k", "v"}})}});
  json policy = made.at("Policy");
  const std::string arn = policy.at("Arn");
  const json named = {{"PolicyArn", arn}};
  EXPECT_EQ(arn, std::string(kIamPrefix) + "policy/p/mine");
  EXPECT_EQ(Do("GetPolicy", named), made);
  EXPECT_THAT(policy.at("PolicyId").get<std::string>(),
              testing::StartsWith("ANPA"));
  policy.erase("PolicyId");
  EXPECT_EQ(policy, json({{"PolicyName", "mine"},
                          {"Arn", arn},
                          {"Path", "/p/"},
                          {"DefaultVersionId", "v1"},
                          {"AttachmentCount", 0},
                          {"PermissionsBoundaryUsageCount", 0},
                          {"IsAttachable", true},
                          {"CreateDate", kNow},
                          {"UpdateDate", kNow},
                          {"Description", "d"},
                          {"Tags", Tags({{"k", "v"}})}}));
  EXPECT_THAT(
      Iam("CreatePolicy", {{"PolicyName", "Mine"}, {"PolicyDocument", allow_}}),
      StatusIs(ErrorCode::kAlreadyExists,
               "A policy called Mine already exists. Duplicate names are not "
               "allowed."));
  EXPECT_THAT(Iam("CreatePolicy",
                  {{"PolicyName", "big"}, {"PolicyDocument", Large(6200)}}),
              StatusIs(ErrorCode::kLimitExceeded,
                       "Cannot exceed quota for PolicySize: 6144"));
  const json attachment = {{"UserName", "alice"}, {"PolicyArn", arn}};
  Do("AttachUserPolicy", attachment);
  EXPECT_OK(Random("alice"));
  EXPECT_EQ(Do("GetPolicy", named).at("Policy").at("AttachmentCount"), 1);
  EXPECT_THAT(Iam("DeletePolicy", named),
              StatusIs(ErrorCode::kConflict,
                       "Cannot delete a policy attached to entities."));
  Do("DetachUserPolicy", attachment);
  EXPECT_THAT(Random("alice"), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(
      Iam("DetachUserPolicy", attachment),
      StatusIs(ErrorCode::kNotFound, "Policy " + arn + " was not found."));
  EXPECT_OK(Iam("DeletePolicy", named));
  EXPECT_THAT(
      Iam("GetPolicy", named),
      StatusIs(ErrorCode::kNotFound, "Policy " + arn + " was not found."));
  EXPECT_THAT(
      Iam("AttachUserPolicy", attachment),
      StatusIs(ErrorCode::kNotFound,
               "Policy " + arn + " does not exist or is not attachable."));
}

TEST_F(IamPoliciesTest, ManagedOnesHaveTags) {
  const json arn = {
      {"PolicyArn",
       Do("CreatePolicy", {{"PolicyName", "tagged"},
                           {"PolicyDocument", PolicyText("Allow", "kms:*")},
                           {"Tags", Tags({{"k", "v"}})}})
           .at("Policy")
           .at("Arn")}};
  json tag = arn;
  tag["Tags"] = Tags({{"l", "w"}});
  Do("TagPolicy", tag);
  json untag = arn;
  untag["TagKeys"] = {"k"};
  Do("UntagPolicy", untag);
  EXPECT_EQ(Do("ListPolicyTags", arn).at("Tags"), Tags({{"l", "w"}}));
}

TEST_F(IamPoliciesTest, ManagedOnesHaveVersions) {
  const std::string arn = NewPolicy("mine", allow_);
  Do("AttachUserPolicy", {{"UserName", "alice"}, {"PolicyArn", arn}});
  const auto add = [&](const std::string& document, bool as_default) {
    return Iam("CreatePolicyVersion", {{"PolicyArn", arn},
                                       {"PolicyDocument", document},
                                       {"SetAsDefault", as_default}});
  };
  EXPECT_EQ(Take(add(deny_, false)).at("PolicyVersion"),
            json({{"VersionId", "v2"},
                  {"IsDefaultVersion", false},
                  {"CreateDate", kNow}}));
  EXPECT_OK(Random("alice"));
  const json v2 = {{"PolicyArn", arn}, {"VersionId", "v2"}};
  Do("SetDefaultPolicyVersion", v2);
  EXPECT_EQ(Default(arn), "v2");
  EXPECT_THAT(Random("alice"), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Iam("DeletePolicyVersion", v2),
              StatusIs(ErrorCode::kConflict,
                       "Cannot delete the default version of a policy."));
  const json got = Do("GetPolicyVersion", v2).at("PolicyVersion");
  EXPECT_EQ(got.at("IsDefaultVersion"), true);
  EXPECT_THAT(got.at("Document").get<std::string>(), HasSubstr("%22Deny%22"));
  Take(add(allow_, true));
  EXPECT_EQ(Default(arn), "v3");
  EXPECT_OK(Random("alice"));
  Do("DeletePolicyVersion", v2);
  const auto gone = StatusIs(
      ErrorCode::kNotFound,
      "Policy " + arn + " version v2 does not exist or is not attachable.");
  EXPECT_THAT(Iam("GetPolicyVersion", v2), gone);
  EXPECT_THAT(Iam("SetDefaultPolicyVersion", v2), gone);
  EXPECT_THAT(Iam("DeletePolicyVersion", v2), gone);
  for (int i = 0; i < 3; ++i) {
    Take(add(allow_, false));
  }
  EXPECT_THAT(add(allow_, false),
              StatusIs(ErrorCode::kLimitExceeded, HasSubstr("5 versions")));
  EXPECT_EQ(
      Do("ListPolicyVersions", {{"PolicyArn", arn}}).at("Versions").size(), 5U);
  Do("DetachUserPolicy", {{"UserName", "alice"}, {"PolicyArn", arn}});
  EXPECT_THAT(
      Iam("DeletePolicy", {{"PolicyArn", arn}}),
      StatusIs(ErrorCode::kConflict, HasSubstr("more than one version")));
}

TEST_F(IamPoliciesTest, OfAwsAreReadAndNotChanged) {
  const json named = {{"PolicyArn", kAdminPolicy}};
  const json policy = Do("GetPolicy", named).at("Policy");
  EXPECT_EQ(policy.at("PolicyName"), "AdministratorAccess");
  EXPECT_EQ(policy.at("AttachmentCount"), 1) << "the administrator's";
  EXPECT_EQ(Do("ListPolicyVersions", named).at("Versions").size(), 1U);
  EXPECT_OK(Iam("GetPolicyVersion",
                {{"PolicyArn", kAdminPolicy}, {"VersionId", "v1"}}));
  const auto refused = StatusIs(ErrorCode::kAccessDenied,
                                HasSubstr("is AWS's and cannot be changed"));
  EXPECT_THAT(Iam("DeletePolicy", named), refused);
  EXPECT_THAT(Iam("CreatePolicyVersion",
                  {{"PolicyArn", kAdminPolicy}, {"PolicyDocument", allow_}}),
              refused);
}

TEST_F(IamPoliciesTest, AreListedByScopeAndUse) {
  const auto names = [this](const json& input) {
    std::vector<std::string> found;
    const json listed = Do("ListPolicies", input);
    for (const json& policy : listed.at("Policies")) {
      found.push_back(policy.at("PolicyName"));
    }
    return found;
  };
  const std::string used = NewPolicy("used", allow_);
  NewPolicy("unused", allow_);
  Do("AttachRolePolicy", {{"RoleName", "bob"}, {"PolicyArn", used}});
  EXPECT_THAT(names({{"Scope", "Local"}}),
              testing::ElementsAre("unused", "used"));
  EXPECT_THAT(names({{"OnlyAttached", true}}),
              testing::ElementsAre("AdministratorAccess", "used"));
  EXPECT_THAT(names({{"Scope", "AWS"}}),
              testing::AllOf(testing::Contains("IAMFullAccess"),
                             testing::Not(testing::Contains("used"))));
  std::vector<std::string> all;
  json input = {{"MaxItems", 1}};
  for (json page; page.is_null() || page.at("IsTruncated");) {
    page = Do("ListPolicies", input);
    all.push_back(page.at("Policies").at(0).at("PolicyName"));
    if (page.contains("Marker")) {
      input["Marker"] = page.at("Marker");
    }
  }
  EXPECT_EQ(all, names(json::object()));
  EXPECT_EQ(Do("ListAttachedRolePolicies", {{"RoleName", "bob"}})
                .at("AttachedPolicies"),
            json::array({{{"PolicyName", "used"}, {"PolicyArn", used}}}));
}

TEST_F(IamPoliciesTest, TellWhoHasThem) {
  const std::string arn = NewPolicy("mine", allow_);
  Do("CreateGroup", {{"GroupName", "g"}});
  Do("AttachGroupPolicy", {{"GroupName", "g"}, {"PolicyArn", arn}});
  Do("AttachRolePolicy", {{"RoleName", "bob"}, {"PolicyArn", arn}});
  Do("PutUserPermissionsBoundary",
     {{"UserName", "alice"}, {"PermissionsBoundary", arn}});
  const auto sizes = [&](json input) {
    input["PolicyArn"] = arn;
    const json list = Do("ListEntitiesForPolicy", input);
    return std::array{list.at("PolicyGroups").size(),
                      list.at("PolicyRoles").size(),
                      list.at("PolicyUsers").size()};
  };
  using Sizes = std::array<std::size_t, 3>;
  EXPECT_EQ(sizes(json::object()), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes({{"EntityFilter", "Role"}}), (Sizes{0, 1, 0}));
  EXPECT_EQ(sizes({{"PolicyUsageFilter", "PermissionsPolicy"}}),
            (Sizes{1, 1, 0}));
  EXPECT_EQ(sizes({{"PolicyUsageFilter", "PermissionsBoundary"}}),
            (Sizes{0, 0, 1}));
  EXPECT_EQ(sizes({{"MaxItems", 2}}), (Sizes{1, 1, 0}));
}

TEST_F(IamPoliciesTest, AreTenAtMostOnOne) {
  const auto attach = [this](const std::string& arn) {
    return Iam("AttachUserPolicy", {{"UserName", "alice"}, {"PolicyArn", arn}});
  };
  std::string arn;
  for (int i = 0; i < 10; ++i) {
    arn = NewPolicy("p" + std::to_string(i), allow_);
    EXPECT_OK(attach(arn));
  }
  EXPECT_OK(attach(arn)) << "again";
  EXPECT_THAT(attach(NewPolicy("one-more", allow_)),
              StatusIs(ErrorCode::kLimitExceeded,
                       "Cannot exceed quota for PoliciesPerUser: 10"));
}

TEST_F(IamPoliciesTest, ConditionsBoundWhatAnAdministratorGives) {
  const std::string bounds = NewPolicy("bounds", allow_);
  const auto let = [this](const json& condition) {
    Put(DocumentText({{"Effect", "Allow"},
                      {"Action", "iam:*"},
                      {"Resource", "*"},
                      {"Condition", condition}}));
    return As("alice");
  };
  From alice = let({{"ArnEquals", {{"iam:PolicyARN", bounds}}}});
  const auto attach = [&](std::string_view arn) {
    return Iam("AttachRolePolicy", {{"RoleName", "bob"}, {"PolicyArn", arn}},
               alice);
  };
  EXPECT_OK(attach(bounds));
  EXPECT_THAT(attach(kAdminPolicy), StatusIs(ErrorCode::kAccessDenied));

  alice = let({{"StringEquals", {{"iam:PermissionsBoundary", bounds}}}});
  json input = {{"UserName", "dora"}};
  EXPECT_THAT(Iam("CreateUser", input, alice),
              StatusIs(ErrorCode::kAccessDenied));
  input["PermissionsBoundary"] = bounds;
  EXPECT_OK(Iam("CreateUser", input, alice));
  EXPECT_OK(Iam("AttachUserPolicy",
                {{"UserName", "dora"}, {"PolicyArn", kAdminPolicy}}, alice))
      << "the boundary that dora has";
  EXPECT_THAT(Iam("AttachUserPolicy",
                  {{"UserName", "eve"}, {"PolicyArn", kAdminPolicy}}, alice),
              StatusIs(ErrorCode::kAccessDenied));

  alice = let({{"StringEquals", {{"aws:RequestTag/team", "a"}}}});
  input = {{"UserName", "fred"}, {"Tags", Tags({{"team", "b"}})}};
  EXPECT_THAT(Iam("CreateUser", input, alice),
              StatusIs(ErrorCode::kAccessDenied));
  input["Tags"] = Tags({{"team", "a"}});
  EXPECT_OK(Iam("CreateUser", input, alice));

  alice = let({{"StringEquals", {{"aws:ResourceTag/team", "a"}}}});
  EXPECT_OK(Iam("GetUser", {{"UserName", "fred"}}, alice));
  EXPECT_THAT(Iam("GetUser", {{"UserName", "dora"}}, alice),
              StatusIs(ErrorCode::kAccessDenied));
}

}  // namespace
}  // namespace kms::operations
