// SPDX-License-Identifier: Apache-2.0
// Keys of one id in several Regions: making them, using them, their roles.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kms/operations/bootstrap.h"
#include "kms/operations/context.h"
#include "tests/kms/operations_multi_region_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testlib::StatusIs;

TEST_F(MultiRegionTest, APrimaryKeySaysWhatItIs) {
  EXPECT_THAT(key_, MatchesRegex("mrk-[0-9a-f]{32}"));
  const json shown = Describe(kHere);
  EXPECT_EQ(shown.at("KeyId"), key_);
  EXPECT_EQ(shown.at("Arn"), ArnIn(kHere));
  EXPECT_EQ(shown.at("KeyState"), "Enabled");
  EXPECT_EQ(shown.at("MultiRegion"), true);
  EXPECT_EQ(shown.at("MultiRegionConfiguration"),
            (json{{"MultiRegionKeyType", "PRIMARY"},
                  {"PrimaryKey", {{"Arn", ArnIn(kHere)}, {"Region", kHere}}},
                  {"ReplicaKeys", json::array()}}));
  EXPECT_TRUE(shown.contains("CurrentKeyMaterialId"));
  EXPECT_FALSE(shown.contains("PendingDeletionWindowInDays"));
  ASSERT_OK_AND_ASSIGN(const json made,
                       Ask("CreateKey", {{"MultiRegion", true}}));
  EXPECT_EQ(made.at("KeyMetadata").at("MultiRegionConfiguration").size(), 3);
  ASSERT_OK_AND_ASSIGN(const json single,
                       Ask("CreateKey", {{"MultiRegion", false}}));
  EXPECT_EQ(single.at("KeyMetadata").at("MultiRegion"), false);
  EXPECT_FALSE(single.at("KeyMetadata").contains("MultiRegionConfiguration"));
}

TEST_F(MultiRegionTest, BeforeThereIsAReplicaTheKeyIsNotThere) {
  EXPECT_THAT(AskOfKey("DescribeKey", kThere),
              StatusIs(ErrorCode::kNotFound,
                       "Key '" + ArnIn(kThere) + "' does not exist"));
  EXPECT_THAT(
      Ask("Decrypt", {{"CiphertextBlob", EncryptIn(kHere, "x")}}, In(kThere)),
      StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", ArnIn(kHere)}}, In(kThere)),
              StatusIs(ErrorCode::kNotFound, "Invalid arn eu-west-1"));
}

TEST_F(MultiRegionTest, AReplicaIsAnsweredAsOneThatIsBeingCreated) {
  testlib::Take(Ask("UpdateKeyDescription",
                    {{"KeyId", key_}, {"Description", "of the primary"}}));
  testlib::Take(Ask(
      "TagResource",
      {{"KeyId", key_}, {"Tags", {{{"TagKey", "here"}, {"TagValue", "1"}}}}}));
  ASSERT_OK_AND_ASSIGN(const json reply, Replicate(kThere));
  EXPECT_EQ(reply.size(), 2);  // No ReplicaTags.
  const json& shown = reply.at("ReplicaKeyMetadata");
  EXPECT_EQ(shown.at("KeyId"), key_);
  EXPECT_EQ(shown.at("Arn"), ArnIn(kThere));
  EXPECT_EQ(shown.at("KeyState"), "Creating");
  EXPECT_EQ(shown.at("Enabled"), false);
  EXPECT_EQ(shown.at("Description"), "");
  EXPECT_FALSE(shown.contains("CurrentKeyMaterialId"));
  EXPECT_EQ(
      shown.at("MultiRegionConfiguration"),
      (json{{"MultiRegionKeyType", "REPLICA"},
            {"PrimaryKey", {{"Arn", ArnIn(kHere)}, {"Region", kHere}}},
            {"ReplicaKeys",
             json::array({{{"Arn", ArnIn(kThere)}, {"Region", kThere}}})}}));
  EXPECT_THAT(reply.at("ReplicaPolicy").get<std::string>(),
              HasSubstr("arn:aws:iam::111122223333:root"));
  // From then on it can be used.
  const json later = Describe(kThere);
  EXPECT_EQ(later.at("KeyState"), "Enabled");
  EXPECT_EQ(later.at("CurrentKeyMaterialId"),
            Describe(kHere).at("CurrentKeyMaterialId"));
  EXPECT_EQ(later.at("MultiRegionConfiguration"),
            shown.at("MultiRegionConfiguration"));
  ASSERT_OK_AND_ASSIGN(const json tags, AskOfKey("ListResourceTags", kThere));
  EXPECT_THAT(tags.at("Tags"), IsEmpty());
}

