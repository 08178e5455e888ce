// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluate_case.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policy/policies.h"

namespace policy {
namespace {

using testing::HasSubstr;

std::string Asks(std::string_view principal, std::string_view rest,
                 std::string_view context = "{}") {
  return R"({"id":1,"request":{"principal":")" + std::string(principal) +
         R"(","action":"kms:Decrypt","resource":{"resource":")" +
         std::string(kKeyArn) + R"(","accountId":"111122223333"},"context":)" +
         std::string(context) + "}" + std::string(rest) + "}";
}

const std::string allow_all = Document(Allow(R"("Action":"*","Resource":"*")"));
const std::string allow_nothing =
    Document(Allow(R"("Action":"s3:*","Resource":"*")"));

TEST(EvaluateCaseTest, AnswersWithTheLayerThatDecided) {
  EXPECT_EQ(
      EvaluateCase(Asks(kAlice, "")),
      R"({"id":1,"result":"ImplicitlyDenied","by":"resource-based policy"})");
  const std::string key =
      R"(,"resourcePolicy":)" + Document(Allow(R"("Sid":"S",)" + For(kAlice)));
  EXPECT_EQ(
      EvaluateCase(Asks(kAlice, key)),
      R"({"id":1,"result":"Allowed","by":"resource-based policy","sid":"S"})");
  EXPECT_EQ(
      EvaluateCase(Asks(
          kAlice, key + R"(,"sessionPolicy":null,"identityPolicies":[)" +
                      Document(Deny(R"("Action":"*","Resource":"*")")) + "]")),
      R"({"id":1,"result":"ExplicitlyDenied","by":"identity-based policy"})");
}

TEST(EvaluateCaseTest, ReadsEveryLayer) {
  const std::string open =
      R"(,"resourcePolicy":)" + Document(Allow(For(kRole)));
  const auto result = [&](const std::string& rest) {
    return EvaluateCase(Asks(kSession, open + rest));
  };
  EXPECT_THAT(result(""), HasSubstr("Allowed"));
  EXPECT_THAT(result(R"(,"permissionBoundaries":[)" + allow_all + "]"),
              HasSubstr("Allowed"));
  EXPECT_THAT(result(R"(,"permissionBoundaries":[{"name":"b","policy":)" +
                     allow_nothing + "}]"),
              HasSubstr(R"("by":"permissions boundary")"));
  EXPECT_THAT(result(R"(,"sessionPolicy":)" + allow_nothing),
              HasSubstr(R"("by":"session policy")"));
  EXPECT_THAT(
      result(R"(,"serviceControlPolicies":[{"orgIdentifier":"o","policies":[)" +
             allow_all + R"(]},{"orgIdentifier":"ou","policies":[)" +
             allow_nothing + "]}]"),
      HasSubstr(R"("by":"service control policy")"));
  EXPECT_THAT(
      result(
          R"(,"resourceControlPolicies":[{"orgIdentifier":"o","policies":[)" +
          Document(Deny(For("*"))) + "]}]"),
      HasSubstr(R"("ExplicitlyDenied","by":"resource control policy")"));
}

TEST(EvaluateCaseTest, ReadsTheContext) {
  const std::string key =
      R"(,"resourcePolicy":)" +
      Document(Allow(
          For(kAlice) +
          R"(,"Condition":{"StringEquals":{"a":"1"},"ForAnyValue:StringEquals":{"b":"2"}})"));
  const auto result = [&](std::string_view context) {
    return EvaluateCase(Asks(kAlice, key, context));
  };
  EXPECT_THAT(result(R"({"A":1,"b":["2","3"]})"), HasSubstr("Allowed"));
  EXPECT_THAT(result(R"({"a":["1"],"b":["2"]})"), HasSubstr("Implicitly"));
  EXPECT_THAT(result(R"({"a":"1","b":[]})"), HasSubstr("Implicitly"));
  EXPECT_THAT(result(R"({"a":"1","b":{}})"), HasSubstr("error"));
}

TEST(EvaluateCaseTest, TakesTheRoleFromTheContext) {
  const std::string key =
      R"(,"resourcePolicy":)" +
      Document(Allow(For("arn:aws:iam::111122223333:role/r")));
  EXPECT_THAT(EvaluateCase(Asks(kSession, key)), HasSubstr("Allowed"));
  EXPECT_THAT(EvaluateCase(Asks(
                  kSession, key,
                  R"({"aws:PrincipalArn":")" + std::string(kRole) + "\"}")),
              HasSubstr("Implicitly"));
}

TEST(EvaluateCaseTest, OpensResourcesOfOtherServices) {
  const std::string ask =
      R"({"id":"x\"","request":{"principal":"arn:aws:iam::1:user/a","action":"s3:GetObject","resource":{"resource":"arn:aws:s3:::b/o","accountId":"1"}},"identityPolicies":[)" +
      allow_all + "]}";
  EXPECT_EQ(EvaluateCase(ask),
            R"({"id":"x\"","result":"Allowed","by":"identity-based policy"})");
}

TEST(EvaluateCaseTest, SaysWhatIsNoCase) {
  const struct {
    std::string line;
    const char* error;
  } rows[] = {
      {"", "not JSON"},
      {"[]", "a case must be an object"},
      {R"({"id":1})", "request must be an object"},
      {R"({"id":1,"request":{},"identityPolicys":[]})",
       "unknown member 'identityPolicys'"},
      {R"({"id":1,"request":{}})", "action must be a string"},
      {Asks("bob", ""), "principal is neither"},
      {Asks("arn:aws:iam::1:group/g", ""), "principal is not"},
      {Asks(kAlice, R"(,"identityPolicies":{})"), "must be a list"},
      {Asks(kAlice, R"(,"identityPolicies":[{}])"), "at least one Statement"},
      {Asks(kAlice, R"(,"resourcePolicy":[])"), "must be a JSON object"},
      {Asks(kAlice, R"(,"serviceControlPolicies":[1])"), "must be an object"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(EvaluateCase(row.line), HasSubstr("\"error\":")) << row.line;
    EXPECT_THAT(EvaluateCase(row.line), HasSubstr(row.error)) << row.line;
    EXPECT_FALSE(AnswerCase(row.line).is_case) << row.line;
  }
  EXPECT_TRUE(AnswerCase(Asks(kAlice, "")).is_case);
}

}  // namespace
}  // namespace policy
