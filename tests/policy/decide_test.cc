// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.h"

#include <gtest/gtest.h>

#include "tests/policy/policies.h"
#include "tests/testlib/status.h"

// Row by row what docs/authorization.md says of the decision on a key.
namespace policy {
namespace {

const std::string allow_all = Allow(R"("Action":"kms:*","Resource":"*")");
const std::string allow_nothing = Allow(R"("Action":"s3:*","Resource":"*")");
const std::string deny_all =
    Deny(R"("Sid":"No","Action":"kms:*","Resource":"*")");

constexpr auto kAllow = Verdict::kAllow;
constexpr auto kImplicit = Verdict::kImplicitDeny;
constexpr auto kExplicit = Verdict::kExplicitDeny;

void ExpectDecision(const Decision& decision, Verdict verdict,
                    std::string_view layer) {
  EXPECT_EQ(VerdictName(decision.verdict), VerdictName(verdict));
  EXPECT_EQ(decision.layer, layer);
}

TEST(DecideTest, DeniesByDefault) {
  Rules none;
  for (const Request& request :
       {FromAlice(), FromRoot(), FromSession(), FromFederatedUser(),
        FromStranger(), FromService("s3.amazonaws.com")}) {
    ExpectDecision(none.Decide(request), kImplicit, "resource-based policy");
  }
}

TEST(SameAccount, IdentityPolicyAloneOpensNoKey) {
  Rules rules;
  rules.Identity(allow_all);
  ExpectDecision(rules.Decide(FromAlice()), kImplicit, "resource-based policy");
}

TEST(SameAccount, KeyPolicyThatNamesTheAccountLeavesItToIdentityPolicies) {
  Rules without;
  without.Key(Allow(For(kRoot)));
  ExpectDecision(without.Decide(FromAlice()), kImplicit,
                 "identity-based policy");
  Rules with;
  with.Key(Allow(For(kAccount))).Identity(allow_all);
  ExpectDecision(with.Decide(FromAlice()), kAllow, "identity-based policy");
  ExpectDecision(with.Decide(FromSession()), kAllow, "identity-based policy");
}

TEST(SameAccount, DelegationGoesNoFurtherThanItsStatement) {
  Rules action;
  action.Key(Allow(For(kRoot, "kms:Encrypt"))).Identity(allow_all);
  EXPECT_EQ(action.VerdictOn(FromAlice()), kImplicit);
  Rules condition;
  condition.Key(Allow(For(kRoot) + R"(,"Condition":{"Bool":{"a":"true"}})"))
      .Identity(allow_all);
  EXPECT_EQ(condition.VerdictOn(FromAlice()), kImplicit);
  const ContextEntry entry = {"a", {}, "true"};
  Request request = FromAlice();
  request.context = {&entry, 1};
  EXPECT_EQ(condition.VerdictOn(request), kAllow);
}

TEST(SameAccount, KeyPolicyThatNamesTheCallerSuffices) {
  const auto opens = [](std::string_view principal, const Request& request) {
    Rules rules;
    rules.Key(Allow(For(principal)));
    return rules.VerdictOn(request) == kAllow;
  };
  EXPECT_TRUE(opens(kAlice, FromAlice()));
  EXPECT_TRUE(opens(kRole, FromSession()));
  EXPECT_TRUE(opens(kSession, FromSession()));
  EXPECT_TRUE(opens(kFederated, FromFederatedUser()));
  EXPECT_TRUE(opens(kAlice, FromFederatedUser()));
  EXPECT_TRUE(opens("*", FromAlice()));
  EXPECT_TRUE(opens("*", FromSession()));
  EXPECT_FALSE(opens(kAlice, FromSession()));
  EXPECT_FALSE(opens(kRole, FromAlice()));
  EXPECT_FALSE(opens("arn:aws:iam::111122223333:role/r", FromSession()));
  EXPECT_FALSE(opens("arn:aws:iam::111122223333:user/Alice", FromAlice()));
  EXPECT_FALSE(opens("arn:aws:iam::111122223333:user/x/alice", FromAlice()));
}

TEST(SameAccount, RootNeedsTheKeyPolicyToNameTheAccountAndNothingElse) {
  Rules named;
  named.Key(Allow(For(kRoot)));
  ExpectDecision(named.Decide(FromRoot()), kAllow, "resource-based policy");
  Rules other;
  other.Key(Allow(For(kAlice)));
  EXPECT_EQ(other.VerdictOn(FromRoot()), kImplicit);
}

TEST(SameAccount, SessionIsMatchedToItsRoleByNameIfThePathIsNotKnown) {
  Rules rules;
  rules.Key(Allow(For(kRole)));
  Request request = FromSession();
  request.issuer = {};
  EXPECT_EQ(rules.VerdictOn(request), kAllow);
  request.principal = "arn:aws:sts::111122223333:assumed-role/r2/s";
  EXPECT_EQ(rules.VerdictOn(request), kImplicit);
  request.principal = "arn:aws:sts::444455556666:assumed-role/r/s";
  EXPECT_EQ(rules.VerdictOn(request), kImplicit);
}

// What the key policy names, who calls, and whether implicit denials of
// boundary and session policy count.
struct LimitRow {
  const char* name;
  std::string_view principal;
  Request request;
  bool by_boundary;
  bool by_session;
};

TEST(SameAccount, BoundaryAndSessionPolicyLimitWhatTheyDoAtAws) {
  const LimitRow rows[] = {
      {"user", kAlice, FromAlice(), false, false},
      {"role", kRole, FromSession(), true, true},
      {"session", kSession, FromSession(), false, false},
      {"federated user", kFederated, FromFederatedUser(), false, false},
      {"user of a federated user", kAlice, FromFederatedUser(), true, true},
      {"account", kRoot, FromAlice(), true, true},
      {"account, session", kRoot, FromSession(), true, true},
      {"everyone", "*", FromAlice(), false, false},
      {"everyone, session", "*", FromSession(), false, false},
  };
  for (const LimitRow& row : rows) {
    SCOPED_TRACE(row.name);
    Rules free;
    free.Key(Allow(For(row.principal))).Identity(allow_all);
    EXPECT_EQ(free.VerdictOn(row.request), kAllow);
    Rules within;
    within.Key(Allow(For(row.principal))).Identity(allow_all);
    within.Boundary(allow_all).Session(allow_all);
    EXPECT_EQ(within.VerdictOn(row.request), kAllow);
    Rules bounded;
    bounded.Key(Allow(For(row.principal)))
        .Identity(allow_all)
        .Boundary(allow_nothing);
    EXPECT_EQ(bounded.VerdictOn(row.request),
              row.by_boundary ? kImplicit : kAllow);
    Rules narrowed;
    narrowed.Key(Allow(For(row.principal)))
        .Identity(allow_all)
        .Session(allow_nothing);
    EXPECT_EQ(narrowed.VerdictOn(row.request),
              row.by_session ? kImplicit : kAllow);
  }
}

TEST(SameAccount, NamesTheLayerThatIsMissing) {
  Rules boundary;
  boundary.Key(Allow(For(kRoot))).Identity(allow_all).Boundary(allow_nothing);
  ExpectDecision(boundary.Decide(FromAlice()), kImplicit,
                 "permissions boundary");
  Rules session;
  session.Key(Allow(For(kRole))).Session(allow_nothing);
  ExpectDecision(session.Decide(FromSession()), kImplicit, "session policy");
}

TEST(SameAccount, PoliciesOfOneLayerAddUp) {
  Rules rules;
  rules.Key(Allow(For(kRoot))).Identity(allow_nothing).Identity(allow_all);
  rules.Session(allow_nothing).Session(allow_all);
  EXPECT_EQ(rules.VerdictOn(FromSession()), kAllow);
}

TEST(ExplicitDeny, OfAnyLayerBeatsEverything) {
  using Add = Rules& (Rules::*)(std::string_view);
  const struct {
    const char* layer;
    Add add;
    std::string statement;
  } rows[] = {
      {"identity-based policy", &Rules::Identity, deny_all},
      {"permissions boundary", &Rules::Boundary, allow_all + "," + deny_all},
      {"session policy", &Rules::Session, allow_all + "," + deny_all},
      {"service control policy", &Rules::ServiceControl,
       allow_all + "," + deny_all},
      {"resource control policy", &Rules::ResourceControl,
       Deny(R"("Sid":"No",)" + For("*"))},
      {"resource-based policy", &Rules::Key,
       Allow(For("*")) + "," + Deny(R"("Sid":"No",)" + For("*"))},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.layer);
    Rules rules;
    rules.Key(Allow(For("*"))).Identity(allow_all);
    rules.With({.id = "g", .grantee = kAlice, .operations = ~KmsActions{0}});
    EXPECT_EQ(rules.VerdictOn(FromAlice()), kAllow);
    (rules.*row.add)(row.statement);
    const Decision decision = rules.Decide(FromAlice());
    ExpectDecision(decision, kExplicit, row.layer);
    EXPECT_EQ(decision.sid, "No");
  }
}

TEST(ExplicitDeny, OfAnIdentityPolicyNeedsNoDelegation) {
  Rules rules;
  rules.Key(Allow(For(kAlice))).Identity(deny_all);
  EXPECT_EQ(rules.VerdictOn(FromAlice()), kExplicit);
}

TEST(ExplicitDeny, ThatNamesTheAccountDeniesEveryoneInIt) {
  Rules rules;
  rules.Key(Allow(For("*")) + "," + Deny(For(kRoot))).Identity(allow_all);
  EXPECT_EQ(rules.VerdictOn(FromAlice()), kExplicit);
  EXPECT_EQ(rules.VerdictOn(FromSession()), kExplicit);
  EXPECT_EQ(rules.VerdictOn(FromRoot()), kExplicit);
  EXPECT_EQ(rules.VerdictOn(FromStranger()), kAllow);
}

TEST(NotPrincipal, ExemptsWhomItListsInAnyWay) {
  const auto denies = [](std::string_view listed, const Request& request) {
    Rules rules;
    rules.Key(Allow(For("*")) + R"(,{"Effect":"Deny","NotPrincipal":{"AWS":")" +
              std::string(listed) + R"("},"Action":"kms:*","Resource":"*"})");
    return rules.VerdictOn(request) == kExplicit;
  };
  EXPECT_FALSE(denies(kAlice, FromAlice()));
  EXPECT_TRUE(denies(kAlice, FromSession()));
  EXPECT_FALSE(denies(kRole, FromSession()));
  EXPECT_FALSE(denies(kSession, FromSession()));
  EXPECT_FALSE(denies(kRoot, FromSession()));
  EXPECT_TRUE(denies(kRoot, FromStranger()));
  EXPECT_TRUE(denies(kRoot, FromService("s3.amazonaws.com")));
}

