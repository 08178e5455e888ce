// SPDX-License-Identifier: Apache-2.0
// Why a request was decided so, would be, or would be under another policy.
#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kms/operations/bootstrap.h"
#include "kms/operations/identities.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testlib::StatusIs;
using testlib::Take;

constexpr std::string_view kRole = "arn:aws:iam::111122223333:role/bob";

json Statement(std::string_view effect, const json& action,
               const json& more = json::object()) {
  json statement = {{"Effect", effect}, {"Action", action}, {"Resource", "*"}};
  statement.update(more);
  return statement;
}
std::string Document(const std::vector<json>& statements) {
  return json{{"Version", "2012-10-17"}, {"Statement", statements}}.dump();
}
json Account() {
  return Statement(
      "Allow", "kms:*",
      {{"Principal", {{"AWS", "arn:aws:iam::111122223333:root"}}}});
}
json For(const std::string& arn) { return {{"Principal", {{"AWS", arn}}}}; }

class ExplainTest : public OperationsTest {
 protected:
  ExplainTest() {
    Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
    Take(Run(LoadIdentities(environment())));
  }

  // As the directory has them.
  Caller Known(std::string_view name) {
    return *environment().directory.current()->UserCaller(kAccount, name);
  }
  std::string Arn() const {
    return "arn:aws:kms:eu-west-1:111122223333:key/" + key_;
  }
  void Change(const std::function<base::Status(store::Identities&)>& change) {
    Take(store().WriteNow([&](store::Transaction& transaction) {
      return change(transaction.identities());
    }));
    Take(Run(LoadIdentities(environment())));
  }
  void PutPolicy(const std::string& entity,
                 const std::vector<json>& statements) {
    Change([&](store::Identities& identities) {
      return identities.PutDocument(entity, {"test", Document(statements), {}});
    });
  }
  void PutKeyPolicy(const std::vector<json>& statements) {
    Take(Ask("PutKeyPolicy", {{"KeyId", key_},
                              {"Policy", Document(statements)},
                              {"BypassPolicyLockoutSafetyCheck", true}}));
  }

  base::Result<json> Own(
      std::string_view operation, const json& input,
      const Caller& caller = identity::Administrator(kAccount)) {
    return Ask(operation, input, {.caller = caller, .service = "Claviger"});
  }
  // What a request that was just made is explained by.
  json ExplainLast() {
    const json event = Events().back();
    json reply = Take(Own("Explain", {{"EventId", event.at("eventID")}}));
    EXPECT_EQ(reply.at("EventName"), event.at("eventName"));
    EXPECT_EQ(reply.at("Recorded"),
              event.at("additionalEventData").at("decision"));
    EXPECT_EQ(reply.at("PoliciesAreOf"), "now");
    return reply;
  }
  // The same of one check, whose policies have not changed since.
  json CheckOfLast() {
    const json reply = ExplainLast();
    EXPECT_EQ(reply.at("Differs"), false) << reply.dump(1);
    EXPECT_THAT(reply.at("Notes"), IsEmpty());
    EXPECT_EQ(reply.at("Checks").size(), 1U);
    return reply.at("Checks").at(0);
  }
  base::Result<json> Encrypt(const Caller& caller,
                             const json& context = json::object()) {
    return Ask("Encrypt",
               {{"KeyId", key_},
                {"Plaintext", "YQ=="},
                {"EncryptionContext", context}},
               {.caller = caller});
  }
  // The members of a decision that policies give.
  static void ExpectDecision(const json& check, std::string_view verdict,
                             std::string_view layer, std::string_view sid) {
    const json& decision = check.at("decision");
    EXPECT_EQ(decision.at("verdict"), verdict) << check.dump(1);
    EXPECT_EQ(decision.at("layer"), layer);
    EXPECT_EQ(decision.at("sid"), sid);
  }

  const Caller alice_ = identity::User(kAccount, "alice");
  const std::string key_ = NewKey();
};

TEST_F(ExplainTest, WhatTheKeyPolicyDoesNotAllow) {
  PutKeyPolicy({Statement("Allow", "kms:*", For(alice_.arn))});
  EXPECT_FALSE(Encrypt(identity::Administrator(kAccount)).has_value());
  const json check = CheckOfLast();
  ExpectDecision(check, "ImplicitDeny", "resource-based policy", "");
  EXPECT_EQ(check.at("request").at("action"), "kms:Encrypt");
  EXPECT_EQ(check.at("request").at("resource"), Arn());
  const json& statement = check.at("statements").at(0);
  EXPECT_EQ(statement.at("outcome"), "principal");
}

