// SPDX-License-Identifier: Apache-2.0
// CreateGrant, ListGrants, ListRetirableGrants and RevokeGrant.
#include <fmt/format.h>

#include <set>

#include "kms/operations/context.h"
#include "kms/operations/grants.h"
#include "tests/kms/operations_grants_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testlib::StatusIs;
using testlib::Take;

const json service_grant = {
    {"GranteePrincipal", nullptr},
    {"GranteeServicePrincipal", "sns.eu-west-1.amazonaws.com"},
    {"RetiringServicePrincipal", "sqs.eu-west-1.amazonaws.com"},
    {"Constraints", {{"SourceArn", "arn:aws:sns:eu-west-1:111122223333:t"}}}};

TEST_F(GrantsTest, WhatIsCreatedIsListedAndRevoked) {
  const json made = Create();
  EXPECT_EQ(made.size(), 2);
  const std::string id = made.at("GrantId");
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{64}"));
  const json expected = {{"KeyId", Arn()},
                         {"GrantId", id},
                         {"Name", ""},
                         {"CreationDate", 1795342500.0},
                         {"GranteePrincipal", kAlice},
                         {"IssuingAccount", "arn:aws:iam::111122223333:root"},
                         {"Operations", {"Decrypt"}}};
  EXPECT_EQ(List(), json::array({expected}));
  Restart();
  EXPECT_EQ(List(), json::array({expected}));
  EXPECT_EQ(Take(Ask("RevokeGrant", {{"KeyId", Arn()}, {"GrantId", id}})),
            json::object());
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(Ask("RevokeGrant", {{"KeyId", key_}, {"GrantId", id}}),
              StatusIs(ErrorCode::kNotFound, "Grant ID " + id + " not found"));
}

TEST_F(GrantsTest, KeepsWhatItWasAskedFor) {
  const json constraints = {
      {"EncryptionContextSubset", {{"a\"\\", "ü"}, {"A", ""}}},
      {"SourceArn", "arn:aws:s3:eu-west-1:111122223333:b"}};
  Create({{"Name", "a/b:c_d-1"},
          {"RetiringPrincipal", kBob},
          {"Operations",
           {"RetireGrant", "Encrypt", "CreateGrant", "Encrypt", "DescribeKey",
            "ReEncryptTo", "GenerateDataKeyPair"}},
          {"Constraints", constraints}});
  const json grant = List().at(0);
  EXPECT_EQ(grant.at("Name"), "a/b:c_d-1");
  EXPECT_EQ(grant.at("RetiringPrincipal"), kBob);
  EXPECT_EQ(grant.at("Operations"),
            json({"Encrypt", "ReEncryptTo", "CreateGrant", "RetireGrant",
                  "DescribeKey", "GenerateDataKeyPair"}));
  EXPECT_EQ(grant.at("Constraints"), constraints);
}

TEST_F(GrantsTest, MakesAnotherGrantAtEachCallWithoutName) {
  EXPECT_NE(Create().at("GrantId"), Create().at("GrantId"));
  EXPECT_EQ(List().size(), 2);
}

TEST_F(GrantsTest, ANameMakesARepeatedCallReturnTheSameGrant) {
  const json first = Create({{"Name", "n"}});
  const json again = Create({{"Name", "n"}});
  EXPECT_EQ(first.at("GrantId"), again.at("GrantId"));
  EXPECT_NE(first.at("GrantToken"), again.at("GrantToken"));
  // The order in which operations are named does not matter.
  const json two =
      Create({{"Name", "n"}, {"Operations", {"Decrypt", "Encrypt"}}});
  EXPECT_NE(two.at("GrantId"), first.at("GrantId"));
  EXPECT_EQ(Create({{"Name", "n"}, {"Operations", {"Encrypt", "Decrypt"}}})
                .at("GrantId"),
            two.at("GrantId"));
  for (const json& other :
       {json{{"Name", "m"}}, json{{"Name", "n"}, {"GranteePrincipal", kBob}},
        json{{"Name", "n"}, {"RetiringPrincipal", kBob}},
        json{{"Name", "n"},
             {"Constraints", {{"EncryptionContextEquals", json::object()}}}},
        json{{"Name", "n"},
             {"Constraints", {{"EncryptionContextSubset", {{"a", "b"}}}}}}}) {
    EXPECT_NE(Create(other).at("GrantId"), first.at("GrantId")) << other;
  }
  const std::string other_key = NewKey();
  EXPECT_NE(Create({{"Name", "n"}, {"KeyId", other_key}}).at("GrantId"),
            first.at("GrantId"));
  // Once it is gone the name is free.
  ASSERT_OK(
      Ask("RevokeGrant", {{"KeyId", key_}, {"GrantId", first.at("GrantId")}}));
  EXPECT_NE(Create({{"Name", "n"}}).at("GrantId"), first.at("GrantId"));
}

