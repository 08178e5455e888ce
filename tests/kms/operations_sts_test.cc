// SPDX-License-Identifier: Apache-2.0
// Temporary credentials: who gets them, and what they are worth.
#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "kms/operations/bootstrap.h"
#include "kms/operations/identities.h"
#include "kms/operations/session_token.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

constexpr std::string_view kRoleArn = "arn:aws:iam::111122223333:role/app/ops";
constexpr std::string_view kRoleId = "AROAOPSROLE2345672345";

json Statement(std::string_view effect, const json& action) {
  return {{"Effect", effect}, {"Action", action}, {"Resource", "*"}};
}
std::string Document(const json& statements) {
  return json{{"Version", "2012-10-17"}, {"Statement", statements}}.dump();
}

class StsTest : public OperationsTest {
 protected:
  StsTest() {
    Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
    role_.id = kRoleId;
    role_.kind = EntityKind::kRole;
    role_.account = kAccount;
    role_.name = "ops";
    role_.path = "/app/";
    role_.max_session = 7200;
    role_.trust_policy = Trusting(json{{"AWS", kAccount}});
    Change([this](store::Identities& identities) {
      return identities.InsertEntity(role_);
    });
    PutPolicy(role_.id, Statement("Allow", "kms:*"));
    PutPolicy(alice_.principal_id, Statement("Allow", "sts:*"));
  }