TEST_F(MultiRegionTest, AReplicaGetsWhatTheRequestGivesIt) {
  const std::string policy =
      R"({"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*",)"
      R"("Resource":"*"}]})";
  const json tags = {{{"TagKey", "b"}, {"TagValue", "2"}},
                     {{"TagKey", "a"}, {"TagValue", ""}}};
  ASSERT_OK_AND_ASSIGN(
      const json reply,
      Replicate(kThere,
                {{"Policy", policy}, {"Description", "d"}, {"Tags", tags}}));
  EXPECT_EQ(reply.at("ReplicaPolicy"), policy);
  EXPECT_EQ(reply.at("ReplicaTags"), tags);
  EXPECT_EQ(Describe(kThere).at("Description"), "d");
  ASSERT_OK_AND_ASSIGN(const json listed, AskOfKey("ListResourceTags", kThere));
  EXPECT_EQ(listed.at("Tags"), tags);
  ASSERT_OK_AND_ASSIGN(const json kept, AskOfKey("GetKeyPolicy", kThere));
  EXPECT_EQ(kept.at("Policy"), policy);
  Restart();
  EXPECT_EQ(Describe(kThere).at("Description"), "d");
}

TEST_F(MultiRegionTest, EveryRegionShowsAllOfThem) {
  ASSERT_OK(Replicate(kThere));
  ASSERT_OK(Replicate(kElsewhere));
  for (const std::string_view region : {kHere, kThere, kElsewhere}) {
    const json shown = Describe(region).at("MultiRegionConfiguration");
    EXPECT_EQ(shown.at("MultiRegionKeyType"),
              region == kHere ? "PRIMARY" : "REPLICA");
    EXPECT_EQ(shown.at("PrimaryKey").at("Arn"), ArnIn(kHere));
    ASSERT_EQ(shown.at("ReplicaKeys").size(), 2);
    EXPECT_EQ(shown.at("ReplicaKeys")[0].at("Arn"), ArnIn(kElsewhere));
    EXPECT_EQ(shown.at("ReplicaKeys")[1].at("Arn"), ArnIn(kThere));
    ASSERT_OK_AND_ASSIGN(const json list,
                         Ask("ListKeys", json::object(), In(region)));
    EXPECT_EQ(list.at("Keys"),
              json::array({{{"KeyId", key_}, {"KeyArn", ArnIn(region)}}}));
  }
}

TEST_F(MultiRegionTest, OnlyAPrimaryKeyIsReplicatedAndOncePerRegion) {
  ASSERT_OK(Replicate(kThere));
  for (const std::string_view region : {kThere, kHere}) {
    EXPECT_THAT(Replicate(region),
                StatusIs(ErrorCode::kAlreadyExists,
                         "Key '" + ArnIn(region) + "' already exists."));
  }
  EXPECT_THAT(Replicate(kElsewhere, json::object(), kThere),
              StatusIs(ErrorCode::kUnsupportedOperation,
                       ArnIn(kThere) + " is not a multi-region primary key."));
  const std::string single = NewKey();
  EXPECT_THAT(
      Replicate(kThere, {{"KeyId", single}}),
      StatusIs(ErrorCode::kUnsupportedOperation,
               ArnIn(kHere, single) + " is not a multi-region primary key."));
  ASSERT_OK(AskOfKey("DisableKey", kHere));
  EXPECT_THAT(Replicate(kElsewhere),
              StatusIs(ErrorCode::kDisabled, ArnIn(kHere) + " is disabled."));
  EXPECT_FALSE(Exists(kElsewhere));
}

