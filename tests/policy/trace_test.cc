// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "policy/decide.h"
#include "tests/policy/policies.h"

namespace policy {
namespace {

using What = StatementTrace::Outcome;

TEST(TraceTest, TellsWhatEachStatementDid) {
  Rules rules;
  rules.Key(
      Allow(R"("Sid":"principal",)" + For(kRole)) + "," +
      Allow(R"("Sid":"action",)" + For(kAlice, "kms:Encrypt")) + "," +
      Allow(R"("Sid":"condition",)" + For(kAlice) +
            R"(,"Condition":{"Bool":{"b":"true"},"StringEquals":{"k":"x"}})") +
      "," + Allow(R"("Sid":"dead","Principal":"*")") + "," +
      Deny(R"("Sid":"broken",)" + For(kAlice) +
           R"(,"Condition":{"NumericEquals":{"n":"one"}})") +
      "," + Allow(R"("Sid":"matched",)" + For(kRoot)));
  rules.Identity(Allow(R"("Sid":"resource","Action":"*","Resource":"arn:x")"));
  Request request = FromAlice();
  const std::vector<ContextEntry> context = {
      {"b", {}, "true"}, {"k", {}, "y"}, {"n", {}, "1"}};
  request.context = context;
  Trace trace;
  const Decision decision = Decide(request, rules.authority(), &trace);
  EXPECT_EQ(decision.verdict, Verdict::kExplicitDeny);
  EXPECT_EQ(decision.sid, "broken");
  const struct {
    const char* sid;
    What outcome;
    Layer layer;
  } expected[] = {
      {"principal", What::kPrincipal, Layer::kResource},
      {"action", What::kAction, Layer::kResource},
      {"condition", What::kCondition, Layer::kResource},
      {"dead", What::kDead, Layer::kResource},
      {"broken", What::kUnevaluable, Layer::kResource},
      {"matched", What::kMatched, Layer::kResource},
      {"resource", What::kResource, Layer::kIdentity},
  };
  ASSERT_EQ(trace.statements.size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(trace.statements[i].sid, expected[i].sid);
    EXPECT_EQ(OutcomeName(trace.statements[i].outcome),
              OutcomeName(expected[i].outcome));
    EXPECT_EQ(trace.statements[i].layer, expected[i].layer);
  }
  const StatementTrace& failed = trace.statements[2];
  ASSERT_NE(failed.condition, nullptr);
  EXPECT_EQ(failed.condition->operator_name(), "StringEquals");
  EXPECT_EQ(failed.condition->key(), "k");
  EXPECT_EQ(failed.actual, std::vector<std::string_view>{"y"});
}

TEST(TraceTest, TellsWhatEachGrantDid) {
  const ContextPair pair = {"a", "b"};
  const Grant good = {.grantee = kAlice, .operations = Bit("Decrypt")};
  Rules rules;
  const auto add = [&](std::string_view id, auto change) {
    Grant grant = good;
    grant.id = id;
    change(grant);
    rules.With(grant);
  };
  add("operation", [](Grant& grant) { grant.operations = Bit("Encrypt"); });
  add("constraint", [&](Grant& grant) {
    grant.constraint = Grant::Constraint::kSubset;
    grant.pairs = {&pair, 1};
  });
  add("grantee", [](Grant& grant) { grant.grantee = kRole; });
  add("not allowed by policies", [](Grant& grant) { grant.grantee = kRoot; });
  add("matched", [](Grant&) {});
  Trace trace;
  const Decision decision = Decide(FromAlice(), rules.authority(), &trace);
  EXPECT_EQ(decision.sid, "matched");
  ASSERT_EQ(trace.grants.size(), 5U);
  for (const GrantTrace& grant : trace.grants) {
    EXPECT_EQ(OutcomeName(grant.outcome), grant.id);
  }
}

TEST(TraceTest, ChangesNoDecision) {
  Rules rules;
  rules.Key(Deny(For(kAlice)) + "," + Allow(For(kAlice)));
  Trace trace;
  const Decision traced = Decide(FromAlice(), rules.authority(), &trace);
  EXPECT_EQ(traced.verdict, rules.VerdictOn(FromAlice()));
  EXPECT_EQ(trace.statements.size(), 2U);
}

}  // namespace
}  // namespace policy