TEST_F(GrantsTest, RefusesPrincipalsThatDoNotFit) {
  const struct {
    json more;
    ErrorCode code;
    std::string_view text;
  } cases[] = {
      {{{"GranteePrincipal", nullptr}},
       ErrorCode::kValidation,
       "Specify GranteePrincipal or GranteeServicePrincipal."},
      {{{"GranteeServicePrincipal", "a.b.c"}},
       ErrorCode::kValidation,
       "Specify either GranteePrincipal or GranteeServicePrincipal, not both."},
      {{{"RetiringPrincipal", kBob}, {"RetiringServicePrincipal", "a.b.c"}},
       ErrorCode::kValidation,
       "Specify either RetiringPrincipal or RetiringServicePrincipal, not "
       "both."},
      {{{"GranteePrincipal", "sns.amazonaws.com"}},
       ErrorCode::kInvalidArn,
       "is not the ARN of a principal"},
      {{{"RetiringPrincipal", "arn:aws:iam::111122223333:group/g"}},
       ErrorCode::kInvalidArn,
       "RetiringPrincipal"},
      {{{"GranteePrincipal", "a b"}}, ErrorCode::kValidation, "pattern"},
      {{{"GranteeServicePrincipal", "a.b"}, {"GranteePrincipal", nullptr}},
       ErrorCode::kValidation,
       "'granteeServicePrincipal' failed to satisfy constraint"},
  };
  for (const auto& [more, code, text] : cases) {
    EXPECT_THAT(TryCreate(more), StatusIs(code, HasSubstr(text))) << more;
  }
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(GrantsTest, AServiceNeedsASourceAndSomebodyWhoRetires) {
  json input = service_grant;
  input.erase("Constraints");
  EXPECT_THAT(TryCreate(input),
              StatusIs(ErrorCode::kValidation, HasSubstr("SourceArn")));
  input = service_grant;
  input.erase("RetiringServicePrincipal");
  EXPECT_THAT(TryCreate(input),
              StatusIs(ErrorCode::kValidation, HasSubstr("RetiringPrincipal")));
  input["RetiringPrincipal"] = kBob;
  EXPECT_OK(TryCreate(input));
  const std::string id = Create(service_grant).at("GrantId");
  const json grant = List({{"GrantId", id}}).at(0);
  EXPECT_EQ(grant.at("GranteePrincipal"), "sns.eu-west-1.amazonaws.com");
  EXPECT_EQ(grant.at("GranteeServicePrincipal"), "sns.eu-west-1.amazonaws.com");
  EXPECT_EQ(grant.at("RetiringServicePrincipal"),
            "sqs.eu-west-1.amazonaws.com");
  EXPECT_EQ(grant.at("Constraints"), service_grant.at("Constraints"));
}

TEST_F(GrantsTest, RefusesOperationsThatDoNotFit) {
  for (const std::string operation :
       {"Sign", "Verify", "GetPublicKey", "GenerateMac", "VerifyMac",
        "DeriveSharedSecret", "Encapsulate", "Decapsulate"}) {
    EXPECT_THAT(
        TryCreate({{"Operations", {"Encrypt", operation}}}),
        StatusIs(ErrorCode::kValidation,
                 "A grant on " + Arn() +
                     ", which has key spec SYMMETRIC_DEFAULT and key usage "
                     "ENCRYPT_DECRYPT, cannot allow " +
                     operation + "."));
  }
  EXPECT_THAT(TryCreate({{"Operations", {"CreateGrant", "CreateGrant"}}}),
              StatusIs(ErrorCode::kValidation,
                       "Grants must not contain only the CreateGrant "
                       "operation."));
  EXPECT_OK(TryCreate({{"Operations", {"CreateGrant", "RetireGrant"}}}));
  EXPECT_THAT(TryCreate({{"Operations", json::array()}}),
              StatusIs(ErrorCode::kValidation,
                       "1 validation error detected: Value at 'operations' "
                       "failed to satisfy constraint: Member must have length "
                       "greater than or equal to 1"));
  for (const std::string operation : {"DisableKey", "decrypt", ""}) {
    EXPECT_THAT(TryCreate({{"Operations", {operation}}}),
                StatusIs(ErrorCode::kValidation,
                         HasSubstr("Value '" + operation +
                                   "' at 'operations.1.member' failed to "
                                   "satisfy constraint: Member must satisfy "
                                   "enum value set: [Decrypt, Encrypt, ")));
  }
}

TEST_F(GrantsTest, RefusesConstraintsThatAreTooMuch) {
  const auto create = [this](const json& constraints) {
    return TryCreate({{"Constraints", constraints}});
  };
  json pairs;
  for (int i = 0; i < 8; ++i) {
    pairs["k" + std::to_string(i)] = "ü";
  }
  EXPECT_OK(create({{"EncryptionContextEquals", pairs}}));
  EXPECT_OK(create({{"EncryptionContextSubset", pairs}}));
  pairs["k8"] = "";
  EXPECT_THAT(create({{"EncryptionContextSubset", pairs}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("at most 8")));
  std::string long_value;
  for (int i = 0; i < 384; ++i) {
    long_value += "ü";
  }
  EXPECT_OK(create({{"EncryptionContextEquals", {{"a", long_value}}}}));
  EXPECT_THAT(create({{"EncryptionContextEquals", {{"a", long_value + "x"}}}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("384 characters")));
  EXPECT_THAT(
      create({{"EncryptionContextEquals", json::object()},
              {"EncryptionContextSubset", {{"a", "b"}}}}),
      StatusIs(ErrorCode::kValidation, "More than one constraint supplied"));
  for (const std::string arn :
       {"arn:aws:s3:eu-west-1:1:bucket", "urn:aws:s3:eu-west-1:111122223333:b",
        "arn:aws:S3:eu-west-1:111122223333:b",
        "arn:aws:s3:eu-west-1:111122223333:"}) {
    EXPECT_THAT(
        create({{"SourceArn", arn}}),
        StatusIs(ErrorCode::kValidation, HasSubstr("'constraints.sourceArn'")))
        << arn;
  }
  EXPECT_THAT(create({{"EncryptionContextEquals", {{"a", 1}}}}),
              StatusIs(ErrorCode::kSerialization));
  EXPECT_THAT(create({{"EncryptionContextEquals", {{"a", nullptr}}}}),
              StatusIs(ErrorCode::kSerialization));
  EXPECT_EQ(List().size(), 3);
}

TEST_F(GrantsTest, ADryRunChecksAndChangesNothing) {
  const std::string id = Create({{"Name", "n"}}).at("GrantId");
  const std::uint64_t revision = store().info().revision;
  const json dry = {{"DryRun", true}};
  EXPECT_THAT(TryCreate(dry), StatusIs(ErrorCode::kDryRun));
  EXPECT_THAT(TryCreate({{"DryRun", true}, {"Name", "n"}}),
              StatusIs(ErrorCode::kDryRun));
  EXPECT_THAT(TryCreate({{"DryRun", true}, {"Operations", {"Sign"}}}),
              StatusIs(ErrorCode::kValidation));
  const json revoke = {{"KeyId", key_}, {"GrantId", id}, {"DryRun", true}};
  EXPECT_THAT(Ask("RevokeGrant", revoke), StatusIs(ErrorCode::kDryRun));
  json absent = revoke;
  absent["GrantId"] = std::string(64, '0');
  EXPECT_THAT(Ask("RevokeGrant", absent), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Ids(List()), ElementsAre(id));
  EXPECT_EQ(store().info().revision, revision);
}

TEST_F(GrantsTest, ADisabledKeyGetsNoGrantsButLosesThem) {
  const std::string id = Create().at("GrantId");
  ASSERT_OK(Ask("DisableKey", {{"KeyId", key_}}));
  EXPECT_THAT(TryCreate(), StatusIs(ErrorCode::kDisabled));
  ASSERT_OK(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}));
  EXPECT_THAT(TryCreate(), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(Ids(List()), ElementsAre(id));
  EXPECT_OK(Ask("RevokeGrant", {{"KeyId", key_}, {"GrantId", id}}));
}

TEST_F(GrantsTest, AKeyHas50000GrantsAtMost) {
  Grant grant;
  grant.key_row_id = key_;
  grant.grantee_principal = kAlice;
  grant.issuing_account = kAccount;
  grant.operations.Add(GrantOperation::kDecrypt);
  ASSERT_OK(
      store().WriteNow([&](store::Transaction& transaction) -> base::Status {
        for (std::uint64_t i = 0; i + 2 < kMaxGrantsPerKey; ++i) {
          grant.id = fmt::format("{:064x}", i);
          RETURN_IF_ERROR(transaction.InsertGrant(grant));
        }
        return base::Status();
      }));
  const json named = Create({{"Name", "n"}});
  Create();
  const std::string text =
      Arn() + " has 50000 grants already, which is the limit.";
  EXPECT_THAT(TryCreate(), StatusIs(ErrorCode::kLimitExceeded, text));
  EXPECT_THAT(TryCreate({{"DryRun", true}}),
              StatusIs(ErrorCode::kLimitExceeded, text));
  EXPECT_EQ(Create({{"Name", "n"}}).at("GrantId"), named.at("GrantId"));
  EXPECT_OK(TryCreate({{"KeyId", NewKey()}}));
}

TEST_F(GrantsTest, PagesGiveEveryGrantOnce) {
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) {
    made.insert(Create().at("GrantId"));
  }
  std::vector<std::string> seen;
  json input = {{"KeyId", key_}, {"Limit", 2}};
  for (int page = 0; page < 3; ++page) {
    const json reply = Take(Ask("ListGrants", input));
    for (const std::string& id : Ids(reply.at("Grants"))) {
      seen.push_back(id);
    }
    EXPECT_EQ(reply.at("Truncated"), page < 2);
    EXPECT_EQ(reply.contains("NextMarker"), page < 2);
    if (page < 2) {
      input["Marker"] = reply.at("NextMarker");
    }
  }
  EXPECT_EQ(seen, std::vector<std::string>(made.begin(), made.end()));
  EXPECT_THAT(Ask("ListRetirableGrants", {{"RetiringPrincipal", kBob},
                                          {"Marker", input.at("Marker")}}),
              StatusIs(ErrorCode::kInvalidMarker));
  EXPECT_THAT(Ask("ListGrants", {{"KeyId", key_}, {"Limit", 101}}),
              StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(
      Ask("ListRetirableGrants", {{"RetiringPrincipal", kBob}, {"Limit", 101}}),
      StatusIs(ErrorCode::kValidation));
}

TEST_F(GrantsTest, ListsByGrantAndByGrantee) {
  const std::string alice = Create().at("GrantId");
  const std::string bob = Create({{"GranteePrincipal", kBob}}).at("GrantId");
  const std::string service = Create(service_grant).at("GrantId");
  const auto ids = [this](const json& input) { return Ids(List(input)); };
  EXPECT_THAT(ids({{"GranteePrincipal", kAlice}}), ElementsAre(alice));
  EXPECT_THAT(ids({{"GranteePrincipal", kBob}}), ElementsAre(bob));
  EXPECT_THAT(ids({{"GranteeServicePrincipal", "sns.eu-west-1.amazonaws.com"}}),
              ElementsAre(service));
  EXPECT_THAT(ids({{"GrantId", bob}}), ElementsAre(bob));
  EXPECT_THAT(ids({{"GrantId", bob}, {"GranteePrincipal", kAlice}}), IsEmpty());
  EXPECT_THAT(ids({{"GrantId", std::string(64, 'a')}}), IsEmpty());
  EXPECT_THAT(Ask("ListGrants", {{"KeyId", key_},
                                 {"GranteePrincipal", kAlice},
                                 {"GranteeServicePrincipal", "a.b.c"}}),
              StatusIs(ErrorCode::kValidation));
  for (const std::string& bad : {std::string("x"), std::string(64, 'A'),
                                 std::string(63, '0'), std::string(65, '0')}) {
    for (const char* const operation : {"ListGrants", "RevokeGrant"}) {
      EXPECT_THAT(Ask(operation, {{"KeyId", key_}, {"GrantId", bad}}),
                  StatusIs(ErrorCode::kInvalidGrantId));
    }
  }
}

TEST_F(GrantsTest, ListsRetirableGrantsOfAllKeysOfTheRegion) {
  const std::string one = Create({{"RetiringPrincipal", kBob}}).at("GrantId");
  const std::string two =
      Create({{"RetiringPrincipal", kBob}, {"KeyId", NewKey()}}).at("GrantId");
  Create({{"RetiringPrincipal", kAlice}});
  const std::string service = Create(service_grant).at("GrantId");
  const auto list = [this](const json& input, const From& from = {}) {
    return Ask("ListRetirableGrants", input, from);
  };
  EXPECT_THAT(Ids(Take(list({{"RetiringPrincipal", kBob}})).at("Grants")),
              testing::UnorderedElementsAre(one, two));
  EXPECT_THAT(Take(list({{"RetiringPrincipal", kBob}}, {.region = "us-east-1"}))
                  .at("Grants"),
              IsEmpty());
  const json by_service = {
      {"RetiringServicePrincipal", "sqs.eu-west-1.amazonaws.com"}};
  EXPECT_THAT(Ids(Take(list(by_service)).at("Grants")), ElementsAre(service));
  EXPECT_THAT(Take(list(by_service, Stranger())).at("Grants"), IsEmpty());
  EXPECT_THAT(list(json::object()), StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(list({{"RetiringPrincipal", "x"}}),
              StatusIs(ErrorCode::kInvalidArn));
  EXPECT_THAT(list({{"RetiringPrincipal", kBob}}, Stranger()),
              StatusIs(ErrorCode::kAccessDenied, HasSubstr(kBob)));
}

// A policy may want an encryption context in the constraint: one beside it is
// none.
TEST_F(GrantsTest, MembersThatItDoesNotTakeAreNoConditions) {
  Create({{"EncryptionContext", {{"dept", "x"}}},
          {"Tags", {{{"TagKey", "k"}, {"TagValue", "v"}}}},
          {"PendingWindowInDays", 7}});
  const json context = Events().back().at("additionalEventData").at("context");
  for (const char* const key :
       {"kms:EncryptionContext:dept", "aws:RequestTag/k",
        "kms:ScheduleKeyDeletionPendingWindowInDays"}) {
    EXPECT_FALSE(context.contains(key)) << key;
  }
  // And DryRun is one of the operations that have it only.
  EXPECT_OK(Ask("DisableKey", {{"KeyId", key_}, {"DryRun", true}}));
}

TEST_F(GrantsTest, OperationsAreAConditionOfManyValues) {
  const Caller caller = identity::Administrator(kAccount);
  const Request request = {.service = "TrentService",
                           .operation = "CreateGrant",
                           .body = "",
                           .region = kRegion,
                           .caller = caller,
                           .source_address = "192.0.2.7",
                           .user_agent = "",
                           .request_id = ""};
  Call call(environment(), request,
            *FindOperation("TrentService", "CreateGrant"));
  call.input = std::make_unique<base::Json>(Take(base::ParseJson(
      R"({"Operations":["Encrypt","Decrypt"],)"
      R"("GranteeServicePrincipal":"a.b.c","RetiringServicePrincipal":"d.e.f",)"
      R"("Constraints":{"EncryptionContextEquals":{"x":"1","y":"2"}}})")));
  EXPECT_OK(BuildContext(
      call, {"kms:CreateGrant", Arn(), std::string(kAccount), {}}));
  const auto values = [&call](std::string_view key) {
    std::vector<std::string> found;
    for (const policy::ContextEntry& entry : call.context) {
      if (entry.key == key) {
        found.push_back(std::string(entry.suffix) + std::string(entry.value));
      }
    }
    return found;
  };
  EXPECT_THAT(values("kms:GrantOperations"), ElementsAre("Encrypt", "Decrypt"));
  EXPECT_THAT(values("kms:EncryptionContextKeys"), ElementsAre("x", "y"));
  EXPECT_THAT(values("kms:EncryptionContext:"), ElementsAre("x1", "y2"));
  EXPECT_THAT(values("kms:GrantConstraintType"),
              ElementsAre("EncryptionContextEquals"));
  EXPECT_THAT(values("kms:GranteeServicePrincipal"), ElementsAre("a.b.c"));
  EXPECT_THAT(values("kms:RetiringServicePrincipal"), ElementsAre("d.e.f"));
  EXPECT_THAT(values("kms:GrantIsForAWSResource"), ElementsAre("false"));
  EXPECT_THAT(values("kms:GranteePrincipal"), IsEmpty());
  EXPECT_THAT(values("kms:GrantConstraintSourceArn"), IsEmpty());
}

TEST_F(GrantsTest, OnlyTheAdministratorMayCreateListAndRevoke) {
  const std::string id = Create().at("GrantId");
  const From alice = Somebody("alice");
  EXPECT_THAT(TryCreate({}, alice), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(TryCreate({{"KeyId", Arn()}}, Stranger()),
              StatusIs(ErrorCode::kAccessDenied));
  for (const char* const operation : {"ListGrants", "RevokeGrant"}) {
    EXPECT_THAT(Ask(operation, {{"KeyId", key_}, {"GrantId", id}}, alice),
                StatusIs(ErrorCode::kAccessDenied));
  }
  EXPECT_THAT(Ids(List()), ElementsAre(id));
}

TEST_F(GrantsTest, ADeletedKeyTakesItsGrantsAlong) {
  const std::string id = Create({{"RetiringPrincipal", kBob}}).at("GrantId");
  ASSERT_OK(store().WriteNow([this](store::Transaction& transaction) {
    return transaction.DeleteKey(key_);
  }));
  EXPECT_THAT(store().FindGrant(id), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Take(Ask("ListRetirableGrants", {{"RetiringPrincipal", kBob}}))
                  .at("Grants"),
              IsEmpty());
}

TEST_F(GrantsTest, RecordsTheConditionsAndTheGrant) {
  const std::string id =
      Create({{"RetiringPrincipal", kBob},
              {"Operations", {"Encrypt", "Decrypt"}},
              {"Constraints",
               {{"EncryptionContextSubset", {{"dept", "x"}}},
                {"SourceArn", "arn:aws:s3:eu-west-1:111122223333:b"}}}})
          .at("GrantId");
  const json event = Events().back();
  EXPECT_EQ(event.at("eventName"), "CreateGrant");
  EXPECT_EQ(event.at("responseElements"), json({{"grantId", id}}));
  EXPECT_EQ(event.at("requestParameters").at("operations"),
            json({"Encrypt", "Decrypt"}));
  const json& context = event.at("additionalEventData").at("context");
  EXPECT_EQ(context.at("kms:GranteePrincipal"), kAlice);
  EXPECT_EQ(context.at("kms:RetiringPrincipal"), kBob);
  EXPECT_EQ(context.at("kms:GrantConstraintType"), "EncryptionContextSubset");
  EXPECT_EQ(context.at("kms:EncryptionContext:dept"), "x");
  EXPECT_EQ(context.at("kms:GrantConstraintSourceArn"),
            "arn:aws:s3:eu-west-1:111122223333:b");
  EXPECT_EQ(context.at("kms:GrantIsForAWSResource"), "false");
  ASSERT_OK(Ask("RevokeGrant", {{"KeyId", key_}, {"GrantId", id}}));
  EXPECT_EQ(Events().back().at("requestParameters").at("grantId"), id);
}

}  // namespace
}  // namespace kms::operations
