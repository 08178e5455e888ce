// SPDX-License-Identifier: Apache-2.0
// Who may do what with an AWS managed key, apart from any store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kms/authorizer.h"
#include "kms/identity/principals.h"
#include "kms/key_policy.h"
#include "kms/managed_keys.h"
#include "policy/decide.h"
#include "policy/document.h"
#include "tests/testlib/status.h"

namespace kms {
namespace {

using nlohmann::json;
using policy::Verdict;

constexpr std::string_view kAccount = "111122223333";
constexpr std::string_view kS3 = "s3.amazonaws.com";

TEST(ManagedKeysTest, AreNamedForTheirServices) {
  EXPECT_EQ(ManagedKeyAlias(kS3), "alias/aws/s3");
  EXPECT_EQ(ManagedKeyAlias("ec2.amazonaws.com"), "alias/aws/ebs");
  EXPECT_EQ(ViaService(kS3, "eu-west-1"), "s3.eu-west-1.amazonaws.com");
}

TEST(ManagedKeysTest, HaveThePolicyThatAwsGivesThem) {
  const std::string text = ManagedKeyPolicy(kS3, kAccount, "eu-west-1");
  EXPECT_OK(policy::CheckKeyPolicy(text));
  const json policy = json::parse(text);
  EXPECT_EQ(policy.at("Id"), "auto-s3-1");
  const json& use = policy.at("Statement").at(0);
  EXPECT_EQ(use.at("Effect"), "Allow");
  EXPECT_EQ(use.at("Principal"), (json{{"AWS", "*"}}));
  EXPECT_EQ(use.at("Action"), (json{"kms:Encrypt", "kms:Decrypt",
                                    "kms:ReEncrypt*", "kms:GenerateDataKey*",
                                    "kms:CreateGrant", "kms:DescribeKey"}));
  EXPECT_EQ(use.at("Condition"),
            (json{{"StringEquals",
                   {{"kms:CallerAccount", "111122223333"},
                    {"kms:ViaService", "s3.eu-west-1.amazonaws.com"}}}}));
  const json& look = policy.at("Statement").at(1);
  EXPECT_EQ(look.at("Principal"),
            (json{{"AWS", "arn:aws:iam::111122223333:root"}}));
  EXPECT_EQ(look.at("Action"), (json{"kms:Describe*", "kms:Get*", "kms:List*",
                                     "kms:RevokeGrant"}));
}

std::string CustomersPolicy(std::string_view account) {
  return R"({"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*",)"
         R"("Principal":{"AWS":")" +
         std::string(account) + R"("}}]})";
}

class ManagedKeyRulesTest : public testing::Test {
 protected:
  // Of a key of `service`; "" is a customer's.
  Verdict Ask(const Caller& caller, std::string_view action,
              std::string_view service, std::string_view account = kAccount) {
    const policy::Request request = {.action = action,
                                     .resource = "arn:aws:kms:r:a:key/k",
                                     .resource_account = account,
                                     .resource_service = service,
                                     .principal = caller.arn,
                                     .principal_account = caller.account,
                                     .context = {}};
    const PolicyPtr policy = KeyPolicies().Compiled(
        service.empty() ? CustomersPolicy(account)
                        : ManagedKeyPolicy(service, account, "eu-west-1"));
    return rules_
        .Authorize(caller, request, {.resource_policy = policy.get()}, nullptr)
        .verdict;
  }

  const Organization organization_{};
  const PolicyAuthorizer policies_{organization_};
  const ManagedKeyRules rules_{policies_};
  const Caller service_ = identity::Service(kAccount, kS3);
  const Caller administrator_ = identity::Administrator(kAccount);
};

TEST_F(ManagedKeyRulesTest, AServiceUsesItsOwnKeyAndNothingElse) {
  for (const char* const action :
       {"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
        "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext",
        "kms:CreateGrant", "kms:DescribeKey"}) {
    EXPECT_EQ(Ask(service_, action, kS3), Verdict::kAllow) << action;
    for (const std::string_view other :
         {"", "sqs.amazonaws.com", "s3.amazonaws.com.", "s"}) {
      EXPECT_EQ(Ask(service_, action, other), Verdict::kImplicitDeny)
          << action << " " << other;
    }
    EXPECT_EQ(Ask(service_, action, kS3, "444455556666"),
              Verdict::kImplicitDeny)
        << action;
  }
  for (const char* const action :
       {"kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion",
        "kms:DisableKey", "kms:ListGrants", "kms:RevokeGrant", "kms:Sign",
        "kms:EncryptX", "kms:CreateAlias", "kms:RotateKeyOnDemand"}) {
    EXPECT_EQ(Ask(service_, action, kS3), Verdict::kImplicitDeny) << action;
  }
}

TEST_F(ManagedKeyRulesTest, TheAccountLooksAtItsManagedKeysOnly) {
  Caller root = administrator_;
  root.kind = CallerKind::kRoot;
  root.policies = nullptr;
  for (const Caller& caller : {administrator_, root}) {
    for (const char* const action :
         {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
          "kms:ListGrants", "kms:ListResourceTags", "kms:RevokeGrant"}) {
      EXPECT_EQ(Ask(caller, action, kS3), Verdict::kAllow) << action;
      EXPECT_EQ(Ask(caller, action, kS3, "444455556666"),
                Verdict::kImplicitDeny)
          << action;
    }
    for (const char* const action :
         {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey",
          "kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion",
          "kms:DisableKey", "kms:EnableKey", "kms:EnableKeyRotation",
          "kms:DisableKeyRotation", "kms:RotateKeyOnDemand", "kms:TagResource",
          "kms:UntagResource", "kms:UpdateKeyDescription", "kms:CreateAlias",
          "kms:UpdateAlias", "kms:DeleteAlias"}) {
      EXPECT_EQ(Ask(caller, action, kS3), Verdict::kImplicitDeny) << action;
      EXPECT_EQ(Ask(caller, action, ""), Verdict::kAllow) << action;
    }
  }
}

TEST_F(ManagedKeyRulesTest, OtherUsersAreAskedAboutAsEver) {
  const Caller user = identity::User(kAccount, "u");
  EXPECT_EQ(Ask(user, "kms:DescribeKey", kS3), Verdict::kImplicitDeny);
  EXPECT_EQ(Ask(user, "kms:DescribeKey", ""), Verdict::kImplicitDeny);
}

TEST_F(ManagedKeyRulesTest, AServiceWithoutANameIsNobody) {
  Caller nobody = service_;
  nobody.service.clear();
  EXPECT_EQ(Ask(nobody, "kms:Encrypt", ""), Verdict::kImplicitDeny);
}

}  // namespace
}  // namespace kms
