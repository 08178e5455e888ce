// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "kms/xks/authorization.h"
#include "policy/policy.h"
#include "tests/testlib/status.h"

namespace kms::xks {
namespace {

using base::ErrorCode;
using testlib::StatusIs;

RequestMetadata Alice() {
  return {.principal_arn = "arn:aws:iam::111122223333:user/Alice",
          .kms_request_id = "r",
          .kms_operation = "Decrypt",
          .kms_key_arn = "arn:aws:kms:us-east-1:444455556666:key/k",
          .via_service = {},
          .source_vpc = {},
          .source_vpce = {}};
}

Tenant With(std::string_view statement) {
  auto policy = policy::Policy::Parse(
      policy::PolicyKind::kResource,
      std::string(R"({"Version":"2012-10-17","Statement":)")
          .append(statement)
          .append("}"));
  EXPECT_OK(policy);
  Tenant tenant;
  tenant.settings.name = "t";
  tenant.settings.policy =
      std::make_shared<const policy::Policy>(*std::move(policy));
  return tenant;
}

base::Status Decide(const Tenant& tenant, const RequestMetadata& metadata) {
  Verdict verdict;
  return Authorize(tenant, Operation::kDecrypt, "k", metadata, verdict);
}

TEST(XksAuthorization, WithoutAPolicyWhoCanSignMay) {
  const RequestMetadata metadata = Alice();
  EXPECT_OK(Decide(Tenant(), metadata));
}

TEST(XksAuthorization, WhatThePolicyDoesNotAllowIsDenied) {
  const Tenant tenant =
      With(R"([{"Effect":"Allow","Principal":"*","Action":"xks:Encrypt",)"
           R"("Resource":"*"}])");
  EXPECT_THAT(Decide(tenant, Alice()), StatusIs(ErrorCode::kAccessDenied));
}

TEST(XksAuthorization, WhatItKnowsOfTheRequestCanBeAskedFor) {
  for (const std::string condition :
       {R"({"StringEquals":{"xks:KmsOperation":"Decrypt"}})",
        R"({"StringLike":{"xks:KmsKeyArn":"arn:aws:kms:*:444455556666:*"}})",
        R"({"StringEquals":{"xks:KmsKeyAccount":"444455556666"}})",
        R"({"StringEquals":{"xks:KmsKeyRegion":"us-east-1"}})",
        R"({"StringEquals":{"aws:PrincipalAccount":"111122223333"}})",
        R"({"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/Al*"}})"}) {
    const Tenant tenant =
        With(R"([{"Effect":"Allow","Principal":"*","Action":"xks:Decrypt",)"
             R"("Resource":"arn:aws:xks:::t/k","Condition":)" +
             condition + "}]");
    EXPECT_OK(Decide(tenant, Alice())) << condition;
    RequestMetadata other = Alice();
    other.principal_arn = "arn:aws:iam::999999999999:user/Bob";
    other.kms_operation = "ReEncrypt";
    other.kms_key_arn = "arn:aws:kms:us-west-2:777777777777:key/k";
    EXPECT_THAT(Decide(tenant, other), StatusIs(ErrorCode::kAccessDenied))
        << condition;
  }
}

// A condition on what the KMS did not say does not hold.
TEST(XksAuthorization, WhatIsNotSaidIsNotTrue) {
  for (const std::string key :
       {"xks:KmsViaService", "aws:SourceVpc", "aws:SourceVpce"}) {
    const Tenant tenant =
        With(R"([{"Effect":"Allow","Principal":"*","Action":"xks:*",)"
             R"("Resource":"*","Condition":{"StringLike":{")" +
             key + R"(":"*"}}}])");
    EXPECT_THAT(Decide(tenant, Alice()), StatusIs(ErrorCode::kAccessDenied));
    RequestMetadata said = Alice();
    said.via_service = said.source_vpc = said.source_vpce = "x";
    EXPECT_OK(Decide(tenant, said));
  }
}

