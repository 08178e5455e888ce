// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "policy/policy.h"
#include "tests/policy/policies.h"
#include "tests/testlib/status.h"

namespace policy {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testlib::StatusIs;

struct Row {
  PolicyKind kind;
  std::string statements;
  const char* message;  // nullptr: it is good.
};

void ExpectRows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto policy = Policy::Parse(row.kind, Document(row.statements));
    if (row.message == nullptr) {
      EXPECT_THAT(policy, testlib::IsOk()) << row.statements;
    } else {
      EXPECT_THAT(policy,
                  StatusIs(ErrorCode::kMalformedPolicy, HasSubstr(row.message)))
          << row.statements;
    }
  }
}

const std::string allow_all = Allow(R"("Action":"kms:*","Resource":"*")");

TEST(PolicyKinds, IdentityPoliciesNameNobodyButActionsAndResources) {
  for (const PolicyKind kind :
       {PolicyKind::kIdentity, PolicyKind::kPermissionsBoundary,
        PolicyKind::kSession, PolicyKind::kServiceControl}) {
    ExpectRows({
        {kind, allow_all, nullptr},
        {kind, Allow(R"("Action":"s3:Get*","NotResource":["*"])"), nullptr},
        {kind, Allow(For("*")), "cannot hold Principal"},
        {kind, Deny(R"("NotPrincipal":"*","Action":"*","Resource":"*")"),
         "cannot hold NotPrincipal"},
        {kind, Allow(R"("Resource":"*")"), "needs an Action"},
        {kind, Allow(R"("Action":"*")"), "needs a Resource"},
        {kind, allow_all + "," + Allow(R"("Action":"*")"), "needs a Resource"},
    });
  }
}

TEST(PolicyKinds, IdentityPoliciesHavePlainAndDifferentSids) {
  const auto with = [](std::string_view sid) {
    return Allow(R"("Sid":")" + std::string(sid) +
                 R"(","Action":"*","Resource":"*")");
  };
  ExpectRows({
      {PolicyKind::kIdentity, with("a") + "," + with("b"), nullptr},
      {PolicyKind::kIdentity, with("") + "," + with(""), nullptr},
      {PolicyKind::kIdentity, with("a b"), "must be alpha-numeric"},
      {PolicyKind::kIdentity, with("a") + "," + with("a"), "must be unique"},
      {PolicyKind::kKey, Allow(R"("Sid":"a b",)" + For("*")), nullptr},
  });
  EXPECT_THAT(Policy::Parse(PolicyKind::kIdentity,
                            R"({"Id":"x","Statement":[)" + allow_all + "]}"),
              StatusIs(ErrorCode::kMalformedPolicy, HasSubstr("'Id'")));
}

TEST(PolicyKinds, TrustPoliciesNamePrincipalsButNoResource) {
  const PolicyKind kind = PolicyKind::kTrust;
  ExpectRows({
      {kind, Allow(R"("Principal":"*","Action":"sts:AssumeRole")"), nullptr},
      {kind, Allow(For("*", "sts:AssumeRole")), "cannot hold Resource"},
      {kind, Allow(R"("Action":"sts:AssumeRole")"), "needs a Principal"},
      {kind, Allow(R"("Principal":"*")"), "needs an Action"},
  });
}

TEST(PolicyKinds, ResourceControlPoliciesOnlyDenyAndEveryone) {
  const PolicyKind kind = PolicyKind::kResourceControl;
  ExpectRows({
      {kind, Deny(For("*")), nullptr},
      {kind, Allow(For("*", "*")), nullptr},
      {kind, Allow(For("*")), "can only deny"},
      {kind, Deny(For(kAccount)), "must be \"*\""},
      {kind, Deny(R"("NotPrincipal":"*","Action":"*","Resource":"*")"),
       "must be \"*\""},
      {kind, Deny(R"("Principal":"*","Action":"kms:*")"), "needs a Resource"},
  });
}

