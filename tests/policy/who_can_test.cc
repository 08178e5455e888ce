// SPDX-License-Identifier: Apache-2.0
#include "policy/who_can.h"

#include <gtest/gtest.h>

#include "tests/policy/policies.h"

namespace policy {
namespace {

using Context = std::vector<ContextEntry>;
using Names = std::vector<std::string_view>;

// What alice can do, as a word.
std::string_view Alice(const Rules& rules, const Context& context = {},
                       const Names& known = {},
                       std::string_view action = "kms:Decrypt") {
  Candidate candidate = {FromAlice(), rules.authority()};
  candidate.request.context = context;
  candidate.request.action = action;
  return CanName(WhoCan({&candidate, 1}, KnownKeys(known)).front().can);
}

// The condition of a statement.
std::string If(std::string_view condition) {
  return R"(,"Condition":{)" + std::string(condition) + "}";
}
const std::string k_is_x = If(R"("StringEquals":{"k":"x"})");

std::string_view IfKey(std::string_view statements, const Context& context = {},
                       const Names& known = {}) {
  Rules rules;
  rules.Key(statements);
  return Alice(rules, context, known);
}

TEST(WhoCanTest, WithoutConditionsNothingIsUnknown) {
  EXPECT_EQ(IfKey(Allow(For(kAlice))), "yes");
  EXPECT_EQ(IfKey(Allow(For(kRole))), "no");
  EXPECT_EQ(IfKey(Allow(For(kAlice)) + "," + Deny(For(kAlice))), "no");
}

TEST(WhoCanTest, AConditionOnAnUnknownKeyIsOpen) {
  for (const char* const condition :
       {R"("StringEquals":{"k":"x"})", R"("StringNotEquals":{"k":"x"})",
        R"("Null":{"k":"true"})", R"("Null":{"k":"false"})",
        R"("ForAllValues:StringEquals":{"k":"x"})",
        R"("ForAnyValue:StringEquals":{"k":"x"})",
        R"("StringEqualsIfExists":{"k":"x"})",
        R"("NumericEquals":{"k":"no number"})"}) {
    EXPECT_EQ(IfKey(Allow(For(kAlice) + If(condition))), "maybe") << condition;
    EXPECT_EQ(
        IfKey(Allow(For(kAlice)) + "," + Deny(For(kAlice) + If(condition))),
        "maybe")
        << condition;
  }
}

TEST(WhoCanTest, WhatTheContextHasIsKnown) {
  const std::string allow = Allow(For(kAlice) + k_is_x);
  EXPECT_EQ(IfKey(allow, {{"K", {}, "x"}}), "yes");
  EXPECT_EQ(IfKey(allow, {{"k", {}, "y"}}), "no");
  const std::string deny = Allow(For(kAlice)) + "," + Deny(For("*") + k_is_x);
  EXPECT_EQ(IfKey(deny, {{"k", {}, "x"}}), "no");
  EXPECT_EQ(IfKey(deny, {{"k", {}, "y"}}), "yes");
}

TEST(WhoCanTest, AKnownKeyThatTheContextLacksIsAbsent) {
  const std::string allow = Allow(For(kAlice) + k_is_x);
  EXPECT_EQ(IfKey(allow, {}, {"K"}), "no");
  EXPECT_EQ(IfKey(allow, {}, {"kk"}), "maybe");
  EXPECT_EQ(IfKey(Allow(For(kAlice) + If(R"("Null":{"k":"true"})")), {}, {"k"}),
            "yes");
  const std::string tag = Allow(
      For(kAlice) + If(R"("StringNotEquals":{"AWS:principaltag/Team":"x"})"));
  EXPECT_EQ(IfKey(tag, {}, {"aws:PrincipalTag/"}), "yes");
  EXPECT_EQ(IfKey(tag, {}, {"aws:"}), "yes");
  EXPECT_EQ(IfKey(tag, {}, {"aws:PrincipalTag"}), "maybe");
  EXPECT_EQ(IfKey(tag, {}, {"kms:"}), "maybe");
}

TEST(WhoCanTest, WhatIsKnownToFailSettlesAStatement) {
  const std::string both =
      For(kAlice) + If(R"("StringEquals":{"k":"x","known":"y"})");
  EXPECT_EQ(IfKey(Allow(both), {{"known", {}, "n"}}), "no");
  EXPECT_EQ(IfKey(Allow(both), {{"known", {}, "y"}}), "maybe");
  EXPECT_EQ(IfKey(Allow(For(kAlice)) + "," + Deny(both), {{"known", {}, "n"}}),
            "yes");
  // A Deny that cannot be evaluated denies, if the rest of it matches.
  const std::string broken =
      For(kAlice) +
      If(R"("NumericEquals":{"n":"one"},"StringEquals":{"k":"x"})");
  const std::string text = Allow(For(kAlice)) + "," + Deny(broken);
  EXPECT_EQ(IfKey(text, {{"n", {}, "1"}}), "maybe");
  EXPECT_EQ(IfKey(text, {{"n", {}, "1"}, {"k", {}, "x"}}), "no");
  EXPECT_EQ(IfKey(text, {{"n", {}, "1"}, {"k", {}, "y"}}), "yes");
}

TEST(WhoCanTest, OneSureWaySuffices) {
  EXPECT_EQ(IfKey(Allow(For(kAlice) + k_is_x) + "," + Allow(For(kAlice))),
            "yes");
  EXPECT_EQ(IfKey(Allow(For(kAlice) + k_is_x) + "," + Deny(For("*"))), "no");
}

TEST(WhoCanTest, VariablesOfUnknownKeysAreOpen) {
  const std::string value =
      Allow(For(kAlice) + If(R"("StringEquals":{"k":["a","${t, 'x'}"]})"));
  EXPECT_EQ(IfKey(value, {{"k", {}, "x"}}), "maybe");
  EXPECT_EQ(IfKey(value, {{"k", {}, "x"}}, {"t"}), "yes");
  EXPECT_EQ(IfKey(value, {{"k", {}, "x"}, {"t", {}, "y"}}), "no");
  Rules rules;
  rules.Key(Allow(For(kRoot)));
  rules.Identity(Allow(
      R"("Action":"*","Resource":"arn:aws:kms:*:111122223333:key/1234${t}")"));
  EXPECT_EQ(Alice(rules), "maybe");
  EXPECT_EQ(Alice(rules, {}, {"t"}), "no");
  EXPECT_EQ(Alice(rules, {{"t", {}, "abcd-12ab-34cd-56ef-1234567890ab"}}),
            "yes");
  Rules inverted;
  inverted.Key(Allow(For(kAlice)));
  inverted.Identity(Deny(
      R"("Action":"*","NotResource":"arn:aws:kms:*:111122223333:key/${t}")"));
  EXPECT_EQ(Alice(inverted), "maybe");
  EXPECT_EQ(Alice(inverted, {}, {"t"}), "yes");
  EXPECT_EQ(Alice(inverted, {{"t", {}, "other"}}), "no");
}

TEST(WhoCanTest, EveryLayerMayBeOpen) {
  const std::string all = R"("Action":"*","Resource":"*")";
  const auto with = [&](auto add) {
    Rules rules;
    rules.Key(Allow(For(kRoot)));
    rules.Identity(Allow(all));
    add(rules);
    return Alice(rules);
  };
  EXPECT_EQ(with([](Rules&) {}), "yes");
  const std::string open = Allow(all + k_is_x);
  EXPECT_EQ(with([&](Rules& rules) { rules.Boundary(open); }), "maybe");
  EXPECT_EQ(with([&](Rules& rules) { rules.ServiceControl(open); }), "maybe");
  EXPECT_EQ(with([&](Rules& rules) {
              rules.ResourceControl(Deny(For("*") + k_is_x));
            }),
            "maybe");
  EXPECT_EQ(with([&](Rules& rules) {
              rules.ServiceControl(open);
              rules.Boundary(Allow(R"("Action":"s3:*","Resource":"*")"));
            }),
            "no");
}

TEST(WhoCanTest, ConstraintsOfGrantsAreOpen) {
  const ContextPair pair = {"Dept", "IT"};
  Grant grant = {.id = "g",
                 .grantee = kAlice,
                 .operations = Bit("Decrypt") | Bit("DescribeKey")};
  const auto can = [&](const Context& context, const Names& known,
                       std::string_view action = "kms:Decrypt") {
    Rules rules;
    rules.With(grant);
    return Alice(rules, context, known, action);
  };
  const Context met = {{"kms:EncryptionContext:", "Dept", "IT"}};
  const Context other = {{"kms:EncryptionContext:", "Dept", "HR"}};
  const Names all = {"kms:EncryptionContext:"};
  EXPECT_EQ(can({}, {}), "yes");

  grant.constraint = Grant::Constraint::kSubset;
  grant.pairs = {&pair, 1};
  EXPECT_EQ(can({}, {}), "maybe");
  EXPECT_EQ(can({}, all), "no");
  EXPECT_EQ(can(met, {}), "yes");
  EXPECT_EQ(can(other, all), "no");
  EXPECT_EQ(can({}, {}, "kms:DescribeKey"), "yes");

  grant.constraint = Grant::Constraint::kEquals;
  EXPECT_EQ(can(met, {}), "maybe");
  EXPECT_EQ(can(met, all), "yes");
  EXPECT_EQ(can(other, all), "no");

  grant.constraint = Grant::Constraint::kNone;
  grant.source_arn = "arn:aws:sns:*:*:t";
  EXPECT_EQ(can({}, {}), "maybe");
  EXPECT_EQ(can({}, {"aws:SourceArn"}), "no");
  EXPECT_EQ(can({{"aws:SourceArn", {}, "arn:aws:sns:r:1:t"}}, {}), "yes");
}

TEST(WhoCanTest, SaysWhatDecidesForEach) {
  Rules rules;
  rules.Key(Allow(R"("Sid":"sure",)" + For(kAlice)) + "," +
            Allow(R"("Sid":"open",)" + For(kRole) + k_is_x));
  const std::vector<Candidate> candidates = {{FromAlice(), rules.authority()},
                                             {FromSession(), rules.authority()},
                                             {FromRoot(), rules.authority()}};
  const auto found = WhoCan(candidates, KnownKeys({}));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].can, Can::kYes);
  EXPECT_EQ(found[0].decision.sid, "sure");
  EXPECT_EQ(found[1].can, Can::kMaybe);
  EXPECT_EQ(found[1].decision.sid, "open");
  EXPECT_EQ(found[2].can, Can::kNo);
  EXPECT_EQ(found[2].decision.reason, "no resource-based policy allows the");
}