TEST(NotPrincipal, DeniesWhoeverHasABoundary) {
  Rules rules;
  rules.Key(Allow(For("*")) + R"(,{"Effect":"Deny","NotPrincipal":{"AWS":")" +
            std::string(kAlice) + R"("},"Action":"kms:*","Resource":"*"})");
  rules.Boundary(allow_all);
  EXPECT_EQ(rules.VerdictOn(FromAlice()), kExplicit);
}

TEST(ServiceControl, EveryLevelMustAllow) {
  Rules rules;
  rules.Key(Allow(For("*"))).ServiceControl(allow_all);
  EXPECT_EQ(rules.VerdictOn(FromAlice()), kAllow);
  rules.ServiceControl(allow_nothing);
  ExpectDecision(rules.Decide(FromAlice()), kImplicit,
                 "service control policy");
  EXPECT_EQ(rules.VerdictOn(FromRoot()), kImplicit);
}

TEST(ServiceControl, DoesNotConcernServices) {
  Rules rules;
  rules.Key(Allow(For(R"({"Service":"s3.amazonaws.com"})")));
  rules.ServiceControl(allow_nothing);
  EXPECT_EQ(rules.VerdictOn(FromService("s3.amazonaws.com")), kAllow);
}

TEST(ResourceControl, OnlyDenies) {
  Rules rules;
  rules.Key(Allow(For("*")));
  rules.ResourceControl(Deny(For("*", "kms:Encrypt")));
  EXPECT_EQ(rules.VerdictOn(FromAlice()), kAllow);
  Request encrypt = FromAlice();
  encrypt.action = "kms:Encrypt";
  EXPECT_EQ(rules.VerdictOn(encrypt), kExplicit);
}

