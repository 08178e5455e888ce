// SPDX-License-Identifier: Apache-2.0
// What an organization says about its accounts bounds every request.
#include "kms/operations/bootstrap.h"
#include "policy/policy.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using policy::PolicyKind;
using testing::EndsWith;
using testing::HasSubstr;
using testlib::IsOk;
using testlib::StatusIs;
using testlib::Take;

const json full_access = {
    {"Effect", "Allow"}, {"Action", "*"}, {"Resource", "*"}};

json Denial(const json& actions, const json& condition = json::object()) {
  return {{"Effect", "Deny"},
          {"Action", actions},
          {"Resource", "*"},
          {"Condition", condition}};
}

PolicyList Level(PolicyKind kind, const std::vector<json>& statements) {
  PolicyList level;
  level.Add(CompileStored(
      kind, json{{"Version", "2012-10-17"}, {"Statement", statements}}.dump()));
  EXPECT_TRUE(level.views().front()->readable());
  return level;
}

PolicyList Scp(const std::vector<json>& statements) {
  return Level(PolicyKind::kServiceControl, statements);
}

PolicyList Rcp(json statement) {
  statement["Principal"] = "*";
  return Level(PolicyKind::kResourceControl, {statement});
}

Caller Root() {
  Caller caller;
  caller.kind = CallerKind::kRoot;
  caller.account = kAccount;
  caller.arn = "arn:aws:iam::111122223333:root";
  caller.principal_id = kAccount;
  return caller;
}

class OrganizationTest : public OperationsTest {
 protected:
  OrganizationTest() : key_(NewKey()) {
    Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  }

  // Puts the two accounts into an organization.
  void Organize(Organization::Member first, Organization::Member second = {}) {
    first.path = "o-exampleorg1/r-ab12/";
    second.path = "o-exampleorg1/r-ab12/ou-ab12-11111111/";
    organization() = Organization("o-exampleorg1");
    organization().Add(std::string(kAccount), std::move(first));
    organization().Add(std::string(kOtherAccount), std::move(second));
  }

  base::Result<json> Encrypt(const From& from = {}) {
    return Ask("Encrypt",
               {{"KeyId", "arn:aws:kms:eu-west-1:111122223333:key/" + key_},
                {"Plaintext", "YQ=="}},
               from);
  }
  base::Result<json> Put(const json& principal, const json& condition) {
    const json all = {{"Effect", "Allow"},
                      {"Principal", {{"AWS", std::string(kAccount)}}},
                      {"Action", "kms:*"},
                      {"Resource", "*"}};
    json some = all;
    some["Principal"] = principal;
    some["Action"] = "kms:Encrypt";
    some["Condition"] = condition;
    return Ask(
        "PutKeyPolicy",
        {{"KeyId", key_},
         {"Policy",
          json{{"Version", "2012-10-17"}, {"Statement", {all, some}}}.dump()}});
  }

  static From As(const Caller& caller) { return {.caller = caller}; }

  const std::string key_;
  const Caller bob_ = identity::User(kAccount, "bob");
};

TEST_F(OrganizationTest, AnScpDeniesEvenTheRootOfItsAccount) {
  Organization::Member member;
  member.service_control.Add(Scp({full_access, Denial("kms:Encrypt")}));
  Organize(std::move(member));
  for (const Caller& caller : {From().caller, Root()}) {
    EXPECT_THAT(Encrypt(As(caller)),
                StatusIs(ErrorCode::kAccessDenied,
                         EndsWith("with an explicit deny in a service control "
                                  "policy")));
  }
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", key_}}), IsOk());
}

TEST_F(OrganizationTest, EveryLevelMustAllow) {
  Organization::Member member;
  member.service_control.Add(Scp({full_access}));
  member.service_control.Add(Scp(
      {{{"Effect", "Allow"}, {"Action", "kms:Describe*"}, {"Resource", "*"}}}));
  Organize(std::move(member));
  EXPECT_THAT(Encrypt(), StatusIs(ErrorCode::kAccessDenied,
                                  HasSubstr("no service control policy allows "
                                            "the kms:Encrypt action")));
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", key_}}), IsOk());
}