TEST(WhoCanTest, AMaybeSaysWhatItDependsOn) {
  const auto depends = [](const Rules& rules, const Names& known = {}) {
    const Candidate candidate = {FromAlice(), rules.authority()};
    const Possibility possibility =
        WhoCan({&candidate, 1}, KnownKeys(known)).front();
    return possibility.depends_on;
  };
  using Keys = std::vector<std::string>;
  Rules conditions;
  conditions.Key(Allow(For(kAlice) + k_is_x) + "," +
                 Deny(For(kAlice) + If(R"("Bool":{"Other":"true"})")) + "," +
                 Deny(For(kAlice) + If(R"("StringEquals":{"k":"y"})")));
  EXPECT_EQ(depends(conditions), Keys({"k", "Other"}));
  EXPECT_EQ(depends(conditions, {"k"}), Keys()) << "it is a no";
  Rules certain;
  certain.Key(Allow(For(kAlice)));
  EXPECT_EQ(depends(certain), Keys());
  const std::vector<ContextPair> pairs = {{"tenant", "a"}};
  Rules grant;
  grant.With({.id = "g1",
              .grantee = kAlice,
              .operations = Bit("Decrypt"),
              .constraint = Grant::Constraint::kSubset,
              .pairs = pairs});
  EXPECT_EQ(depends(grant), Keys({"constraint of grant g1"}));
}

}  // namespace
}  // namespace policy