TEST_F(ExplainTest, WhatIdentityPoliciesDoNotAllow) {
  PutPolicy(alice_.principal_id, {Statement("Allow", "kms:Decrypt")});
  EXPECT_FALSE(Encrypt(Known("alice")).has_value());
  const json check = CheckOfLast();
  ExpectDecision(check, "ImplicitDeny", "identity-based policy", "");
  EXPECT_EQ(check.at("statements").at(0).at("outcome"), "matched");
  EXPECT_EQ(check.at("statements").at(1).at("outcome"), "action");
}

TEST_F(ExplainTest, WhatAStatementDeniesByName) {
  PutKeyPolicy({Account(), Statement("Deny", "kms:Encrypt",
                                     {{"Sid", "Never"}, {"Principal", "*"}})});
  EXPECT_FALSE(Encrypt(identity::Administrator(kAccount)).has_value());
  ExpectDecision(CheckOfLast(), "ExplicitDeny", "resource-based policy",
                 "Never");
}

TEST_F(ExplainTest, TheConditionThatDidNotHoldWithTheActualValue) {
  json only_a = For(alice_.arn);
  only_a["Condition"] = {
      {"StringEquals", {{"kms:EncryptionContext:tenant", "a"}}},
      {"ForAllValues:StringEquals",
       {{"kms:EncryptionContextKeys", {"tenant"}}}}};
  PutKeyPolicy({Account(), Statement("Allow", "kms:Encrypt", only_a)});
  EXPECT_FALSE(Encrypt(Known("alice"), {{"tenant", "b"}}).has_value());
  json check = CheckOfLast();
  json condition = check.at("statements").at(1).at("condition");
  EXPECT_EQ(condition.at("key"), "kms:EncryptionContext:tenant");
  EXPECT_EQ(condition.at("values"), json({"a"}));
  EXPECT_EQ(condition.at("actual"), json({"b"}));
  // Keys that the record leaves out follow from others.
  EXPECT_FALSE(
      Encrypt(Known("alice"), {{"tenant", "a"}, {"x", "y"}}).has_value());
  check = CheckOfLast();
  condition = check.at("statements").at(1).at("condition");
  EXPECT_EQ(condition.at("key"), "kms:EncryptionContextKeys");
  EXPECT_EQ(condition.at("actual"), json({"tenant", "x"}));
  EXPECT_OK(Encrypt(Known("alice"), {{"tenant", "a"}}));
  ExpectDecision(CheckOfLast(), "Allow", "resource-based policy", "");
}

TEST_F(ExplainTest, ABoundary) {
  Change([&](store::Identities& identities) -> base::Status {
    Entity policy;
    policy.id = "ANPABOUNDARY234567234";
    policy.kind = EntityKind::kPolicy;
    policy.account = kAccount;
    policy.name = "bound";
    policy.default_version = "v1";
    RETURN_IF_ERROR(identities.InsertEntity(policy));
    RETURN_IF_ERROR(identities.PutDocument(
        policy.id, {"v1", Document({Statement("Allow", "kms:List*")}), {}}));
    Entity alice =
        Take(identities.GetEntity(kAccount, EntityKind::kUser, "alice"));
    alice.boundary = policy.Arn();
    return identities.UpdateEntity(alice);
  });
  PutPolicy(alice_.principal_id, {Statement("Allow", "kms:*")});
  EXPECT_FALSE(Encrypt(Known("alice")).has_value());
  ExpectDecision(CheckOfLast(), "ImplicitDeny", "permissions boundary", "");
}