TEST(KeyPolicies, NamePrincipalsThatCanBe) {
  for (const std::string_view good :
       {std::string_view("*"), kAccount, kRoot, kAlice, kRole, kSession,
        kFederated, std::string_view("AIDAAAAAAAAAAAAAAAAA1"),
        std::string_view("arn:aws-cn:iam::111122223333:role/a/b/c"),
        std::string_view("arn:aws:iam::111122223333:user/a~(b)/c.d@e")}) {
    EXPECT_OK(Policy::Parse(PolicyKind::kKey, Document(Allow(For(good)))))
        << good;
  }
  for (const char* const bad :
       {"", "1", "1111222233334", "alice", "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::111122223333:group/g", "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::*:root", "arn:aws:iam::111122223333:user",
        "arn:aws:iam:eu-west-1:111122223333:user/a", "arn:aws:s3:::b",
        "arn:aws:sts::111122223333:assumed-role/r",
        "arn:aws:iam::111122223333:user/a//b",
        "arn:aws:iam::111122223333:user/a*/b",
        "arn:aws:iam::111122223333:user/a~", "1111222233*"}) {
    EXPECT_THAT(Policy::Parse(PolicyKind::kKey, Document(Allow(For(bad)))),
                StatusIs(ErrorCode::kMalformedPolicy,
                         "Policy contains a statement with one or more invalid "
                         "principals."))
        << bad;
  }
  ExpectRows({
      {PolicyKind::kKey, Allow(For(R"({"CanonicalUser":"x"})")),
       "Unknown element 'CanonicalUser'"},
      {PolicyKind::kKey, Allow(For(R"({"Service":"*"})")),
       "invalid principals"},
      {PolicyKind::kKey, R"({"Effect":"Allow","NotPrincipal":"*"})",
       "NotPrincipal cannot stand with the Effect Allow"},
  });
}

TEST(KeyPolicies, NameActionsThatCanBe) {
  for (const char* const good :
       {"*", "kms:*", "KMS:decrypt", "*:*", "kms:Re?ncrypt*", "kms:NoSuch"}) {
    EXPECT_OK(Policy::Parse(PolicyKind::kKey, Document(Allow(For("*", good)))))
        << good;
  }
  for (const char* const bad : {"", "kms", "kms:", ":Decrypt", "kms:a:b",
                                "k*:Decrypt", "s3:*", "kms:De crypt"}) {
    EXPECT_THAT(
        Policy::Parse(PolicyKind::kKey, Document(Allow(For("*", bad)))),
        StatusIs(ErrorCode::kMalformedPolicy, HasSubstr("is no action")))
        << bad;
  }
}

TEST(KeyPolicies, RefuseForAllValuesWhereItLetsEveryoneIn) {
  const auto with = [](std::string_view name, std::string_view key) {
    return Allow(For("*") + R"(,"Condition":{")" + std::string(name) +
                 R"(":{")" + std::string(key) + R"(":"x"}})");
  };
  constexpr const char* kText =
      "OverlyPermissiveCondition: Using the ForAllValues set operator with a "
      "single-valued condition key";
  ExpectRows({
      {PolicyKind::kKey,
       with("ForAllValues:StringEquals", "kms:EncryptionContext:a"), kText},
      {PolicyKind::kKey,
       with("forallvalues:StringLike", "KMS:encryptionContext:a"), kText},
      {PolicyKind::kKey, with("ForAllValues:StringEquals", "aws:RequestTag/a"),
       kText},
      {PolicyKind::kKey,
       with("ForAllValues:StringEquals", "kms:EncryptionContextKeys"), nullptr},
      {PolicyKind::kKey,
       with("ForAnyValue:StringEquals", "kms:EncryptionContext:a"), nullptr},
  });
}

TEST(KeyPolicies, WithoutActionOrResourceHaveNoEffect) {
  for (const char* const members :
       {R"("Principal":"*","Action":"kms:*")",
        R"("Principal":"*","Resource":"*")", R"("Principal":"*")"}) {
    Rules allowing;
    allowing.Key(Allow(members));
    EXPECT_EQ(allowing.VerdictOn(FromAlice()), Verdict::kImplicitDeny);
    Rules denying;
    denying.Key(Allow(For("*")) + "," + Deny(members));
    EXPECT_EQ(denying.VerdictOn(FromAlice()), Verdict::kAllow);
  }
}

TEST(Policies, AreLimitedInSizeAndCharacters) {
  const std::string good = Document(Allow(For("*")));
  EXPECT_OK(Policy::Parse(PolicyKind::kKey,
                          good + std::string(32768 - good.size(), ' ')));
  EXPECT_THAT(Policy::Parse(PolicyKind::kKey,
                            good + std::string(32769 - good.size(), ' ')),
              StatusIs(ErrorCode::kLimitExceeded, HasSubstr("32769 bytes")));
  EXPECT_THAT(
      Policy::Parse(PolicyKind::kKey,
                    Document(Allow("\"Sid\":\"\xE2\x82\xAC\"," + For("*")))),
      StatusIs(ErrorCode::kMalformedPolicy, HasSubstr("character")));
  EXPECT_OK(Policy::Parse(PolicyKind::kKey,
                          Document(Allow("\"Sid\":\"\xC3\xBF\"," + For("*")))));
}

