// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "policy/explain.h"
#include "tests/policy/policies.h"
#include "tests/testlib/status.h"

namespace tools::claviger {
namespace {

using policy::Allow;
using policy::Bit;
using policy::ContextEntry;
using policy::Deny;
using policy::For;
using policy::FromAlice;
using policy::kAlice;
using policy::kRole;
using policy::Request;
using policy::Rules;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testlib::StatusIs;

std::string Rendered(const Rules& rules, const Request& request) {
  policy::Trace trace;
  const policy::Decision decision =
      policy::Decide(request, rules.authority(), &trace);
  return testlib::Take(RenderExplanation(testlib::Take(
      base::ParseJson(policy::ExplainJson(request, decision, trace)))));
}

TEST(ExplanationTest, IsForPeople) {
  Rules rules;
  rules.Key(
      Allow(R"("Sid":"Role",)" + For(kRole)) + "," +
      Allow(For(kAlice, "kms:Encrypt")) + "," +
      Allow(
          R"("Sid":"Via",)" + For(kAlice) +
          R"(,"Condition":{"StringEquals":{"kms:ViaService":["a","b","c"]}})") +
      "," +
      Allow(For(kAlice) + R"(,"Condition":{"StringNotEquals":{"k":"v"}})") +
      "," + Allow(R"("Sid":"Dead","Principal":"*")") + "," +
      Allow(For(kAlice) + R"(,"Condition":{"NumericEquals":{"n":"one"}})"));
  rules.Identity(Allow(R"("Action":"kms:*","Resource":"*")"));
  rules.Identity(Allow(R"("Action":"kms:*","Resource":"arn:aws:kms:*:*:x")"));
  rules.With({.id = "g1", .grantee = kRole, .operations = Bit("Decrypt")});
  const std::vector<ContextEntry> context = {{"k", {}, "v"}, {"n", {}, "1"}};
  Request request = FromAlice();
  request.context = context;
  EXPECT_EQ(
      Rendered(rules, request),
      R"(arn:aws:iam::111122223333:user/alice asks for kms:Decrypt on )"
      R"(arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab.

In the resource-based policy:
  Statement 1 "Role" (Allow) does not match: it is about other principals.
  Statement 2 (Allow) does not match: it is about other actions.
  Statement 3 "Via" (Allow) does not match: StringEquals of kms:ViaService does not hold: the policy has "a", "b" or "c", the request has none: it is absent.
  Statement 4 (Allow) does not match: StringNotEquals of k does not hold: the policy has "v", the request has "v".
  Statement 5 "Dead" (Allow) has no effect, for it lacks an Action or a Resource.
  Statement 6 (Allow) counts as not matching, since it cannot be evaluated: NumericEquals of n cannot be evaluated: the policy has "one", the request has "1".

In the identity-based policy 1:
  Statement 1 (Allow) matches.

In the identity-based policy 2:
  Statement 1 (Allow) does not match: it is about other resources.

Grants:
  Grant g1 does not match: its grantee is somebody else.

Nothing allows: no resource-based policy allows the kms:Decrypt action.
)");
}

TEST(ExplanationTest, EndsWithWhatDecided) {
  Rules key;
  key.Key(Allow(R"("Sid":"S",)" + For(kAlice)));
  EXPECT_THAT(Rendered(key, FromAlice()),
              EndsWith("\n\nAllowed by statement \"S\" of the resource-based "
                       "policy.\n"));
  Rules denied;
  denied.Key(Allow(For(kAlice)));
  denied.Identity(Allow(R"("Action":"kms:*","Resource":"*")"));
  denied.Identity(Deny(R"("Action":"kms:*","Resource":"*")"));
  EXPECT_THAT(Rendered(denied, FromAlice()),
              EndsWith("Denied by a statement of the identity-based policy "
                       "2.\n"));
  Rules grant;
  grant.With({.id = "g1", .grantee = kAlice, .operations = Bit("Decrypt")});
  EXPECT_THAT(Rendered(grant, FromAlice()),
              EndsWith("  Grant g1 matches.\n\nAllowed by grant g1.\n"));
  Rules root;
  root.Key(Allow(For(policy::kRoot)));
  Request create = policy::FromRoot();
  create.action = "kms:CreateKey";
  create.resource = "*";
  EXPECT_THAT(Rendered(root, create),
              EndsWith("Allowed by the account's root user being who "
                       "asks.\n"));
}

TEST(ExplanationTest, EscapesWhatCouldSteerATerminal) {
  Rules rules;
  rules.Key(Deny(R"("Sid":"\u00e4 \u007f\u009b\u00ad \"",)" + For(kAlice) +
                 R"(,"Condition":{"StringNotEquals":{"k\u0007":"\n"}})"));
  const std::vector<ContextEntry> context = {{"k\x07", {}, "\n"}};
  Request request = FromAlice();
  request.context = context;
  request.resource =
      "arn:aws:kms:::key/\x1B[2J\xE2\x80\x8B\xF0\x9F\x98\x80\xFF";
  const std::string text = Rendered(rules, request);
  EXPECT_THAT(text, HasSubstr("key/\\u001b[2J\\u200b\\ud83d\\ude00\\ufffd."));
  EXPECT_THAT(text, HasSubstr("\"\xC3\xA4 \\u007f\\u009b\\u00ad \\\"\""));
  EXPECT_THAT(text, HasSubstr(R"(of k\u0007 does not hold: the policy has )"
                              R"("\n", the request has "\n")"));
  for (const char c : text) {
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    EXPECT_NE(c, '\x7F');
  }
  EXPECT_THAT(text, Not(HasSubstr("\xC2\x9B")));
}

TEST(ExplanationTest, ShowsOutcomesThatItDoesNotKnow) {
  const auto text = RenderExplanation(testlib::Take(base::ParseJson(
      R"({"decision":{"verdict":"New","reason":"of it"},"request":{},)"
      R"("statements":[{"outcome":"new"},7],"grants":[{"outcome":"new"}]})")));
  ASSERT_OK(text);
  EXPECT_THAT(*text, HasSubstr("does not match: new."));
  EXPECT_THAT(*text, EndsWith("Nothing allows: of it.\n"));
}

TEST(ExplanationTest, RefusesWhatIsNone) {
  for (const char* const text :
       {"null", "[]", "{}", "\"x\"",
        R"({"decision":{},"request":{},"statements":[],"grants":{}})",
        R"({"decision":{},"request":[],"statements":[],"grants":[]})"}) {
    EXPECT_THAT(RenderExplanation(testlib::Take(base::ParseJson(text))),
                StatusIs(base::ErrorCode::kSerialization,
                         "this is no explanation of a decision"))
        << text;
  }
}

}  // namespace
}  // namespace tools::claviger