TEST_F(ExplainTest, AGrantThatAllows) {
  const json made =
      Take(Ask("CreateGrant",
               {{"KeyId", key_},
                {"GranteePrincipal", alice_.arn},
                {"Operations", {"Encrypt"}},
                {"Constraints", {{"EncryptionContextSubset", {{"t", "a"}}}}}}));
  EXPECT_OK(Encrypt(Known("alice"), {{"t", "a"}}));
  json check = CheckOfLast();
  ExpectDecision(check, "Allow", "grant", std::string(made.at("GrantId")));
  EXPECT_EQ(check.at("grants"),
            json({{{"id", made.at("GrantId")}, {"outcome", "matched"}}}));
  EXPECT_FALSE(Encrypt(Known("alice")).has_value());
  check = CheckOfLast();
  EXPECT_EQ(check.at("grants"),
            json({{{"id", made.at("GrantId")}, {"outcome", "constraint"}}}));
}

TEST_F(ExplainTest, ThatPoliciesAreOfNow) {
  EXPECT_FALSE(Encrypt(Known("alice")).has_value());
  const json denied = Events().back();
  PutPolicy(alice_.principal_id, {Statement("Allow", "kms:*")});
  const json reply = Take(Own("Explain", {{"EventId", denied.at("eventID")}}));
  EXPECT_EQ(reply.at("Differs"), true);
  EXPECT_EQ(reply.at("Recorded").at("verdict"), "ImplicitDeny");
  ExpectDecision(reply.at("Checks").at(0), "Allow", "identity-based policy",
                 "");
}

TEST_F(ExplainTest, EveryCheckOfARequest) {
  const std::string blob = Encrypted(key_, "text");
  const std::string other = NewKey();
  json to = For(alice_.arn);
  to["Condition"] = {{"StringEquals", {{"kms:EncryptionContext:to", "1"}}}};
  Take(Ask(
      "PutKeyPolicy",
      {{"KeyId", other},
       {"Policy",
        Document({Account(), Statement("Allow", "kms:ReEncryptTo", to)})}}));
  EXPECT_FALSE(Ask("ReEncrypt",
                   {{"CiphertextBlob", blob},
                    {"DestinationKeyId", other},
                    {"DestinationEncryptionContext", {{"to", "1"}}}},
                   {.caller = Known("alice")})
                   .has_value());
  const json event = Events().back();
  const json& data = event.at("additionalEventData");
  EXPECT_EQ(data.at("decision").at("check"), 0);
  EXPECT_EQ(data.at("checks").at(1).at("action"), "kms:ReEncryptTo");
  const json reply = ExplainLast();
  ASSERT_EQ(reply.at("Checks").size(), 2U);
  ExpectDecision(reply.at("Checks").at(0), "ImplicitDeny",
                 "identity-based policy", "");
  ExpectDecision(reply.at("Checks").at(1), "Allow", "resource-based policy",
                 "");
  EXPECT_EQ(reply.at("Checks").at(1).at("request").at("context").at(
                "kms:ReEncryptOnSameKey"),
            "false");
  EXPECT_FALSE(Ask("CreateAlias",
                   {{"AliasName", "alias/new"}, {"TargetKeyId", key_}},
                   {.caller = Known("alice")})
                   .has_value());
  EXPECT_THAT(std::string(ExplainLast().at("Checks").at(0).at("request").at(
                  "resource")),
              HasSubstr(":alias/new"));
}

TEST_F(ExplainTest, OperationsWithoutAKeyAndOfOtherServices) {
  EXPECT_OK(Ask("ListKeys", json::object()));
  ExpectDecision(CheckOfLast(), "Allow", "identity-based policy", "");
  EXPECT_OK(Ask("CreateKey",
                {{"Tags", {{{"TagKey", "team"}, {"TagValue", "blue"}}}}}));
  const json created = ExplainLast();
  EXPECT_EQ(created.at("Differs"), false);
  EXPECT_EQ(created.at("Checks").at(0).at("request").at("action"),
            "kms:CreateKey");
  EXPECT_EQ(
      created.at("Checks").at(1).at("request").at("context").at("aws:TagKeys"),
      json({"team"}));
  EXPECT_OK(Ask("AssumeRole", {{"RoleArn", kRole}, {"RoleSessionName", "job"}},
                {.service = "STS"}));
  EXPECT_EQ(ExplainLast().at("Differs"), false);
  EXPECT_OK(Own("Explain", {{"EventId", Events().back().at("eventID")}}));
  const json check = CheckOfLast();
  EXPECT_EQ(check.at("request").at("action"), "claviger:Explain");
}