TEST_F(MultiRegionTest, RefusesInputThatCannotBe) {
  for (const std::string region :
       {"", "EU-WEST-1", "eu-west-", "here", "eu west 1", "a-b-c-d-1"}) {
    EXPECT_THAT(Replicate(region), StatusIs(ErrorCode::kValidation)) << region;
  }
  EXPECT_THAT(Replicate(kThere, {{"Policy", "{"}}),
              StatusIs(ErrorCode::kMalformedPolicy));
  EXPECT_THAT(
      Replicate(kThere, {{"Tags", {{{"TagKey", "aws:x"}, {"TagValue", ""}}}}}),
      StatusIs(ErrorCode::kTag));
  EXPECT_FALSE(Exists(kThere));
}

// Of two that come together, one makes the replica.
TEST_F(MultiRegionTest, ReplicasOfOneRegionRace) {
  const json input = {{"KeyId", key_}, {"ReplicaRegion", kThere}};
  const auto replies =
      AskTogether({{"ReplicateKey", input}, {"ReplicateKey", input}});
  EXPECT_NE(replies[0].has_value(), replies[1].has_value());
  for (const auto& reply : replies) {
    EXPECT_TRUE(reply || reply.error().code == ErrorCode::kAlreadyExists);
  }
  EXPECT_TRUE(Exists(kThere));
}

TEST_F(MultiRegionTest, ACiphertextOpensInEveryRegion) {
  const std::string early = EncryptIn(kHere, "early");
  ASSERT_OK(Replicate(kThere));
  const std::string late = EncryptIn(kThere, "late");
  EXPECT_EQ(base::Base64Decode(early)->at(2), 2);  // The kind of key.
  for (const std::string_view region : {kHere, kThere}) {
    ExpectOpens(early, "early", region);
    ExpectOpens(late, "late", region);
  }
  ASSERT_OK(AskOfKey("RotateKeyOnDemand", kHere));
  const std::string rotated = EncryptIn(kThere, "rotated");
  for (const std::string_view region : {kHere, kThere}) {
    ExpectOpens(early, "early", region);
    ExpectOpens(late, "late", region);
    ExpectOpens(rotated, "rotated", region);
  }
  // Each Region's key has a state of its own.
  ASSERT_OK(AskOfKey("DisableKey", kThere));
  EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", early}}, In(kThere)),
              StatusIs(ErrorCode::kDisabled, ArnIn(kThere) + " is disabled."));
  ExpectOpens(late, "late", kHere);
}

TEST_F(MultiRegionTest, AnotherKeysCiphertextDoesNotOpen) {
  ASSERT_OK(Replicate(kThere));
  const std::string other = Encrypted(NewPrimary(), "x");
  EXPECT_THAT(
      Ask("Decrypt", {{"CiphertextBlob", other}, {"KeyId", key_}}, In(kThere)),
      StatusIs(ErrorCode::kIncorrectKey));
  EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", other}}, In(kThere)),
              StatusIs(ErrorCode::kAccessDenied));
}

class MultiRegionKindsTest : public MultiRegionTest {
 protected:
  void Replicated(std::string_view spec, std::string_view usage) {
    id_ = NewPrimary({{"KeySpec", spec}, {"KeyUsage", usage}});
    ASSERT_OK(Replicate(kThere, {{"KeyId", id_}}));
  }
  // Asks about the key in one Region.
  json AskIn(std::string_view region, std::string_view operation, json input) {
    input["KeyId"] = id_;
    return testlib::Take(Ask(operation, input, In(region)));
  }

  std::string id_;
};

TEST_F(MultiRegionKindsTest, AMacOfOneRegionVerifiesInAnother) {
  Replicated("HMAC_256", "GENERATE_VERIFY_MAC");
  json input = {{"Message", "YQ=="}, {"MacAlgorithm", "HMAC_SHA_256"}};
  const json mac = AskIn(kHere, "GenerateMac", input);
  input["Mac"] = mac.at("Mac");
  const json verified = AskIn(kThere, "VerifyMac", input);
  EXPECT_EQ(verified.at("MacValid"), true);
  EXPECT_EQ(verified.at("KeyId"), ArnIn(kThere, id_));
}

