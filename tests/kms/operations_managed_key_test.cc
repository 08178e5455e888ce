// SPDX-License-Identifier: Apache-2.0
// AWS managed keys: how they come into being, and what nobody may do to them.
#include <algorithm>
#include <chrono>

#include "base/bytes.h"
#include "kms/managed_keys.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/intents.h"
#include "kms/operations/policies.h"
#include "kms/operations/rotation.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using std::chrono::days;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::IsOkAndHolds;
using testlib::StatusIs;

constexpr const char* kAlias = "alias/aws/s3";
constexpr const char* kAliasArn =
    "arn:aws:kms:eu-west-1:111122223333:alias/aws/s3";

class ManagedKeyTest : public OperationsTest {
 protected:
  static From Service(std::string_view service = "s3.amazonaws.com") {
    From from;
    from.caller = identity::Service(kAccount, service);
    return from;
  }
  static json DataKey(const std::string& key) {
    return {{"KeyId", key}, {"NumberOfBytes", 16}};
  }
  // The key's id, after its first use.
  std::string MakeKey() {
    const json reply =
        testlib::Take(Ask("DescribeKey", {{"KeyId", kAlias}}, Service()));
    return reply.at("KeyMetadata").at("KeyId");
  }
  json Describe(const std::string& key) {
    return testlib::Take(Ask("DescribeKey", {{"KeyId", key}}))
        .at("KeyMetadata");
  }
  std::size_t CountKeys() {
    return testlib::Take(Ask("ListKeys", json::object())).at("Keys").size();
  }
  static std::string Arn(const std::string& key) {
    return "arn:aws:kms:eu-west-1:111122223333:key/" + key;
  }
};

TEST_F(ManagedKeyTest, ComesIntoBeingOnFirstUse) {
  EXPECT_EQ(CountKeys(), 0U);
  const json made =
      testlib::Take(Ask("GenerateDataKey", DataKey(kAlias), Service()));
  EXPECT_EQ(CountKeys(), 1U);
  const json key = Describe(kAlias);
  EXPECT_EQ(made.at("KeyId"), key.at("Arn"));
  EXPECT_EQ(key.at("KeyManager"), "AWS");
  EXPECT_EQ(key.at("KeyState"), "Enabled");
  EXPECT_EQ(key.at("KeySpec"), "SYMMETRIC_DEFAULT");
  EXPECT_EQ(key.at("AWSAccountId"), kAccount);
  const json opened = testlib::Take(Ask(
      "Decrypt", {{"CiphertextBlob", made.at("CiphertextBlob")}}, Service()));
  EXPECT_EQ(opened.at("Plaintext"), made.at("Plaintext"));
  // From then on it is there, under whichever name.
  EXPECT_OK(
      Ask("Encrypt", {{"KeyId", kAliasArn}, {"Plaintext", "YQ=="}}, Service()));
  EXPECT_OK(Ask("GenerateDataKeyWithoutPlaintext", DataKey(key.at("KeyId")),
                Service()));
  EXPECT_EQ(CountKeys(), 1U);
  EXPECT_THAT(store().ListIntents(), IsOkAndHolds(IsEmpty()));
}