TEST_F(OrganizationTest, AnScpBoundsItsOwnAccountsPrincipalsOnly) {
  Organization::Member other;
  other.service_control.Add(Scp({full_access, Denial("kms:*")}));
  Organize({}, std::move(other));
  EXPECT_THAT(Encrypt(), IsOk());
}

TEST_F(OrganizationTest, AnRcpDeniesWhoeverAsks) {
  Organization::Member member;
  member.resource_control.Add(Rcp(
      Denial("kms:Encrypt",
             {{"StringNotEquals", {{"aws:PrincipalOrgID", "o-otherorg12"}}}})));
  Organize(std::move(member));
  EXPECT_THAT(Encrypt(),
              StatusIs(ErrorCode::kAccessDenied,
                       EndsWith("with an explicit deny in a resource "
                                "control policy")));
  EXPECT_THAT(Ask("CreateKey", json::object()), IsOk());
}

// AWS Organizations User Guide, "Resources and entities not restricted by
// RCPs".
TEST_F(OrganizationTest, AnRcpLeavesIamAndManagedKeysAlone) {
  Organization::Member member;
  member.resource_control.Add(Rcp(Denial("*")));
  Organize(std::move(member));
  EXPECT_THAT(Ask("GetUser", {{"UserName", "bob"}}, {.service = "IAM"}),
              IsOk());
  From service = {.caller = identity::Service(kAccount, "s3.amazonaws.com")};
  EXPECT_THAT(Ask("Encrypt", {{"KeyId", "alias/aws/s3"}, {"Plaintext", "YQ=="}},
                  service),
              IsOk());
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", "alias/aws/s3"}}), IsOk());
}