TEST(CrossAccount, NeedsBothSides) {
  for (const std::string_view principal :
       {kStranger, std::string_view("444455556666"),
        std::string_view("arn:aws:iam::444455556666:root"),
        std::string_view("*")}) {
    SCOPED_TRACE(principal);
    Rules key_only;
    key_only.Key(Allow(For(principal)));
    ExpectDecision(key_only.Decide(FromStranger()), kImplicit,
                   "identity-based policy");
    Rules both;
    both.Key(Allow(For(principal)));
    both.Identity(Allow(R"("Action":"kms:Decrypt","Resource":")" +
                        std::string(kKeyArn) + R"(")"));
    EXPECT_EQ(both.VerdictOn(FromStranger()), kAllow);
    Rules bounded;
    bounded.Key(Allow(For(principal)))
        .Identity(allow_all)
        .Boundary(allow_nothing);
    EXPECT_EQ(bounded.VerdictOn(FromStranger()), kImplicit);
    Rules narrowed;
    narrowed.Key(Allow(For(principal)))
        .Identity(allow_all)
        .Session(allow_nothing);
    EXPECT_EQ(narrowed.VerdictOn(FromStranger()), kImplicit);
  }
  Rules identity_only;
  identity_only.Key(Allow(For(kRoot))).Identity(allow_all);
  ExpectDecision(identity_only.Decide(FromStranger()), kImplicit,
                 "resource-based policy");
}