TEST(XksAuthorization, ASessionIsOfItsRole) {
  const Tenant tenant = With(R"([{"Effect":"Allow","Principal":{"AWS":)"
                             R"("arn:aws:iam::111122223333:role/Backup"},)"
                             R"("Action":"xks:Decrypt","Resource":"*"}])");
  RequestMetadata session = Alice();
  session.principal_arn =
      "arn:aws:sts::111122223333:assumed-role/Backup/monday";
  EXPECT_OK(Decide(tenant, session));
  session.principal_arn = "arn:aws:sts::111122223333:assumed-role/Other/monday";
  EXPECT_THAT(Decide(tenant, session), StatusIs(ErrorCode::kAccessDenied));
}

// The session does not tell its role's path, nor does every partition bear the
// name "aws"; a path that looks like a session makes none.
TEST(XksAuthorization, ASessionIsToldFromAUserAndFoundInItsPartition) {
  const auto only = [](std::string_view effect, std::string_view arn) {
    return std::string(R"({"Effect":")")
        .append(effect)
        .append(R"(","Principal":{"AWS":")")
        .append(arn)
        .append(R"("},"Action":"*","Resource":"*"})");
  };
  RequestMetadata metadata = Alice();
  metadata.principal_arn =
      "arn:aws:iam::111122223333:user/:assumed-role/Backup/eve";
  const std::string backup = "arn:aws:iam::111122223333:role/Backup";
  EXPECT_THAT(Decide(With("[" + only("Allow", backup) + "]"), metadata),
              StatusIs(ErrorCode::kAccessDenied));

  const std::string everyone =
      R"({"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"})";
  for (const std::string partition : {"aws", "aws-us-gov"}) {
    const std::string role =
        "arn:" + partition + ":iam::111122223333:role/contractors/Temp";
    metadata.principal_arn =
        "arn:" + partition + ":sts::111122223333:assumed-role/Temp/x";
    EXPECT_THAT(
        Decide(With("[" + everyone + "," + only("Deny", role) + "]"), metadata),
        StatusIs(ErrorCode::kAccessDenied))
        << partition;
    EXPECT_OK(Decide(With("[" + only("Allow", role) + "]"), metadata))
        << partition;
    const Tenant by_condition =
        With(R"([{"Effect":"Allow","Principal":"*","Action":"*","Resource":)"
             R"("*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:)" +
             partition + R"(:iam::111122223333:role/Temp"}}}])");
    EXPECT_OK(Decide(by_condition, metadata)) << partition;
  }
}

// Neither is an ARN: XKS proxy API v1.0.3, awsPrincipalArn.
TEST(XksAuthorization, PrincipalsThatAreNoArnsArePossible) {
  const Tenant everyone = With(
      R"([{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}])");
  const Tenant service =
      With(R"([{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},)"
           R"("Action":"*","Resource":"*"}])");
  RequestMetadata metadata = Alice();
  metadata.principal_arn = "ec2.amazonaws.com";
  EXPECT_OK(Decide(service, metadata));
  EXPECT_THAT(Decide(everyone, metadata), StatusIs(ErrorCode::kAccessDenied));
  metadata.principal_arn = "ec2.amazonaws.com.cn";
  EXPECT_THAT(Decide(everyone, metadata), StatusIs(ErrorCode::kAccessDenied));
  metadata.principal_arn = "AWS Internal";
  EXPECT_OK(Decide(everyone, metadata));
  EXPECT_THAT(Decide(service, metadata), StatusIs(ErrorCode::kAccessDenied));
}

TEST(XksAuthorization, ADenialWinsAndIsNamed) {
  const Tenant tenant =
      With(R"([{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},)"
           R"({"Sid":"Never","Effect":"Deny","Principal":"*",)"
           R"("Action":"xks:Decrypt","Resource":"*"}])");
  const RequestMetadata metadata = Alice();
  Verdict verdict;
  EXPECT_THAT(Authorize(tenant, Operation::kDecrypt, "k", metadata, verdict),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_EQ(verdict.decision.sid, "Never");
  EXPECT_EQ(verdict.decision.verdict, policy::Verdict::kExplicitDeny);
}

}  // namespace
}  // namespace kms::xks