  static std::string Trusting(const json& principal,
                              const json& condition = json::object()) {
    json statement = {
        {"Effect", "Allow"},
        {"Action",
         {"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}},
        {"Principal", principal}};
    if (!condition.empty()) {
      statement["Condition"] = condition;
    }
    return Document({statement});
  }
  void Change(const std::function<base::Status(store::Identities&)>& change) {
    Take(store().WriteNow([&](store::Transaction& transaction) {
      return change(transaction.identities());
    }));
    Take(Run(LoadIdentities(environment())));
  }
  void PutPolicy(const std::string& entity, const json& statement) {
    Change([&](store::Identities& identities) {
      return identities.PutDocument(entity,
                                    {"test", Document({statement}), {}});
    });
  }
  void Trust(std::string policy, PolicyPrincipals trusted = {}) {
    role_.trust_policy = std::move(policy);
    role_.trusted = std::move(trusted);
    Change([this](store::Identities& identities) {
      return identities.UpdateEntity(role_);
    });
  }

  auto Assume(const Caller& caller, const json& more = json::object()) {
    json input = {{"RoleArn", kRoleArn}, {"RoleSessionName", "job"}};
    input.update(more);
    return Ask("AssumeRole", input, {.caller = caller, .service = "STS"});
  }
  // As the doors do it: by the token, and the directory in force.
  base::Result<Caller> CallerOf(const json& reply) {
    const std::string token = reply.at("Credentials").at("SessionToken");
    SessionTokens tokens(environment());
    ASSIGN_OR_RETURN(const identity::SessionPtr session,
                     Run(tokens.Open(token)));
    ASSIGN_OR_RETURN(
        const auto caller,
        environment().directory.current()->SessionCaller(*session));
    return *caller;
  }
  Caller Session(const Caller& caller, const json& more = json::object()) {
    return Take(CallerOf(Take(Assume(caller, more))));
  }
  auto Describe(const Caller& caller) {
    return Ask("DescribeKey", {{"KeyId", key_}}, {.caller = caller});
  }

  const Caller admin_ = identity::Administrator(kAccount);
  const Caller alice_ = [] {
    Caller alice = identity::User(kAccount, "alice");
    return alice;
  }();
  // As the directory has them.
  Caller Known(std::string_view name) {
    return *environment().directory.current()->UserCaller(kAccount, name);
  }
  Entity role_;
  const std::string key_ = NewKey();
};

TEST_F(StsTest, TellsWhoAsks) {
  ASSERT_OK_AND_ASSIGN(const json user,
                       Ask("GetCallerIdentity", json::object(),
                           {.caller = Known("alice"), .service = "STS"}));
  EXPECT_EQ(user, json({{"UserId", alice_.principal_id},
                        {"Account", kAccount},
                        {"Arn", "arn:aws:iam::111122223333:user/alice"}}));
  ASSERT_OK_AND_ASSIGN(
      const json session,
      Ask("GetCallerIdentity", json::object(),
          {.caller = Session(Known("alice")), .service = "STS"}));
  EXPECT_EQ(session.at("Arn"),
            "arn:aws:sts::111122223333:assumed-role/ops/job");
  EXPECT_EQ(session.at("UserId"), std::string(kRoleId) + ":job");
}

TEST_F(StsTest, ASessionMayDoWhatItsRoleMay) {
  EXPECT_THAT(Describe(Known("alice")), StatusIs(ErrorCode::kAccessDenied));
  ASSERT_OK_AND_ASSIGN(const json reply, Assume(Known("alice")));
  EXPECT_EQ(reply.at("AssumedRoleUser").at("AssumedRoleId"),
            std::string(kRoleId) + ":job");
  EXPECT_EQ(reply.at("AssumedRoleUser").at("Arn"),
            "arn:aws:sts::111122223333:assumed-role/ops/job");
  const json& credentials = reply.at("Credentials");
  EXPECT_EQ(credentials.at("AccessKeyId").get<std::string>().substr(0, 4),
            "ASIA");
  EXPECT_EQ(credentials.at("SecretAccessKey").get<std::string>().size(), 40U);
  EXPECT_EQ(credentials.at("Expiration"), "2026-11-22T11:15:00Z");
  ASSERT_OK_AND_ASSIGN(const Caller session, CallerOf(reply));
  EXPECT_OK(Describe(session));
  // No secret of it is in the log.
  for (const char* const member : {"SecretAccessKey", "SessionToken"}) {
    EXPECT_THAT(
        LogText(),
        testing::Not(HasSubstr(credentials.at(member).get<std::string>())));
  }
  const json event = Events().back();
  EXPECT_EQ(event.at("userIdentity").at("type"), "AssumedRole");
  EXPECT_EQ(event.at("userIdentity").at("sessionContext").at("sessionIssuer"),
            json({{"type", "Role"},
                  {"principalId", kRoleId},
                  {"arn", kRoleArn},
                  {"accountId", kAccount},
                  {"userName", "ops"}}));
}

TEST_F(StsTest, BothTheTrustPolicyAndTheCallersPoliciesMustAllow) {
  const std::string denied =
      "is not authorized to perform: sts:AssumeRole on resource: " +
      std::string(kRoleArn);
  const auto is_denied =
      StatusIs(ErrorCode::kAccessDenied, testing::EndsWith(denied));
  EXPECT_THAT(Assume(Known("bob")), is_denied);  // Has no policy.
  Trust(Trusting({{"AWS", "arn:aws:iam::111122223333:user/bob"}}));
  EXPECT_OK(Assume(Known("bob")));  // Named, needs none.
  EXPECT_THAT(Assume(Known("alice")), is_denied);
  // Who may not learns nothing of a role that is not there.
  EXPECT_THAT(
      Assume(Known("bob"),
             {{"RoleArn", "arn:aws:iam::111122223333:role/app/none"}}),
      StatusIs(ErrorCode::kAccessDenied, testing::EndsWith("role/app/none")));
}

TEST_F(StsTest, WhoWasMadeAgainIsNotTrusted) {
  const std::string bob = "arn:aws:iam::111122223333:user/bob";
  Trust(Trusting({{"AWS", bob}}), {{bob, Known("bob").principal_id}});
  EXPECT_OK(Assume(Known("bob")));
  Caller again = Known("bob");
  again.principal_id = "AIDAANOTHERBOB2345672";
  EXPECT_THAT(Assume(again), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(StsTest, SessionPoliciesLimit) {
  const Caller limited =
      Session(Known("alice"),
              {{"Policy", Document({Statement("Allow", "kms:Encrypt")})}});
  EXPECT_THAT(Describe(limited),
              StatusIs(ErrorCode::kAccessDenied, HasSubstr("session policy")));
  EXPECT_THAT(Assume(Known("alice"), {{"Policy", "{"}}),
              StatusIs(ErrorCode::kMalformedPolicy));
  EXPECT_THAT(Assume(Known("alice"), {{"Policy", std::string(2049, ' ')}}),
              StatusIs(ErrorCode::kPackedPolicyTooLarge));
  EXPECT_THAT(Assume(Known("alice"),
                     {{"PolicyArns",
                       {{{"arn", "arn:aws:iam::111122223333:policy/none"}}}}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("does not exist")));
}

TEST_F(StsTest, DurationsAreBounded) {
  EXPECT_OK(Assume(Known("alice"), {{"DurationSeconds", 7200}}));
  EXPECT_THAT(Assume(Known("alice"), {{"DurationSeconds", 7201}}),
              StatusIs(ErrorCode::kValidation,
                       HasSubstr("MaxSessionDuration set for this role")));
  for (const int seconds : {899, 43201}) {
    EXPECT_THAT(Assume(Known("alice"), {{"DurationSeconds", seconds}}),
                StatusIs(ErrorCode::kValidation));
  }
  PutPolicy(role_.id, Statement("Allow", {"sts:*"}));
  const Caller session = Session(Known("alice"));
  EXPECT_OK(Assume(session));
  EXPECT_THAT(Assume(session, {{"DurationSeconds", 3601}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("role chaining")));
  const json user_session =
      Take(Ask("GetSessionToken", json::object(),
               {.caller = Known("alice"), .service = "STS"}));
  EXPECT_OK(Assume(Take(CallerOf(user_session)), {{"DurationSeconds", 7200}}));
}

TEST_F(StsTest, APolicyArnWithoutArnIsNotPassedOver) {
  for (const json& arns : {json{json::object()}, json{{{"Arn", "x"}}}}) {
    EXPECT_THAT(Assume(Known("alice"), {{"PolicyArns", arns}}),
                StatusIs(ErrorCode::kValidation));
  }
}

TEST_F(StsTest, ASourceIdentityIsNotHandedOnToWhomItIsNotAllowed) {
  PutPolicy(role_.id, Statement("Allow", {"sts:*"}));
  const Caller session =
      Session(Known("alice"), {{"SourceIdentity", "mallory"}});
  EXPECT_OK(Assume(session));
  Trust(Trusting({{"AWS", kAccount}},
                 {{"StringNotEquals", {{"sts:SourceIdentity", "mallory"}}}}));
  EXPECT_OK(Assume(Known("alice")));
  EXPECT_THAT(Assume(session), StatusIs(ErrorCode::kAccessDenied));
  Trust(Document({{{"Effect", "Allow"},
                   {"Action", "sts:AssumeRole"},
                   {"Principal", {{"AWS", kAccount}}}}}));
  EXPECT_OK(Assume(Known("alice")));
  EXPECT_THAT(Assume(session), StatusIs(ErrorCode::kAccessDenied));
}

// The caller's own policies say nothing about the token's bearer.
TEST_F(StsTest, AWebIdentityIsNotMixedWithACaller) {
  EXPECT_THAT(Ask("AssumeRoleWithWebIdentity",
                  {{"RoleArn", kRoleArn},
                   {"RoleSessionName", "job"},
                   {"WebIdentityToken", "a.b.c"}},
                  {.caller = Known("alice"), .service = "STS"}),
              StatusIs(ErrorCode::kValidation, HasSubstr("token alone")));
}

TEST_F(StsTest, AnAccessKeyThatCannotBeReadLetsNobodyIn) {
  store::AccessKey key;
  key.id = "AKIAMOVEDFROMELSEWHERE";
  key.account = kAccount;
  key.user_name = "alice";
  key.user_id = alice_.principal_id;
  key.sealed_secret.ciphertext.assign(56, 7);
  key.created = clock_.Now();
  Change([&key](store::Identities& identities) {
    return identities.InsertAccessKey(key);
  });
  const auto directory = environment().directory.current();
  EXPECT_EQ(directory->credentials().Find(key.id), nullptr);
}

TEST_F(StsTest, TagsAndSourceIdentityAreConditions) {
  Trust(Trusting({{"AWS", kAccount}},
                 {{"StringEquals", {{"aws:RequestTag/team", "blue"}}}}));
  EXPECT_THAT(Assume(Known("alice")), StatusIs(ErrorCode::kAccessDenied));
  const json tags = {{"Tags", {{{"Key", "team"}, {"Value", "blue"}}}},
                     {"TransitiveTagKeys", {"team"}},
                     {"SourceIdentity", "alice-at-home"}};
  PutPolicy(role_.id, {{"Effect", "Allow"},
                       {"Action", {"kms:*", "sts:*"}},
                       {"Resource", "*"},
                       {"Condition",
                        {{"StringEquals",
                          {{"aws:PrincipalTag/team", "blue"},
                           {"aws:SourceIdentity", "alice-at-home"}}}}}});
  const Caller session = Session(Known("alice"), tags);
  EXPECT_OK(Describe(session));
  // What is transitive stays, and cannot be changed.
  Trust(Trusting({{"AWS", kAccount}}));
  const Caller next = Session(session, {{"RoleSessionName", "next"}});
  EXPECT_OK(Describe(next));
  EXPECT_THAT(Assume(session, {{"Tags", {{{"Key", "Team"}, {"Value", "x"}}}}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("transitive")));
  EXPECT_THAT(Assume(session, {{"SourceIdentity", "mallory"}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("source identity")));
  EXPECT_THAT(
      Assume(Known("alice"), {{"TransitiveTagKeys", {"absent"}}}),
      StatusIs(ErrorCode::kValidation, HasSubstr("transitive tag key")));
}

TEST_F(StsTest, TheExternalIdIsACondition) {
  Trust(Trusting({{"AWS", kAccount}},
                 {{"StringEquals", {{"sts:ExternalId", "42"}}}}));
  EXPECT_THAT(Assume(Known("alice")), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Assume(Known("alice"), {{"ExternalId", "43"}}),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Assume(Known("alice"), {{"ExternalId", "42"}}));
}

TEST_F(StsTest, DeletingTheRoleEndsItsSessions) {
  const json reply = Take(Assume(Known("alice")));
  ASSERT_OK(CallerOf(reply));
  Change([this](store::Identities& identities) -> base::Status {
    RETURN_IF_ERROR(identities.DeleteDocument(role_.id, "test"));
    return identities.DeleteEntity(role_.id);
  });
  EXPECT_THAT(CallerOf(reply), StatusIs(ErrorCode::kUnrecognizedClient));
}

TEST_F(StsTest, SessionsCanBeEndedByTheTimeOfTheirIssue) {
  const Caller old = Session(Known("alice"));
  clock_.Advance(std::chrono::seconds(10));
  const Caller fresh = Session(Known("alice"));
  PutPolicy(alice_.principal_id, Statement("Allow", "sts:*"));
  Change([this](store::Identities& identities) {
    json deny = Statement("Deny", "*");
    deny["Condition"] = {
        {"DateLessThan", {{"aws:TokenIssueTime", "2026-11-22T10:15:05Z"}}}};
    return identities.PutDocument(role_.id, {"revoke", Document({deny}), {}});
  });
  const auto now = [&](const Caller& session) {
    Caller caller = session;
    caller.policies =
        environment().directory.current()->FindById(kRoleId)->policies;
    return caller;
  };
  EXPECT_THAT(Describe(now(old)), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Describe(now(fresh)));
}

TEST_F(StsTest, AUserHasSessionsOfItsOwn) {
  const auto ask = [this](const Caller& caller, const json& input) {
    return Ask("GetSessionToken", input, {.caller = caller, .service = "STS"});
  };
  ASSERT_OK_AND_ASSIGN(const json reply,
                       ask(Known("alice"), {{"DurationSeconds", 900}}));
  EXPECT_EQ(reply.at("Credentials").at("Expiration"), "2026-11-22T10:30:00Z");
  ASSERT_OK_AND_ASSIGN(const Caller session, CallerOf(reply));
  EXPECT_EQ(session.arn, "arn:aws:iam::111122223333:user/alice");
  EXPECT_EQ(session.kind, CallerKind::kUser);
  EXPECT_THAT(ask(session, json::object()), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(ask(Session(Known("alice")), json::object()),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(ask(Known("alice"), {{"TokenCode", "123456"}}),
              StatusIs(ErrorCode::kAccessDenied, HasSubstr("MFA")));
}

TEST_F(StsTest, TokensAreReadOnlyIfTheyAreOurs) {
  std::string token =
      Take(Assume(Known("alice"))).at("Credentials").at("SessionToken");
  SessionTokens tokens(environment());
  ASSERT_OK(Run(tokens.Open(token)));
  const auto is_refused = StatusIs(ErrorCode::kUnrecognizedClient);
  for (std::size_t at = 0; at < token.size(); at += 37) {
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_THAT(Run(tokens.Open(changed)), is_refused) << at;
  }
  EXPECT_THAT(Run(tokens.Open("")), is_refused);
  EXPECT_THAT(Run(tokens.Open(token.substr(0, 40))), is_refused);
  EXPECT_THAT(Run(tokens.Open(std::string(20000, 'A'))), is_refused);
}

TEST_F(StsTest, ARoleOfAnotherAccountNeedsBothSides) {
  const Caller foreign = identity::Administrator(kOtherAccount);
  const Caller stranger = identity::User(kOtherAccount, "u");
  EXPECT_THAT(Assume(foreign), StatusIs(ErrorCode::kAccessDenied));
  Trust(Trusting({{"AWS", "arn:aws:iam::444455556666:root"}}));
  EXPECT_OK(Assume(foreign));
  EXPECT_THAT(Assume(stranger), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Describe(Session(foreign)));
}

TEST_F(StsTest, WhatCouldNotBeReadIsReadAgain) {
  identity::DirectorySource& source = environment().directory;
  const auto before = source.current();
  RunVoid(CatchUp(environment()));
  EXPECT_EQ(source.current(), before);  // It was not behind.
  source.FallBehind(before->revision());
  EXPECT_FALSE(source.is_behind());  // That revision is in force.
  testlib::Take(Ask("CreateUser", {{"UserName", "late"}}, {.service = "IAM"}));
  const std::uint64_t revision = source.current()->revision();
  source.FallBehind(revision + 1);
  source.Replace(std::make_shared<const identity::Directory>(
      store::IdentityRows{.revision = revision}, identity::Directory::Secrets(),
      source.others()));
  EXPECT_TRUE(source.is_behind()) << "an older one ended it";
  testlib::Take(Ask("CreateUser", {{"UserName", "later"}}, {.service = "IAM"}));
  EXPECT_FALSE(source.is_behind());
  EXPECT_NE(source.current()->FindByName(kAccount, EntityKind::kUser, "later"),
            nullptr);
}

TEST_F(StsTest, NobodyAsksWithoutAName) {
  Caller nobody;
  nobody.kind = CallerKind::kAnonymous;
  for (const auto& [service, operation] :
       {std::pair{"STS", "GetCallerIdentity"},
        std::pair{"STS", "GetSessionToken"},
        std::pair{"TrentService", "ListKeys"}}) {
    EXPECT_THAT(
        Ask(operation, json::object(), {.caller = nobody, .service = service}),
        StatusIs(ErrorCode::kMissingAuthentication))
        << operation;
  }
}

}  // namespace
}  // namespace kms::operations