TEST(CrossAccount, WorksForTheseOperationsOnly) {
  constexpr std::string_view kWork[] = {"CreateGrant",
                                        "Decapsulate",
                                        "Decrypt",
                                        "DeriveSharedSecret",
                                        "DescribeKey",
                                        "Encapsulate",
                                        "Encrypt",
                                        "GenerateDataKey",
                                        "GenerateDataKeyPair",
                                        "GenerateDataKeyPairWithoutPlaintext",
                                        "GenerateDataKeyWithoutPlaintext",
                                        "GenerateMac",
                                        "GetKeyRotationStatus",
                                        "GetPublicKey",
                                        "ListGrants",
                                        "ReEncryptFrom",
                                        "ReEncryptTo",
                                        "RevokeGrant",
                                        "Sign",
                                        "Verify",
                                        "VerifyMac"};
  Rules rules;
  rules.Key(Allow(For("*"))).Identity(allow_all);
  for (const std::string_view name : kKmsActions) {
    const std::string action = "kms:" + std::string(name);
    Request request = FromStranger();
    request.action = action;
    const bool works = std::ranges::find(kWork, name) != std::end(kWork);
    EXPECT_EQ(rules.VerdictOn(request), works ? kAllow : kImplicit) << name;
  }
}

TEST(CrossAccount, RootOfTheOtherAccountNeedsTheKeyPolicyOnly) {
  Rules rules;
  rules.Key(Allow(For(kOtherAccount)));
  Request request = FromStranger();
  request.principal = "arn:aws:iam::444455556666:root";
  request.principal_kind = PrincipalKind::kRoot;
  EXPECT_EQ(rules.VerdictOn(request), kAllow);
}

TEST(Services, NeedAKeyPolicyThatNamesThem) {
  Rules rules;
  rules.Key(Allow(For(R"({"Service":"s3.amazonaws.com"})")))
      .Identity(allow_all);
  EXPECT_EQ(rules.VerdictOn(FromService("s3.amazonaws.com")), kAllow);
  EXPECT_EQ(rules.VerdictOn(FromService("sns.amazonaws.com")), kImplicit);
  EXPECT_EQ(rules.VerdictOn(FromAlice()), kImplicit);
  Rules everyone;
  everyone.Key(Allow(For("*"))).Identity(allow_all);
  EXPECT_EQ(everyone.VerdictOn(FromService("s3.amazonaws.com")), kImplicit);
  Rules denied;
  denied.Key(Allow(For(R"({"Service":"s3.amazonaws.com"})")) + "," +
             Deny(For("*")));
  EXPECT_EQ(denied.VerdictOn(FromService("s3.amazonaws.com")), kExplicit);
}