TEST_F(MultiRegionKindsTest, ASignatureOfOneRegionVerifiesInAnother) {
  Replicated("ECC_NIST_P256", "SIGN_VERIFY");
  EXPECT_EQ(AskIn(kHere, "GetPublicKey", json::object()).at("PublicKey"),
            AskIn(kThere, "GetPublicKey", json::object()).at("PublicKey"));
  json input = {{"Message", "YQ=="}, {"SigningAlgorithm", "ECDSA_SHA_256"}};
  input["Signature"] = AskIn(kThere, "Sign", input).at("Signature");
  EXPECT_EQ(AskIn(kHere, "Verify", input).at("SignatureValid"), true);
}

TEST_F(MultiRegionKindsTest, KeyPairsKeepNoMaterialIdInTheirMetadata) {
  Replicated("ECC_NIST_P256", "KEY_AGREEMENT");
  const json shown = AskIn(kThere, "DescribeKey", json::object());
  EXPECT_FALSE(shown.at("KeyMetadata").contains("CurrentKeyMaterialId"));
  EXPECT_EQ(shown.at("KeyMetadata").at("KeyUsage"), "KEY_AGREEMENT");
}

TEST_F(MultiRegionTest, AliasesAndGrantsAreOfOneRegion) {
  // Grant tokens are sealed.
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  ASSERT_OK(Replicate(kThere));
  const json alias = {{"AliasName", "alias/a"}, {"TargetKeyId", key_}};
  ASSERT_OK(Ask("CreateAlias", alias));
  const auto aliases = [this](std::string_view region) {
    return testlib::Take(AskOfKey("ListAliases", region)).at("Aliases");
  };
  EXPECT_EQ(aliases(kHere)[0].at("TargetKeyId"), key_);
  EXPECT_THAT(aliases(kThere), IsEmpty());
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", "alias/a"}}, In(kThere)),
              StatusIs(ErrorCode::kNotFound));
  ASSERT_OK(Ask("CreateAlias", alias, In(kThere)));
  EXPECT_EQ(aliases(kThere)[0].at("AliasArn"),
            "arn:aws:kms:us-east-1:111122223333:alias/a");

  const json grant = {{"KeyId", key_},
                      {"GranteePrincipal", "arn:aws:iam::111122223333:user/b"},
                      {"Operations", {"Encrypt"}}};
  ASSERT_OK_AND_ASSIGN(const json made, Ask("CreateGrant", grant, In(kThere)));
  EXPECT_THAT(testlib::Take(AskOfKey("ListGrants", kHere)).at("Grants"),
              IsEmpty());
  ASSERT_OK_AND_ASSIGN(const json there, AskOfKey("ListGrants", kThere));
  EXPECT_EQ(there.at("Grants")[0].at("KeyId"), ArnIn(kThere));
  // Nor can it be revoked where it is not.
  const json revoke = {{"KeyId", key_}, {"GrantId", made.at("GrantId")}};
  EXPECT_THAT(Ask("RevokeGrant", revoke), StatusIs(ErrorCode::kNotFound));
  EXPECT_OK(Ask("RevokeGrant", revoke, In(kThere)));
}

TEST_F(MultiRegionTest, UsageIsKnownByRegion) {
  ASSERT_OK(Replicate(kThere));
  EncryptIn(kThere, "x");
  EXPECT_TRUE(testlib::Take(AskOfKey("GetKeyLastUsage", kThere))
                  .contains("KeyLastUsage"));
  EXPECT_FALSE(testlib::Take(AskOfKey("GetKeyLastUsage", kHere))
                   .contains("KeyLastUsage"));
}

