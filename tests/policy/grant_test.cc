// SPDX-License-Identifier: Apache-2.0
#include "policy/grant.h"

#include <gtest/gtest.h>

#include "tests/policy/policies.h"

namespace policy {
namespace {

const std::string allow_all = Allow(R"("Action":"kms:*","Resource":"*")");
const std::string allow_nothing = Allow(R"("Action":"s3:*","Resource":"*")");

constexpr KmsActions kDecrypt = Bit("Decrypt");

bool Opens(const Grant& grant, const Request& request) {
  Rules rules;
  rules.With(grant);
  return rules.VerdictOn(request) == Verdict::kAllow;
}

TEST(GrantTest, LetsTheGranteeDoItsOperations) {
  const Grant grant = {.id = "g1", .grantee = kAlice, .operations = kDecrypt};
  EXPECT_TRUE(Opens(grant, FromAlice()));
  EXPECT_FALSE(Opens(grant, FromSession()));
  Request encrypt = FromAlice();
  encrypt.action = "kms:Encrypt";
  EXPECT_FALSE(Opens(grant, encrypt));
  Rules rules;
  rules.With(grant);
  const Decision decision = rules.Decide(FromAlice());
  EXPECT_EQ(decision.layer, "grant");
  EXPECT_EQ(decision.sid, "g1");
}

TEST(GrantTest, NamesRolesSessionsServicesAndStrangers) {
  const auto to = [](std::string_view grantee) {
    return Grant{.id = "g", .grantee = grantee, .operations = kDecrypt};
  };
  EXPECT_TRUE(Opens(to(kRole), FromSession()));
  EXPECT_TRUE(Opens(to(kSession), FromSession()));
  EXPECT_TRUE(Opens(to(kStranger), FromStranger()));
  EXPECT_TRUE(Opens(to("s3.amazonaws.com"), FromService("s3.amazonaws.com")));
  EXPECT_FALSE(Opens(to("s3.amazonaws.com"), FromService("s4.amazonaws.com")));
  EXPECT_FALSE(Opens(to(""), FromAlice()));
}

TEST(GrantTest, ToAnAccountNeedsAnIdentityPolicy) {
  const Grant grant = {.id = "g", .grantee = kRoot, .operations = kDecrypt};
  EXPECT_TRUE(Opens(grant, FromRoot()));
  EXPECT_FALSE(Opens(grant, FromAlice()));
  Rules rules;
  rules.With(grant).Identity(allow_all);
  EXPECT_EQ(rules.Decide(FromAlice()).layer, "grant");
  EXPECT_EQ(rules.VerdictOn(FromStranger()), Verdict::kImplicitDeny);
}

TEST(GrantTest, StaysWithinBoundarySessionPolicyAndScps) {
  const Grant grant = {.id = "g", .grantee = kAlice, .operations = kDecrypt};
  Rules within;
  within.With(grant).Boundary(allow_all).Session(allow_all).ServiceControl(
      allow_all);
  EXPECT_EQ(within.VerdictOn(FromAlice()), Verdict::kAllow);
  Rules bounded;
  bounded.With(grant).Boundary(allow_nothing);
  EXPECT_EQ(bounded.VerdictOn(FromAlice()), Verdict::kImplicitDeny);
  Rules narrowed;
  narrowed.With(grant).Session(allow_nothing);
  EXPECT_EQ(narrowed.VerdictOn(FromAlice()), Verdict::kImplicitDeny);
  Rules controlled;
  controlled.With(grant).ServiceControl(allow_nothing);
  EXPECT_EQ(controlled.VerdictOn(FromAlice()), Verdict::kImplicitDeny);
}

TEST(GrantTest, WorksAcrossAccountsForOperationsThatDo) {
  Request request = FromStranger();
  request.action = "kms:EnableKey";
  const Grant grant = {
      .id = "g", .grantee = kStranger, .operations = ~KmsActions{0}};
  EXPECT_FALSE(Opens(grant, request));
  EXPECT_TRUE(Opens(grant, FromStranger()));
}

TEST(GrantTest, OfADeletedUserIsNotItsSuccessors) {
  const Grant grant = {.id = "g",
                       .grantee = kAlice,
                       .grantee_id = "AIDA1",
                       .operations = kDecrypt};
  Request request = FromAlice();
  request.principal_id = "AIDA1";
  EXPECT_TRUE(Opens(grant, request));
  request.principal_id = "AIDA2";
  EXPECT_FALSE(Opens(grant, request));
}

TEST(GrantConstraints, EqualsWantsTheWholeContext) {
  const ContextPair pair = {"Dept", "IT"};
  Grant grant = {.id = "g",
                 .grantee = kAlice,
                 .operations = kDecrypt | Bit("DescribeKey"),
                 .constraint = Grant::Constraint::kEquals,
                 .pairs = {&pair, 1}};
  const auto opens = [&](std::vector<ContextEntry> context) {
    Request request = FromAlice();
    request.context = context;
    return Opens(grant, request);
  };
  const ContextEntry good = {"kms:EncryptionContext:", "Dept", "IT"};
  const ContextEntry more = {"kms:EncryptionContext:", "x", "y"};
  const ContextEntry names = {"kms:EncryptionContextKeys", {}, "Dept"};
  EXPECT_TRUE(opens({good, names}));
  EXPECT_TRUE(opens({{"kms:encryptioncontext:Dept", {}, "IT"}}));
  EXPECT_FALSE(opens({good, more}));
  EXPECT_FALSE(opens({}));
  // Keys depend on case, unlike those of conditions.
  EXPECT_FALSE(opens({{"kms:EncryptionContext:", "dept", "IT"}}));
  EXPECT_FALSE(opens({{"kms:EncryptionContext:", "Dept", "it"}}));
  grant.constraint = Grant::Constraint::kSubset;
  EXPECT_TRUE(opens({good, more}));
  EXPECT_FALSE(opens({more}));
  // No context in the request, and none asked for.
  Request describe = FromAlice();
  describe.action = "kms:DescribeKey";
  EXPECT_TRUE(Opens(grant, describe));
}

TEST(GrantConstraints, SourceArnMustMatch) {
  const Grant grant = {.id = "g",
                       .grantee = kAlice,
                       .operations = kDecrypt,
                       .source_arn = "arn:aws:s3:::bucket*"};
  EXPECT_FALSE(Opens(grant, FromAlice()));
  Request request = FromAlice();
  ContextEntry source = {"aws:SourceArn", {}, "arn:aws:s3:::bucket1"};
  request.context = {&source, 1};
  EXPECT_TRUE(Opens(grant, request));
  source.value = "arn:aws:s3:::other";
  EXPECT_FALSE(Opens(grant, request));
}

TEST(GrantTest, LetsCreateOnlyWhatItCovers) {
  Request request = FromAlice();
  request.action = "kms:CreateGrant";
  Grant grant = {
      .id = "g", .grantee = kAlice, .operations = Bit("CreateGrant")};
  EXPECT_FALSE(Opens(grant, request));
  grant.covers_child = true;
  EXPECT_TRUE(Opens(grant, request));
}

bool Retires(const Grant& grant, Request request, Rules& rules) {
  request.action = "kms:RetireGrant";
  Authority authority = rules.authority();
  authority.retired = &grant;
  return Decide(request, authority).verdict == Verdict::kAllow;
}

TEST(RetireGrant, IsForThoseWhomTheGrantNames) {
  Rules none;
  Grant grant = {.id = "g",
                 .grantee = kSession,
                 .operations = kDecrypt,
                 .retiring = kAlice,
                 .issuing_account = kAccount};
  EXPECT_TRUE(Retires(grant, FromAlice(), none));
  EXPECT_FALSE(Retires(grant, FromSession(), none));
  grant.operations |= Bit("RetireGrant");
  EXPECT_TRUE(Retires(grant, FromSession(), none));
  EXPECT_TRUE(Retires(grant, FromRoot(), none));
  EXPECT_FALSE(Retires(grant, FromStranger(), none));
}

TEST(RetireGrant, IsForTheIssuingAccountToGive) {
  const Grant grant = {.id = "g",
                       .grantee = kStranger,
                       .operations = kDecrypt,
                       .issuing_account = kAccount};
  Rules rules;
  rules.Key(Allow(For("*")));
  EXPECT_FALSE(Retires(grant, FromAlice(), rules));
  rules.Identity(allow_all);
  EXPECT_TRUE(Retires(grant, FromAlice(), rules));
  EXPECT_FALSE(Retires(grant, FromStranger(), rules));
}

TEST(RetireGrant, IsDeniedByAnExplicitDeny) {
  const Grant grant = {.id = "g",
                       .grantee = kStranger,
                       .operations = kDecrypt,
                       .retiring = kAlice,
                       .issuing_account = kAccount};
  Rules rules;
  rules.Key(Deny(For(kAlice, "kms:RetireGrant")));
  EXPECT_FALSE(Retires(grant, FromAlice(), rules));
}

}  // namespace
}  // namespace policy