TEST(WithoutKey, IdentityPoliciesDecide) {
  Request request = FromAlice();
  request.action = "kms:CreateKey";
  request.resource = "*";
  Rules none;
  ExpectDecision(none.Decide(request), kImplicit, "identity-based policy");
  Rules all;
  all.Identity(allow_all);
  ExpectDecision(all.Decide(request), kAllow, "identity-based policy");
  Rules arn;
  arn.Identity(Allow(R"("Action":"kms:*","Resource":"arn:aws:kms:*:*:*")"));
  EXPECT_EQ(arn.VerdictOn(request), kImplicit);
  Rules bounded;
  bounded.Identity(allow_all).Boundary(allow_nothing);
  EXPECT_EQ(bounded.VerdictOn(request), kImplicit);
  request.resource_account = kOtherAccount;
  EXPECT_EQ(all.VerdictOn(request), kImplicit);
}

TEST(WithoutKey, RootMayUnlessAnScpForbids) {
  Request request = FromRoot();
  request.action = "kms:CreateKey";
  request.resource = "*";
  Rules none;
  ExpectDecision(none.Decide(request), kAllow, "account root");
  Rules denied;
  denied.ServiceControl(allow_all + "," + deny_all);
  EXPECT_EQ(denied.VerdictOn(request), kExplicit);
}