TEST_F(OrganizationTest, ConditionsSeeWhereBothAccountsAre) {
  Organize({});
  ASSERT_OK(Put({{"AWS", bob_.arn}},
                {{"StringEquals",
                  {{"aws:PrincipalOrgID", "o-exampleorg1"},
                   {"aws:ResourceOrgID", "o-exampleorg1"},
                   {"aws:ResourceAccount", std::string(kAccount)}}},
                 {"ForAnyValue:StringLike",
                  {{"aws:PrincipalOrgPaths", "o-exampleorg1/r-ab12/*"},
                   {"aws:ResourceOrgPaths", "o-exampleorg1/r-ab12/"}}}}));
  EXPECT_THAT(Encrypt(As(bob_)), IsOk());
  organization() = Organization();
  EXPECT_THAT(Encrypt(As(bob_)), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(OrganizationTest, AnScpMayAskForTheTagsOfAKey) {
  Organization::Member member;
  member.service_control.Add(
      Scp({full_access,
           Denial("kms:Encrypt",
                  {{"StringEquals", {{"aws:ResourceTag/frozen", "yes"}}}})}));
  Organize(std::move(member));
  EXPECT_THAT(Encrypt(), IsOk());
  ASSERT_OK(Ask("TagResource",
                {{"KeyId", key_},
                 {"Tags", {{{"TagKey", "frozen"}, {"TagValue", "yes"}}}}}));
  EXPECT_THAT(Encrypt(), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(OrganizationTest, WhoCanKnowsIt) {
  Organization::Member member;
  member.service_control.Add(Scp({full_access, Denial("kms:Encrypt")}));
  Organize(std::move(member));
  const auto ask = [this](std::string_view action) {
    return Take(Ask("WhoCan",
                    {{"Action", std::string(action)}, {"KeyId", key_}},
                    {.service = "Claviger"}))
        .at("Principals");
  };
  EXPECT_THAT(ask("kms:Encrypt"), testing::IsEmpty());
  EXPECT_THAT(ask("kms:Decrypt"), testing::Not(testing::IsEmpty()));
}

// What only services say of themselves.
class SourceArnTest : public OrganizationTest {
 protected:
  static constexpr std::string_view kTopic =
      "arn:aws:sns:eu-west-1:111122223333:topic";

  static From Service(std::string_view source_arn) {
    return {.caller = identity::Service(kAccount, "sns.amazonaws.com"),
            .source_arn = source_arn};
  }
};

TEST_F(SourceArnTest, AGrantForAServiceHoldsForItsSource) {
  ASSERT_OK(Ask("CreateGrant",
                {{"KeyId", key_},
                 {"GranteeServicePrincipal", "sns.amazonaws.com"},
                 {"RetiringPrincipal", bob_.arn},
                 {"Operations", {"Encrypt"}},
                 {"Constraints", {{"SourceArn", std::string(kTopic)}}}}));
  EXPECT_THAT(Encrypt(Service(kTopic)), IsOk());
  EXPECT_THAT(Encrypt(Service("")), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Encrypt(Service("arn:aws:sns:eu-west-1:111122223333:other")),
              StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(SourceArnTest, AKeyPolicyMayAskForIt) {
  ASSERT_OK(Put({{"Service", "sns.amazonaws.com"}},
                {{"ArnLike", {{"aws:SourceArn", "arn:aws:sns:*:*:top*"}}},
                 {"StringEquals", {{"aws:SourceAccount", "111122223333"}}}}));
  EXPECT_THAT(Encrypt(Service(kTopic)), IsOk());
  // A bucket's ARN names no account: it is that of the service's caller.
  EXPECT_THAT(Encrypt(Service("arn:aws:s3:::bucket")),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Encrypt(Service("arn:aws:sns:eu-west-1:444455556666:topic")),
              StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(SourceArnTest, OtherGlobalKeysAreThere) {
  ASSERT_OK(Put({{"AWS", bob_.arn}},
                {{"StringEquals",
                  {{"aws:Referer", "https://example.com/"},
                   {"kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"},
                   {"kms:CustomerMasterKeyUsage", "ENCRYPT_DECRYPT"}}},
                 {"Bool",
                  {{"aws:PrincipalIsAWSService", "false"},
                   {"aws:ViaAWSService", "false"}}}}));
  From from = As(bob_);
  EXPECT_THAT(Encrypt(from), StatusIs(ErrorCode::kAccessDenied));
  from.referer = "https://example.com/";
  EXPECT_THAT(Encrypt(from), IsOk());
}

class ResetKeyPolicyTest : public OrganizationTest {
 protected:
  base::Result<json> Reset(const From& from) {
    return Ask("ResetKeyPolicy", {{"KeyId", key_}}, from);
  }

  static From Operator() {
    From from = {.service = "Claviger", .door = Door::kUnix};
    from.caller.administrator = true;
    return from;
  }
};

TEST_F(ResetKeyPolicyTest, GivesAKeyBackThatLetsNobodyIn) {
  const std::string nobody =
      R"({"Statement":[{"Effect":"Deny","Principal":"*","Action":"kms:*",)"
      R"("Resource":"*"}]})";
  ASSERT_OK(Ask("PutKeyPolicy", {{"KeyId", key_},
                                 {"Policy", nobody},
                                 {"BypassPolicyLockoutSafetyCheck", true}}));
  EXPECT_THAT(Encrypt(), StatusIs(ErrorCode::kAccessDenied));
  const json reply = Take(Reset(Operator()));
  EXPECT_EQ(reply.at("KeyId"),
            "arn:aws:kms:eu-west-1:111122223333:key/" + key_);
  EXPECT_THAT(Encrypt(), IsOk());
  EXPECT_EQ(CountEvents("ResetKeyPolicy"), 1);
}

TEST_F(ResetKeyPolicyTest, IsForTheOperatorAlone) {
  From administrator = {.service = "Claviger"};
  EXPECT_THAT(Reset(administrator), StatusIs(ErrorCode::kAccessDenied));
  administrator.door = Door::kUnix;
  EXPECT_THAT(Reset(administrator),
              StatusIs(ErrorCode::kAccessDenied, HasSubstr("operator")));
}

}  // namespace
}  // namespace kms::operations