TEST_F(MultiRegionTest, RolesAreSwapped) {
  ASSERT_OK(Replicate(kThere));
  ASSERT_OK(Replicate(kElsewhere));
  EXPECT_EQ(testlib::Take(UpdatePrimary(kThere, kHere)), json::object());
  for (int i = 0; i < 2; ++i) {
    for (const std::string_view region : {kHere, kThere, kElsewhere}) {
      const json shown = Describe(region);
      EXPECT_EQ(shown.at("KeyState"), "Enabled");
      const json& roles = shown.at("MultiRegionConfiguration");
      EXPECT_EQ(roles.at("MultiRegionKeyType"),
                region == kThere ? "PRIMARY" : "REPLICA");
      EXPECT_EQ(roles.at("PrimaryKey").at("Arn"), ArnIn(kThere));
      EXPECT_EQ(roles.at("ReplicaKeys").size(), 2);
    }
    Restart();
  }
  // What a primary key alone may do moves along.
  EXPECT_THAT(Replicate("sa-east-1"),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_OK(Replicate("sa-east-1", json::object(), kThere));
  EXPECT_THAT(AskOfKey("RotateKeyOnDemand", kHere),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_OK(AskOfKey("RotateKeyOnDemand", kThere));
}

TEST_F(MultiRegionTest, RolesAreSwappedOnlyWithAReplica) {
  const std::string not_there = "Key '" + ArnIn(kThere) + "' does not exist";
  EXPECT_THAT(UpdatePrimary(kThere, kHere),
              StatusIs(ErrorCode::kNotFound, not_there));
  ASSERT_OK(AskOfKey("DisableKey", kHere));
  EXPECT_THAT(UpdatePrimary(kThere, kHere),
              StatusIs(ErrorCode::kDisabled, ArnIn(kHere) + " is disabled."));
  ASSERT_OK(AskOfKey("EnableKey", kHere));
  EXPECT_THAT(UpdatePrimary(kHere, kHere),
              StatusIs(ErrorCode::kUnsupportedOperation,
                       ArnIn(kHere) + " is not a multi-region replica key."));
  ASSERT_OK(Replicate(kThere));
  EXPECT_THAT(UpdatePrimary(kHere, kThere),
              StatusIs(ErrorCode::kUnsupportedOperation,
                       ArnIn(kThere) + " is not a multi-region primary key."));
  const std::string single = NewKey();
  EXPECT_THAT(Ask("UpdatePrimaryRegion",
                  {{"KeyId", single}, {"PrimaryRegion", kThere}}),
              StatusIs(ErrorCode::kUnsupportedOperation));
  ASSERT_OK(AskOfKey("DisableKey", kThere));
  EXPECT_THAT(UpdatePrimary(kThere, kHere),
              StatusIs(ErrorCode::kDisabled, ArnIn(kThere) + " is disabled."));
  const json shown = Describe(kHere).at("MultiRegionConfiguration");
  EXPECT_EQ(shown.at("MultiRegionKeyType"), "PRIMARY");
}

// What one of them is asked to be, and by which conditions.
class MultiRegionChecksTest : public MultiRegionTest {
 protected:
  struct Question {
    std::string action;
    std::string resource;
    std::map<std::string, std::string> context;
  };

  std::vector<Question> Questions(std::string_view name, json input) {
    input["KeyId"] = key_;
    const Caller caller = identity::Administrator(kAccount);
    const Request request = {.service = "TrentService",
                             .operation = name,
                             .region = kHere,
                             .caller = caller};
    const Operation* const operation = FindOperation("TrentService", name);
    Call call(environment(), request, *operation);
    call.input = std::make_unique<base::Json>(*base::ParseJson(input.dump()));
    testlib::Take(operation->resolve(call));
    std::vector<Question> questions;
    for (const Check& check : call.checks) {
      EXPECT_OK(BuildContext(call, check));
      Question question = {std::string(check.action), check.resource, {}};
      for (const policy::ContextEntry& entry : call.context) {
        question.context[std::string(entry.key)] = entry.value;
      }
      questions.push_back(std::move(question));
    }
    return questions;
  }
};

TEST_F(MultiRegionChecksTest, ReplicateKeyAsksInBothRegions) {
  const auto asked = Questions(
      "ReplicateKey", {{"ReplicaRegion", kThere},
                       {"Tags", {{{"TagKey", "k"}, {"TagValue", "v"}}}}});
  ASSERT_EQ(asked.size(), 3);
  EXPECT_EQ(asked[0].action, "kms:ReplicateKey");
  EXPECT_EQ(asked[0].resource, ArnIn(kHere));
  EXPECT_EQ(asked[0].context.at("aws:RequestedRegion"), kHere);
  EXPECT_EQ(asked[0].context.at("kms:MultiRegionKeyType"), "PRIMARY");
  EXPECT_EQ(asked[1].action, "kms:CreateKey");
  EXPECT_EQ(asked[2].action, "kms:TagResource");
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(asked[i].resource, "*");
    EXPECT_EQ(asked[i].context.at("aws:RequestedRegion"), kThere);
    EXPECT_EQ(asked[i].context.at("kms:MultiRegionKeyType"), "REPLICA");
    EXPECT_EQ(asked[i].context.at("aws:RequestTag/"), "v");
  }
  for (const Question& question : asked) {
    EXPECT_EQ(question.context.at("kms:MultiRegion"), "true");
    EXPECT_EQ(question.context.at("kms:ReplicaRegion"), kThere);
    EXPECT_EQ(question.context.at("kms:KeySpec"), "SYMMETRIC_DEFAULT");
  }
  EXPECT_EQ(Questions("ReplicateKey", {{"ReplicaRegion", kThere}}).size(), 2);
}

TEST_F(MultiRegionChecksTest, UpdatePrimaryRegionAsksForBothKeys) {
  ASSERT_OK(Replicate(kThere));
  const auto asked =
      Questions("UpdatePrimaryRegion", {{"PrimaryRegion", kThere}});
  ASSERT_EQ(asked.size(), 2);
  EXPECT_EQ(asked[0].resource, ArnIn(kHere));
  EXPECT_EQ(asked[0].context.at("kms:MultiRegionKeyType"), "PRIMARY");
  EXPECT_EQ(asked[1].resource, ArnIn(kThere));
  EXPECT_EQ(asked[1].context.at("kms:MultiRegionKeyType"), "REPLICA");
  for (const Question& question : asked) {
    EXPECT_EQ(question.action, "kms:UpdatePrimaryRegion");
    EXPECT_EQ(question.context.at("kms:PrimaryRegion"), kThere);
  }
}

TEST_F(MultiRegionChecksTest, CreateKeyAsksForAPrimaryKey) {
  auto asked = Questions("CreateKey", {{"MultiRegion", true}});
  ASSERT_EQ(asked.size(), 1);
  EXPECT_EQ(asked[0].context.at("kms:MultiRegion"), "true");
  EXPECT_EQ(asked[0].context.at("kms:MultiRegionKeyType"), "PRIMARY");
  asked = Questions("CreateKey", json::object());
  EXPECT_EQ(asked.at(0).context.at("kms:MultiRegion"), "false");
  EXPECT_FALSE(asked[0].context.contains("kms:MultiRegionKeyType"));
}

// Who may not, learns nothing and changes nothing.
TEST_F(MultiRegionTest, OthersMayNeitherReplicateNorSwap) {
  From bob = In(kHere);
  bob.caller = identity::User(kAccount, "bob");
  const json input = {{"KeyId", key_}, {"ReplicaRegion", kThere}};
  EXPECT_THAT(
      Ask("ReplicateKey", input, bob),
      StatusIs(ErrorCode::kAccessDenied,
               HasSubstr("kms:ReplicateKey on resource: " + ArnIn(kHere))));
  EXPECT_FALSE(Exists(kThere));
  ASSERT_OK(Replicate(kThere));
  EXPECT_THAT(Ask("UpdatePrimaryRegion",
                  {{"KeyId", key_}, {"PrimaryRegion", kThere}}, bob),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_EQ(Stored(kHere)->multi_region, MultiRegionType::kPrimary);
}

TEST_F(MultiRegionTest, TheSwapIsRecordedWithBothKeys) {
  ASSERT_OK(Replicate(kThere));
  ASSERT_OK(UpdatePrimary(kThere, kHere));
  const json event = Events().back();
  EXPECT_EQ(event.at("eventName"), "UpdatePrimaryRegion");
  ASSERT_EQ(event.at("resources").size(), 2);
  EXPECT_EQ(event.at("resources")[0].at("ARN"), ArnIn(kHere));
  EXPECT_EQ(event.at("resources")[1].at("ARN"), ArnIn(kThere));
  EXPECT_EQ(CountEvents("ReplicateKey"), 1);
}

}  // namespace
}  // namespace kms::operations