TEST(Aliases, AreForIdentityPolicies) {
  Request request = FromAlice();
  request.action = "kms:DeleteAlias";
  request.resource = kAliasArn;
  Rules named;
  named.Identity(Allow(R"("Action":"kms:DeleteAlias","Resource":")" +
                       std::string(kAliasArn) + R"(")"));
  EXPECT_EQ(named.VerdictOn(request), kAllow);
  Rules other;
  other.Identity(
      Allow(R"("Action":"kms:*","Resource":"arn:aws:kms:*:*:key/*")"));
  EXPECT_EQ(other.VerdictOn(request), kImplicit);
  Request foreign = FromStranger();
  foreign.action = request.action;
  foreign.resource = request.resource;
  Rules all;
  all.Identity(allow_all);
  EXPECT_EQ(all.VerdictOn(foreign), kImplicit);
}

TEST(TrustPolicies, DecideWhoAssumesARole) {
  Request request = FromAlice();
  request.action = "sts:AssumeRole";
  request.resource = kRole;
  const auto trusting = [](std::string_view principal) {
    return Allow(R"("Principal":{"AWS":")" + std::string(principal) +
                 R"("},"Action":"sts:AssumeRole")");
  };
  const std::string may = Allow(R"("Action":"sts:*","Resource":"*")");
  Rules direct;
  direct.Trust(trusting(kAlice));
  EXPECT_EQ(direct.VerdictOn(request), kAllow);
  Rules delegated;
  delegated.Trust(trusting(kAccount));
  EXPECT_EQ(delegated.VerdictOn(request), kImplicit);
  delegated.Identity(may);
  EXPECT_EQ(delegated.VerdictOn(request), kAllow);
  Rules identity_only;
  identity_only.Identity(may);
  EXPECT_EQ(identity_only.VerdictOn(request), kImplicit);
  Request foreign = FromStranger();
  foreign.action = request.action;
  foreign.resource = request.resource;
  Rules abroad;
  abroad.Trust(trusting(kStranger));
  EXPECT_EQ(abroad.VerdictOn(foreign), kImplicit);
  abroad.Identity(may);
  EXPECT_EQ(abroad.VerdictOn(foreign), kAllow);
}

TEST(TrustPolicies, LetInWhomAnIdentityProviderVouchesFor) {
  Rules rules;
  rules.Trust(Allow(
      R"("Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/i"},)"
      R"("Action":"sts:AssumeRoleWithWebIdentity")"));
  Request request = FromAlice();
  request.action = "sts:AssumeRoleWithWebIdentity";
  request.resource = kRole;
  EXPECT_EQ(rules.VerdictOn(request), kImplicit);
  request.principal = "arn:aws:iam::111122223333:oidc-provider/i";
  request.principal_kind = PrincipalKind::kWebIdentity;
  EXPECT_EQ(rules.VerdictOn(request), kAllow);
}

TEST(OtherServices, AreForIdentityPolicies) {
  Request request = FromAlice();
  request.action = "claviger:Explain";
  Rules rules;
  rules.Identity(Allow(R"("Action":"claviger:*","Resource":"*")"));
  EXPECT_EQ(rules.VerdictOn(request), kAllow);
  request.action = "iam:CreateUser";
  EXPECT_EQ(rules.VerdictOn(request), kImplicit);
}

TEST(BoundPrincipals, DoNotComeBackWithTheirName) {
  const std::string text = Document(Allow(For(kAlice)));
  const auto decide = [&](std::vector<PrincipalId> ids, std::string_view id) {
    const Policy policy =
        testlib::Take(Policy::Parse(PolicyKind::kKey, text, ids));
    ids.clear();  // The policy has kept a copy.
    Request request = FromAlice();
    request.principal_id = id;
    return Decide(request, {.resource_policy = &policy}).verdict;
  };
  EXPECT_EQ(
      decide({{kAlice, "AIDAAAAAAAAAAAAAAAAA1"}}, "AIDAAAAAAAAAAAAAAAAA1"),
      kAllow);
  EXPECT_EQ(
      decide({{kAlice, "AIDAAAAAAAAAAAAAAAAA1"}}, "AIDAAAAAAAAAAAAAAAAA2"),
      kImplicit);
  EXPECT_EQ(decide({{kAlice, ""}}, ""), kImplicit);
  EXPECT_EQ(decide({}, "AIDAAAAAAAAAAAAAAAAA2"), kAllow);
}

TEST(BoundPrincipals, MayBeWrittenAsIds) {
  Rules rules;
  rules.Key(Allow(For("AROAAAAAAAAAAAAAAAAA1"))).Boundary(allow_all);
  Request request = FromSession();
  request.principal_id = "AROAAAAAAAAAAAAAAAAA1";
  EXPECT_EQ(rules.VerdictOn(request), kAllow);
  request.principal_id = "AROAAAAAAAAAAAAAAAAA2";
  EXPECT_EQ(rules.VerdictOn(request), kImplicit);
}

TEST(FailClosed, UnreadablePolicyDenies) {
  const Policy unreadable = Policy::Unreadable();
  const Policy* const pointer = &unreadable;
  const Policy key = Compiled(PolicyKind::kKey, Document(Allow(For("*"))));
  const Authority authority = {.resource_policy = &key,
                               .identity = {&pointer, 1}};
  ExpectDecision(Decide(FromAlice(), authority), kExplicit,
                 "identity-based policy");
}

TEST(FailClosed, RequestThatNoPolicyCanNameIsDenied) {
  Rules rules;
  rules.Key(Allow(For("*", "*")))
      .Identity(Allow(R"("Action":"*","Resource":"*")"));
  Request request = FromAlice();
  EXPECT_EQ(rules.VerdictOn(request), kAllow);
  request.resource = "key/1234";
  EXPECT_EQ(rules.VerdictOn(request), kImplicit);
  request = FromAlice();
  const std::string long_action = "kms:" + std::string(200, 'a');
  request.action = long_action;
  EXPECT_EQ(rules.VerdictOn(request), kImplicit);
  request.action = "";
  EXPECT_EQ(rules.VerdictOn(request), kImplicit);
}

TEST(Sentences, AreThoseOfAws) {
  Rules rules;
  rules.Key(Allow(For(kRoot)));
  const std::string start =
      "User: arn:aws:iam::111122223333:user/alice is not authorized to "
      "perform: kms:Decrypt on resource: " +
      std::string(kKeyArn);
  EXPECT_EQ(AccessDeniedText(FromAlice(), rules.Decide(FromAlice())),
            start +
                " because no identity-based policy allows the kms:Decrypt "
                "action");
  rules.Key(Deny(For(kRoot)));
  EXPECT_EQ(AccessDeniedText(FromAlice(), rules.Decide(FromAlice())),
            start + " with an explicit deny in a resource-based policy");
  EXPECT_EQ(AccessDeniedText(FromAlice(), {}), start);
}

}  // namespace
}  // namespace policy