TEST_F(ExplainTest, SaysWhatItDoesNotKnow) {
  EXPECT_FALSE(Ask("DescribeKey", {{"KeyId", "alias/none"}}).has_value());
  const json failed =
      Take(Own("Explain", {{"EventId", Events().back().at("eventID")}}));
  EXPECT_THAT(failed.at("Checks"), IsEmpty());
  EXPECT_THAT(std::string(failed.at("Notes").at(0)),
              HasSubstr("NotFoundException"));
  EXPECT_FALSE(Encrypt(Known("alice")).has_value());
  Change([&](store::Identities& identities) {
    return identities.DeleteEntity(alice_.principal_id);
  });
  const json gone = ExplainLast();
  EXPECT_THAT(std::string(gone.at("Notes").at(0)), HasSubstr("is gone"));
  ExpectDecision(gone.at("Checks").at(0), "ImplicitDeny",
                 "identity-based policy", "");
}

TEST_F(ExplainTest, IsOfTheCallersOwnAccount) {
  const json event = Events().back();
  const Caller stranger = identity::Administrator(kOtherAccount);
  const json id = {{"EventId", event.at("eventID")}};
  EXPECT_THAT(Own("Explain", id, stranger), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(
      Own("Explain", {{"EventId", "5c2e4a5e-0000-4000-8000-000000000009"}}),
      StatusIs(ErrorCode::kNotFound, HasSubstr("There is no event")));
  Caller operator_call = stranger;
  operator_call.administrator = true;
  EXPECT_OK(Own("Explain", id, operator_call));
  EXPECT_THAT(
      Own("WhoCan", {{"Action", "kms:Sign"}, {"KeyId", Arn()}}, stranger),
      StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(
      Own("SimulatePolicy",
          {{"Action", "kms:Sign"}, {"PrincipalArn", alice_.arn}}, stranger),
      StatusIs(ErrorCode::kAccessDenied));
}

// Whoever is denied by another account does not get its policies read out.
TEST_F(ExplainTest, ShowsNothingOfAnotherAccountsResource) {
  PutKeyPolicy(
      {Account(),
       Statement("Deny", "kms:Encrypt",
                 {{"Sid", "Secret"},
                  {"Principal", "*"},
                  {"Condition",
                   {{"StringNotEquals", {{"aws:ResourceTag/t", "hush"}}}}}})});
  const Caller stranger = identity::Administrator(kOtherAccount);
  EXPECT_THAT(
      Ask("Encrypt", {{"KeyId", Arn()}, {"Plaintext", "YQ=="}},
          {.caller = stranger}),
      StatusIs(ErrorCode::kAccessDenied, Not(HasSubstr("explicit deny"))));
  const json id = Events().back().at("eventID");
  const json reply = Take(Own("Explain", {{"EventId", id}}, stranger));
  for (const char* const secret : {"Secret", "hush", "ExplicitDeny"}) {
    EXPECT_THAT(reply.dump(), Not(HasSubstr(secret)));
  }
  ExpectDecision(reply.at("Checks").at(0), "ImplicitDeny",
                 "resource-based policy", "");
  EXPECT_THAT(reply.at("Notes").dump(), HasSubstr("account 111122223333"));
  Caller owner = identity::Administrator(kAccount);
  owner.administrator = true;
  EXPECT_THAT(Take(Own("Explain", {{"EventId", id}}, owner)).dump(),
              HasSubstr("Secret"));
}

TEST_F(ExplainTest, IsForWhomItIsAllowedOnly) {
  EXPECT_FALSE(Encrypt(Known("alice")).has_value());
  const json id = {{"EventId", Events().back().at("eventID")}};
  const json action = {{"Action", "kms:Encrypt"}, {"KeyId", key_}};
  json simulate = action;
  simulate["PrincipalArn"] = alice_.arn;
  const json replay = {{"KeyId", "alias/none"},
                       {"NewPolicy", Document({Account()})},
                       {"Since", 0}};
  const std::vector<std::pair<std::string_view, json>> calls = {
      {"Explain", id},
      {"WhoCan", action},
      {"SimulatePolicy", simulate},
      {"ReplayPolicy", replay}};
  for (const auto& [operation, input] : calls) {
    EXPECT_THAT(
        Own(operation, input, Known("alice")),
        StatusIs(ErrorCode::kAccessDenied,
                 "User: " + alice_.arn +
                     " is not authorized to perform: claviger:Explain on "
                     "resource: * because no identity-based policy allows the "
                     "claviger:Explain action"))
        << operation;
  }
  PutPolicy(alice_.principal_id, {Statement("Allow", "claviger:Explain")});
  EXPECT_OK(Own("Explain", id, Known("alice")));
}

TEST_F(ExplainTest, ASimulationDecidesWithoutDoing) {
  json only_a = For(alice_.arn);
  only_a["Condition"] = {
      {"StringEquals", {{"kms:EncryptionContext:tenant", "a"}}},
      {"IpAddress", {{"aws:SourceIp", "192.0.2.0/24"}}}};
  PutKeyPolicy({Account(), Statement("Allow", "kms:Encrypt", only_a)});
  json input = {
      {"PrincipalArn", alice_.arn},
      {"Action", "kms:encrypt"},
      {"KeyId", key_},
      {"Context",
       {{"kms:EncryptionContext:tenant", "a"}, {"aws:SourceIp", "192.0.2.9"}}}};
  const json allowed = Take(Own("SimulatePolicy", input));
  ExpectDecision(allowed, "Allow", "resource-based policy", "");
  EXPECT_EQ(allowed.at("request").at("action"), "kms:Encrypt");
  EXPECT_EQ(allowed.at("request").at("context").at("aws:PrincipalArn"),
            alice_.arn);
  EXPECT_EQ(allowed.at("request").at("context").at("kms:EncryptionContextKeys"),
            json({"tenant"}));
  input["Context"].erase("aws:SourceIp");
  const json denied = Take(Own("SimulatePolicy", input));
  ExpectDecision(denied, "ImplicitDeny", "identity-based policy", "");
  EXPECT_THAT(denied.at("statements").at(1).at("condition").at("actual"),
              IsEmpty());
  EXPECT_EQ(CountEvents("Encrypt"), 0);
}

TEST_F(ExplainTest, ASimulationKnowsAllKindsOfPrincipals) {
  PutPolicy("AROATESTROLEBOB234567", {Statement("Allow", "kms:*")});
  const auto verdict = [&](std::string_view principal,
                           std::string_view action) -> std::string {
    const json reply = Take(Own(
        "SimulatePolicy",
        {{"PrincipalArn", principal}, {"Action", action}, {"KeyId", key_}}));
    return reply.at("decision").at("verdict");
  };
  EXPECT_EQ(verdict(kRole, "kms:Decrypt"), "Allow");
  EXPECT_EQ(verdict("arn:aws:sts::111122223333:assumed-role/bob/job",
                    "kms:CreateGrant"),
            "Allow");
  EXPECT_EQ(verdict("arn:aws:iam::111122223333:root", "kms:ReEncryptTo"),
            "Allow");
  EXPECT_EQ(verdict("s3.amazonaws.com", "kms:Decrypt"), "ImplicitDeny");
  EXPECT_EQ(verdict("arn:aws:iam::111122223333:user/eve", "iam:CreateUser"),
            "ImplicitDeny");
  EXPECT_THAT(
      Own("SimulatePolicy",
          {{"PrincipalArn", "arn:aws:iam::111122223333:user/nobody"},
           {"Action", "kms:Decrypt"}}),
      StatusIs(ErrorCode::kNotFound, HasSubstr("There is no principal")));
  for (const char* const action : {"Decrypt", "kms:*", "kms:", "*"}) {
    EXPECT_THAT(Own("SimulatePolicy",
                    {{"PrincipalArn", alice_.arn}, {"Action", action}}),
                StatusIs(ErrorCode::kValidation))
        << action;
  }
  // Every operation can be supposed, whatever it needs to be run.
  for (const Operation& operation : AllOperations()) {
    EXPECT_OK(Own("SimulatePolicy",
                  {{"PrincipalArn", alice_.arn}, {"Action", operation.action}}))
        << operation.name;
    EXPECT_OK(Own("SimulatePolicy", {{"PrincipalArn", alice_.arn},
                                     {"Action", operation.action},
                                     {"KeyId", key_}}))
        << operation.name;
  }
}

TEST_F(ExplainTest, WhoCan) {
  json from_home = For(alice_.arn);
  from_home["Condition"] = {{"IpAddress", {{"aws:SourceIp", "192.0.2.0/24"}}}};
  PutKeyPolicy(
      {Account(), Statement("Allow", "kms:Decrypt", from_home),
       Statement("Allow", "kms:*",
                 {{"Principal", {{"Service", "sns.amazonaws.com"}}}})});
  PutPolicy("AROATESTROLEBOB234567", {Statement("Allow", "kms:Decrypt")});
  const std::string carol = identity::User(kAccount, "carol").arn;
  Take(Ask("CreateGrant", {{"KeyId", key_},
                           {"GranteePrincipal", carol},
                           {"Operations", {"Decrypt"}}}));
  const json reply =
      Take(Own("WhoCan", {{"Action", "kms:decrypt"}, {"KeyId", key_}}));
  std::map<std::string, json> can;
  for (const json& principal : reply.at("Principals")) {
    can[principal.at("Principal")] = principal;
  }
  EXPECT_EQ(can.size(), 6U) << reply.dump(1);
  EXPECT_EQ(can[alice_.arn].at("Can"), "Maybe");
  EXPECT_EQ(can[alice_.arn].at("DependsOn"), json({"aws:SourceIp"}));
  EXPECT_EQ(can[carol].at("Can"), "Yes");
  EXPECT_EQ(can[carol].at("Layer"), "grant");
  for (const std::string& principal :
       {std::string(kRole), std::string("sns.amazonaws.com"),
        std::string("arn:aws:iam::111122223333:root"),
        std::string("arn:aws:iam::111122223333:user/admin")}) {
    EXPECT_EQ(can[principal].at("Can"), "Yes") << principal;
  }
  EXPECT_EQ(reply.at("Truncated"), false);
  EXPECT_EQ(reply.at("AllGrants"), true);
  EXPECT_EQ(reply.at("AllAccounts"), false);
}

TEST_F(ExplainTest, AReplaySaysWhatANewPolicyWouldChange) {
  PutPolicy(alice_.principal_id, {Statement("Allow", "kms:*")});
  EXPECT_OK(Encrypt(Known("alice")));
  const json early = Events().back();
  clock_.Advance(std::chrono::hours(1));
  EXPECT_OK(Encrypt(Known("alice")));
  const json late = Events().back();
  EXPECT_OK(Encrypt(identity::Administrator(kAccount)));
  const std::string other = NewKey();
  Encrypted(other, "x");
  json input = {{"KeyId", key_},
                {"NewPolicy",
                 Document({Account(),
                           Statement("Deny", "kms:Encrypt",
                                     {{"Sid", "NotAlice"},
                                      {"Principal", {{"AWS", alice_.arn}}}})})},
                {"Since", 0}};
  const json all = Take(Own("ReplayPolicy", input));
  EXPECT_EQ(all.at("Examined"), 3) << all.dump(1);
  EXPECT_EQ(all.at("Changed"), 2);
  EXPECT_EQ(all.at("Truncated"), false);
  const json& change = all.at("Changes").at(0);
  EXPECT_EQ(change.at("EventId"), early.at("eventID"));
  EXPECT_EQ(change.at("EventTime"), early.at("eventTime"));
  EXPECT_EQ(change.at("Principal"), alice_.arn);
  EXPECT_EQ(change.at("Action"), "kms:Encrypt");
  EXPECT_EQ(change.at("Recorded"), "Allow");
  EXPECT_EQ(change.at("Before").at("Layer"), "identity-based policy");
  EXPECT_EQ(change.at("After").at("Verdict"), "ExplicitDeny");
  EXPECT_EQ(change.at("After").at("Sid"), "NotAlice");
  input["Since"] = std::chrono::duration_cast<std::chrono::seconds>(
                       clock_.Now().time_since_epoch())
                       .count();
  const json recent = Take(Own("ReplayPolicy", input));
  EXPECT_EQ(recent.at("Examined"), 2);
  ASSERT_EQ(recent.at("Changes").size(), 1U);
  EXPECT_EQ(recent.at("Changes").at(0).at("EventId"), late.at("eventID"));
  EXPECT_OK(Encrypt(Known("alice"))) << "nothing was changed";
  input["NewPolicy"] = "{}";
  EXPECT_THAT(Own("ReplayPolicy", input),
              StatusIs(ErrorCode::kMalformedPolicy));
}

}  // namespace
}  // namespace kms::operations