TEST(Policies, MayHaveNoVariableInTheFirstPartsOfAResource) {
  const auto with = [](std::string_view resource) {
    return Allow(R"("Action":"*","Resource":")" + std::string(resource) + "\"");
  };
  ExpectRows({
      {PolicyKind::kIdentity,
       with("arn:aws:kms:${aws:RequestedRegion}:1:key/x"), "fifth colon"},
      {PolicyKind::kIdentity, with("arn:aws:s3:::b/${aws:username}"), nullptr},
  });
}

TEST(Policies, CountNoWhiteSpaceOutsideOfStrings) {
  EXPECT_EQ(SizeWithoutWhiteSpace("{ \"a b\" :\n\"c \\\" d\" }"),
            std::string_view("{\"a b\":\"c \\\" d\"}").size());
}

TEST(Policies, TellWhomTheyName) {
  const Policy policy = Compiled(
      PolicyKind::kKey, Document(Allow(For(kAlice)) + "," + Deny(For(kRoot)) +
                                 "," + Allow(For("*"))));
  EXPECT_THAT(policy.NamedPrincipals(), ElementsAre(kAlice, kAccount));
}

// Whether an identity policy for `pattern` opens `resource` for an iam: action.
bool Covers(std::string_view pattern, std::string_view resource,
            const char* element = "Resource") {
  Rules rules;
  rules.Identity(Allow(R"("Action":"*",")" + std::string(element) + R"(":")" +
                       std::string(pattern) + "\""));
  Request request = FromAlice();
  request.action = "claviger:X";
  request.resource = resource;
  const ContextEntry user = {"aws:username", {}, "al*ce"};
  request.context = {&user, 1};
  return rules.VerdictOn(request) == Verdict::kAllow;
}

TEST(Resources, AreComparedPartByPart) {
  const std::string_view arn = kKeyArn;
  EXPECT_TRUE(Covers("*", arn));
  EXPECT_TRUE(Covers("arn:aws:kms:*:111122223333:key/*", arn));
  EXPECT_TRUE(Covers("arn:aws:kms:*", arn));
  EXPECT_TRUE(Covers("arn:aws:kms", arn));
  EXPECT_FALSE(Covers("arn:aws:s3", arn));
  EXPECT_FALSE(Covers("arn:*:key/*", arn));
  EXPECT_FALSE(Covers("arn:aws:kms:*:111122223333:key/1234ABCD*", arn));
  EXPECT_TRUE(Covers("*", "*"));
  EXPECT_FALSE(Covers("arn:aws:kms:*:*:*", "*"));
  EXPECT_TRUE(Covers("arn:aws:x:::a:b*", "arn:aws:x:::a:b:c"));
  EXPECT_FALSE(Covers("*", arn, "NotResource"));
  EXPECT_TRUE(Covers("arn:aws:s3:::*", arn, "NotResource"));
  EXPECT_FALSE(Covers("arn:aws:kms:*:*:*", arn, "NotResource"));
}

TEST(Resources, HoldVariables) {
  EXPECT_TRUE(Covers("arn:aws:x:::${aws:username}", "arn:aws:x:::al*ce"));
  EXPECT_FALSE(Covers("arn:aws:x:::${aws:username}", "arn:aws:x:::alice"));
  EXPECT_FALSE(Covers("arn:aws:x:::${none}*", "arn:aws:x:::alice"));
  EXPECT_TRUE(Covers("arn:aws:x:::${none, 'a'}*", "arn:aws:x:::alice"));
  // Without its value it covers no resource at all.
  EXPECT_FALSE(Covers("arn:aws:x:::${none}", "arn:aws:y:::b", "NotResource"));
}

TEST(Resources, InAKeyPolicyAreTheKeyOrNothing) {
  const auto opens = [](std::string_view resource) {
    Rules rules;
    rules.Key(Allow(R"("Principal":"*","Action":"kms:*","Resource":")" +
                    std::string(resource) + "\""));
    return rules.VerdictOn(FromAlice()) == Verdict::kAllow;
  };
  EXPECT_TRUE(opens("*"));
  EXPECT_TRUE(opens(kKeyArn));
  EXPECT_TRUE(opens("arn:aws:kms:*:*:key/*"));
  EXPECT_TRUE(opens("arn:aws:kms:*"));
  EXPECT_FALSE(opens("arn:aws:kms"));
  EXPECT_FALSE(opens("arn:aws:kms:eu-west-1:111122223333:key/other"));
}

}  // namespace
}  // namespace policy