TEST_F(ManagedKeyTest, IsRecordedAsTheServersAct) {
  const std::string id = MakeKey();
  const auto events = Events();
  const auto created = std::ranges::find_if(
      events, [](const json& e) { return e.at("eventName") == "CreateKey"; });
  ASSERT_NE(created, events.end());
  EXPECT_EQ(created->at("eventType"), "AwsServiceEvent");
  EXPECT_EQ(created->at("resources").at(0).at("ARN"), Arn(id));
  EXPECT_EQ(created->at("serviceEventDetails"),
            (json{{"keyId", id},
                  {"aliasName", kAlias},
                  {"managingService", "s3.amazonaws.com"}}));
  const json& use = events.back();
  EXPECT_EQ(use.at("eventName"), "DescribeKey");
  EXPECT_EQ(use.at("userIdentity"), (json{{"type", "AWSService"},
                                          {"accountId", kAccount},
                                          {"invokedBy", "s3.amazonaws.com"}}));
  const json& context = use.at("additionalEventData").at("context");
  EXPECT_EQ(context.at("kms:ViaService"), "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(context.at("kms:CallerAccount"), kAccount);
  EXPECT_EQ(context.at("aws:PrincipalIsAWSService"), "true");
  EXPECT_EQ(context.at("aws:PrincipalServiceName"), "s3.amazonaws.com");
  EXPECT_FALSE(context.contains("aws:PrincipalArn"));
}

TEST_F(ManagedKeyTest, EveryFirstUseMakesIt) {
  const std::string own = NewKey();
  const std::pair<const char*, json> uses[] = {
      {"DescribeKey", {}},
      {"Encrypt", {{"Plaintext", "YQ=="}}},
      {"GenerateDataKey", {{"NumberOfBytes", 16}}},
      {"GenerateDataKeyWithoutPlaintext", {{"KeySpec", "AES_256"}}},
      {"GenerateDataKeyPair", {{"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GenerateDataKeyPairWithoutPlaintext",
       {{"KeyPairSpec", "ECC_NIST_P256"}}},
  };
  int number = 0;
  for (const auto& [operation, members] : uses) {
    const std::string name = "svc" + std::to_string(++number);
    json input = members.is_null() ? json::object() : members;
    input["KeyId"] = "alias/aws/" + name;
    EXPECT_OK(Ask(operation, input, Service(name + ".amazonaws.com")))
        << operation;
  }
  EXPECT_EQ(CountKeys(), 1U + std::size(uses));
}

TEST_F(ManagedKeyTest, IsOneInEachRegion) {
  const std::string here = MakeKey();
  From elsewhere = Service();
  elsewhere.region = "us-east-2";
  const json there =
      testlib::Take(Ask("DescribeKey", {{"KeyId", kAlias}}, elsewhere));
  EXPECT_NE(there.at("KeyMetadata").at("KeyId"), here);
  EXPECT_THAT(there.at("KeyMetadata").at("Arn").get<std::string>(),
              HasSubstr(":us-east-2:"));
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", kAliasArn}}, elsewhere),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(ManagedKeyTest, FirstUsesAtTheSameTimeMakeOneKey) {
  const std::vector<std::pair<std::string, json>> requests(
      6, {"GenerateDataKey", DataKey(kAlias)});
  const auto replies = AskTogether(requests, Service());
  for (const auto& reply : replies) {
    ASSERT_OK(reply);
    EXPECT_EQ(reply->at("KeyId"), replies.front()->at("KeyId"));
  }
  EXPECT_EQ(CountKeys(), 1U);
  EXPECT_THAT(store().ListIntents(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(CountEvents("CreateKey"), 1);
  // Of those that came too late nothing is left on the token.
  const auto key = testlib::Take(
      store().FindKey(Describe(kAlias).at("KeyId").get<std::string>()));
  EXPECT_TRUE(OnToken(key->CurrentMaterial().ref.locator));
}

TEST_F(ManagedKeyTest, WhatACrashLeavesIsSettled) {
  // As a process that was killed after the announcement leaves it.
  ASSERT_OK(Run(AnnounceKey(environment(), key_store(),
                            "01234567-89ab-4cde-8f01-23456789abcd")));
  Restart();
  ASSERT_OK(
      Run(SettleIntents(environment(), key_store(), store().info().epoch)));
  EXPECT_THAT(store().ListIntents(), IsOkAndHolds(IsEmpty()));
  const std::string id = MakeKey();
  Restart();
  EXPECT_EQ(MakeKey(), id);
}

TEST_F(ManagedKeyTest, NothingIsMadeThatIsNotRecorded) {
  log().refuses = true;
  EXPECT_FALSE(Ask("GenerateDataKey", DataKey(kAlias), Service()));
  log().refuses = false;
  EXPECT_OK(Ask("GenerateDataKey", DataKey(kAlias), Service()));
  EXPECT_EQ(CountKeys(), 1U);
}

TEST_F(ManagedKeyTest, OnlyItsOwnServiceMakesIt) {
  const json name = DataKey(kAlias);
  EXPECT_THAT(Ask("GenerateDataKey", name), StatusIs(ErrorCode::kNotFound));
  for (const char* const other : {"sqs.amazonaws.com", "s.amazonaws.com"}) {
    EXPECT_THAT(Ask("GenerateDataKey", name, Service(other)),
                StatusIs(ErrorCode::kNotFound));
  }
  // Its own name, in another account; and other names.
  for (const char* const alias :
       {"arn:aws:kms:eu-west-1:444455556666:alias/aws/s3",
        "arn:aws:kms:us-east-1:111122223333:alias/aws/s3", "alias/s3",
        "alias/aws/s3/x", "alias/aws/S3", "alias/aws/", "alias/aws/sqs"}) {
    EXPECT_FALSE(Ask("GenerateDataKey", DataKey(alias), Service())) << alias;
  }
  EXPECT_EQ(CountKeys(), 0U);
}

TEST_F(ManagedKeyTest, WhatIsNoUseMakesNone) {
  const std::pair<const char*, json> no_uses[] = {
      {"Encrypt", {{"KeyId", kAlias}, {"Plaintext", "YQ=="}, {"DryRun", true}}},
      {"Encrypt", {{"KeyId", kAlias}}},
      {"Sign",
       {{"KeyId", kAlias},
        {"Message", "YQ=="},
        {"SigningAlgorithm", "ECDSA_SHA_256"}}},
      {"GetPublicKey", {{"KeyId", kAlias}}},
      {"GetKeyPolicy", {{"KeyId", kAlias}}},
      {"CreateKey", json::object()},
      {"CreateAlias", {{"AliasName", kAlias}, {"TargetKeyId", kAlias}}},
  };
  for (const auto& [operation, input] : no_uses) {
    EXPECT_FALSE(Ask(operation, input, Service())) << operation;
  }
  EXPECT_EQ(CountKeys(), 0U);
}

TEST_F(ManagedKeyTest, AServiceMayUseItsOwnKeyOnly) {
  const std::string own = NewKey();
  const std::string managed = MakeKey();
  EXPECT_THAT(Ask("GenerateDataKey", DataKey(own), Service()),
              StatusIs(ErrorCode::kAccessDenied,
                       "User: s3.amazonaws.com is not authorized to perform: "
                       "kms:GenerateDataKey on resource: " +
                           Arn(own) +
                           " because no resource-based policy allows the "
                           "kms:GenerateDataKey action"));
  EXPECT_THAT(
      Ask("GenerateDataKey", DataKey(managed), Service("sqs.amazonaws.com")),
      StatusIs(ErrorCode::kAccessDenied));
  // Not even as the target of what it may read.
  const json sealed = testlib::Take(
      Ask("Encrypt", {{"KeyId", managed}, {"Plaintext", "YQ=="}}, Service()));
  EXPECT_THAT(Ask("ReEncrypt",
                  {{"CiphertextBlob", sealed.at("CiphertextBlob")},
                   {"DestinationKeyId", own}},
                  Service()),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Ask("ReEncrypt",
                {{"CiphertextBlob", sealed.at("CiphertextBlob")},
                 {"DestinationKeyId", kAlias}},
                Service()));
  for (const char* const operation :
       {"GetKeyPolicy", "ListGrants", "ListKeyPolicies", "DisableKey",
        "ScheduleKeyDeletion", "GetKeyLastUsage", "RotateKeyOnDemand"}) {
    EXPECT_THAT(Ask(operation, {{"KeyId", managed}}, Service()),
                StatusIs(ErrorCode::kAccessDenied))
        << operation;
  }
  for (const char* const operation : {"ListKeys", "ListAliases", "CreateKey"}) {
    EXPECT_THAT(Ask(operation, json::object(), Service()),
                StatusIs(ErrorCode::kAccessDenied))
        << operation;
  }
  EXPECT_THAT(Ask("GenerateRandom", {{"NumberOfBytes", 8}}, Service()),
              StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(ManagedKeyTest, AServiceMayCreateGrants) {
  // Grant tokens are sealed.
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  const std::string id = MakeKey();
  const json reply = testlib::Take(
      Ask("CreateGrant",
          {{"KeyId", id},
           {"GranteePrincipal", "arn:aws:iam::111122223333:user/u"},
           {"Operations", {"Decrypt"}}},
          Service()));
  const json context = Events().back().at("additionalEventData").at("context");
  EXPECT_EQ(context.at("kms:GrantIsForAWSResource"), "true");
  const json grants = testlib::Take(Ask("ListGrants", {{"KeyId", id}}));
  EXPECT_EQ(grants.at("Grants").at(0).at("GrantId"), reply.at("GrantId"));
  EXPECT_OK(
      Ask("RevokeGrant", {{"KeyId", id}, {"GrantId", reply.at("GrantId")}}));
}

TEST_F(ManagedKeyTest, TheAdministratorCannotUseOrChangeIt) {
  const std::string id = MakeKey();
  const std::string own = NewKey();
  ASSERT_OK(
      Ask("CreateAlias", {{"AliasName", "alias/own"}, {"TargetKeyId", own}}));
  const KeyPtr before = testlib::Take(store().FindKey(id));
  const std::string blob =
      testlib::Take(
          Ask("Encrypt", {{"KeyId", id}, {"Plaintext", "YQ=="}}, Service()))
          .at("CiphertextBlob");
  const std::string policy = DefaultPolicy(kAccount);
  const std::pair<const char*, json> refused[] = {
      {"Encrypt", {{"KeyId", id}, {"Plaintext", "YQ=="}}},
      {"Decrypt", {{"CiphertextBlob", blob}}},
      {"ReEncrypt", {{"CiphertextBlob", blob}, {"DestinationKeyId", own}}},
      {"GenerateDataKey", DataKey(kAlias)},
      {"PutKeyPolicy", {{"KeyId", id}, {"Policy", policy}}},
      {"ScheduleKeyDeletion", {{"KeyId", id}}},
      {"DisableKey", {{"KeyId", id}}},
      {"EnableKey", {{"KeyId", id}}},
      {"EnableKeyRotation", {{"KeyId", id}}},
      {"DisableKeyRotation", {{"KeyId", id}}},
      {"RotateKeyOnDemand", {{"KeyId", id}}},
      {"UpdateKeyDescription", {{"KeyId", id}, {"Description", "mine"}}},
      {"TagResource",
       {{"KeyId", id}, {"Tags", {{{"TagKey", "a"}, {"TagValue", "b"}}}}}},
      {"UntagResource", {{"KeyId", id}, {"TagKeys", {"a"}}}},
      {"CreateAlias", {{"AliasName", "alias/mine"}, {"TargetKeyId", id}}},
      {"UpdateAlias", {{"AliasName", "alias/own"}, {"TargetKeyId", id}}},
      {"CreateGrant",
       {{"KeyId", id},
        {"GranteePrincipal", "arn:aws:iam::111122223333:user/u"},
        {"Operations", {"Decrypt"}}}},
  };
  for (const auto& [operation, input] : refused) {
    EXPECT_THAT(
        Ask(operation, input),
        StatusIs(ErrorCode::kAccessDenied,
                 HasSubstr("because no resource-based policy allows the kms:")))
        << operation;
  }
  const KeyPtr after = testlib::Take(store().FindKey(id));
  EXPECT_EQ(after->policy, before->policy);
  EXPECT_EQ(after->state, KeyState::kEnabled);
  EXPECT_EQ(after->description, before->description);
  EXPECT_EQ(after->materials.size(), 1U);
}

TEST_F(ManagedKeyTest, ItsAliasIsNobodysToMakeMoveOrDelete) {
  const std::string own = NewKey();
  MakeKey();
  for (const char* const name : {kAlias, "alias/aws/new", "alias/aws/"}) {
    EXPECT_THAT(Ask("CreateAlias", {{"AliasName", name}, {"TargetKeyId", own}}),
                StatusIs(ErrorCode::kNotAuthorized, ""));
    EXPECT_THAT(Ask("UpdateAlias", {{"AliasName", name}, {"TargetKeyId", own}}),
                StatusIs(ErrorCode::kNotAuthorized, ""));
    EXPECT_THAT(Ask("DeleteAlias", {{"AliasName", name}}),
                StatusIs(ErrorCode::kNotAuthorized, ""));
  }
}

TEST_F(ManagedKeyTest, TheAdministratorMayLookAtIt) {
  const std::string id = MakeKey();
  EXPECT_EQ(Describe(kAliasArn).at("KeyId"), id);
  const json aliases = testlib::Take(Ask("ListAliases", json::object()));
  ASSERT_EQ(aliases.at("Aliases").size(), 1U);
  EXPECT_EQ(aliases.at("Aliases").at(0).at("AliasName"), kAlias);
  EXPECT_EQ(aliases.at("Aliases").at(0).at("TargetKeyId"), id);
  const json policy = testlib::Take(Ask("GetKeyPolicy", {{"KeyId", id}}));
  EXPECT_EQ(policy.at("Policy"),
            ManagedKeyPolicy("s3.amazonaws.com", kAccount, kRegion));
  EXPECT_EQ(testlib::Take(Ask("ListResourceTags", {{"KeyId", id}})).at("Tags"),
            json::array());
  EXPECT_OK(Ask("ListKeyPolicies", {{"KeyId", id}}));
  EXPECT_OK(Ask("ListKeyRotations", {{"KeyId", id}}));
  EXPECT_OK(Ask("GetKeyLastUsage", {{"KeyId", id}}));
  EXPECT_EQ(Describe(NewKey()).at("KeyManager"), "CUSTOMER");
}

TEST_F(ManagedKeyTest, IsRotatedEveryYear) {
  const std::string id = MakeKey();
  const json sealed = testlib::Take(
      Ask("Encrypt", {{"KeyId", id}, {"Plaintext", "YQ=="}}, Service()));
  const json status =
      testlib::Take(Ask("GetKeyRotationStatus", {{"KeyId", id}}));
  EXPECT_EQ(status.at("KeyRotationEnabled"), true);
  EXPECT_EQ(status.at("RotationPeriodInDays"), 365);
  RotationScheduler scheduler(environment());
  clock_.Advance(days(364));
  ASSERT_OK(Run(scheduler.RunPass()));
  EXPECT_EQ(testlib::Take(store().FindKey(id))->materials.size(), 1U);
  clock_.Advance(days(1));
  ASSERT_OK(Run(scheduler.RunPass()));
  const KeyPtr key = testlib::Take(store().FindKey(id));
  EXPECT_EQ(key->materials.size(), 2U);
  EXPECT_EQ(key->managing_service, "s3.amazonaws.com");
  EXPECT_OK(Ask("Decrypt", {{"CiphertextBlob", sealed.at("CiphertextBlob")}},
                Service()));
}

}  // namespace
}  // namespace kms::operations
