// SPDX-License-Identifier: Apache-2.0
#include "policy/explain.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "tests/policy/policies.h"
#include "tests/testlib/status.h"

namespace policy {
namespace {

// Decides and explains.
std::string Explain(const Rules& rules, const Request& request) {
  Trace trace;
  const Decision decision = Decide(request, rules.authority(), &trace);
  return ExplainJson(request, decision, trace);
}

base::Json Parsed(const std::string& text) {
  return testlib::Take(base::ParseJson(text));
}

TEST(ExplainTest, TellsAll) {
  Rules rules;
  rules.Key(
      Allow(R"("Sid":"a",)" + For(kRole)) + "," +
      Allow(For(kAlice) +
            R"(,"Condition":{"StringEquals":{"kms:ViaService":["x","y"]}})") +
      "," + Deny(R"("Sid":"d",)" + For(kAlice)));
  rules.Identity(Allow(R"("Action":"kms:*","Resource":"*")"));
  Request request = FromAlice();
  const std::vector<ContextEntry> context = {{"kms:ViaService", {}, "z"}};
  request.context = context;
  EXPECT_EQ(
      Explain(rules, request),
      R"({"decision":{"verdict":"ExplicitDeny","layer":"resource-based policy",)"
      R"("sid":"d","reason":"with an explicit deny in a resource-based policy",)"
      R"("policy":0},"request":{"action":"kms:Decrypt","resource":")" +
          std::string(kKeyArn) + R"(","principal":")" + std::string(kAlice) +
          R"(","principalAccount":"111122223333","context":{"kms:ViaService":"z"}},)"
          R"("statements":[{"layer":"resource-based policy","policy":0,)"
          R"("statement":0,"sid":"a","effect":"Allow","outcome":"principal"},)"
          R"({"layer":"resource-based policy","policy":0,"statement":1,)"
          R"("sid":"","effect":"Allow","outcome":"condition","condition":)"
          R"({"operator":"StringEquals","key":"kms:ViaService",)"
          R"("values":["x","y"],"actual":["z"]}},)"
          R"({"layer":"resource-based policy","policy":0,"statement":2,)"
          R"("sid":"d","effect":"Deny","outcome":"matched"},)"
          R"({"layer":"identity-based policy","policy":0,"statement":0,)"
          R"("sid":"","effect":"Allow","outcome":"matched"}],"grants":[]})");
}

TEST(ExplainTest, TellsOfGrantsAndOfPoliciesThatDoNotExist) {
  Rules rules;
  rules.With({.id = "g1", .grantee = kRole, .operations = Bit("Decrypt")});
  rules.With({.id = "g2", .grantee = kAlice, .operations = Bit("Decrypt")});
  const base::Json json = Parsed(Explain(rules, FromAlice()));
  EXPECT_EQ(json["decision"]["verdict"], "Allow");
  EXPECT_EQ(json["decision"]["layer"], "grant");
  EXPECT_TRUE(json["decision"]["policy"].is_null());
  EXPECT_EQ(json["statements"], base::Json::array());
  EXPECT_EQ(json["grants"], Parsed(R"([{"id":"g1","outcome":"grantee"},)"
                                   R"({"id":"g2","outcome":"matched"}])"));
}

TEST(ExplainTest, KeysOfTheContextHaveOneValueOrAList) {
  const std::vector<ContextEntry> context = {
      {"kms:EncryptionContext:", "Dept", "IT"},
      {"aws:TagKeys", {}, "only"},
      {"twice", {}, "1"},
      {"own", {}, "one", /*multivalued=*/true},
      {"TWICE", {}, "2"}};
  Request request = FromAlice();
  request.context = context;
  EXPECT_EQ(Parsed(Explain(Rules(), request))["request"]["context"],
            Parsed(R"({"kms:EncryptionContext:Dept":"IT",)"
                   R"("aws:TagKeys":["only"],"twice":["1","2"],)"
                   R"("own":["one"]})"));
}

TEST(ExplainTest, IsJsonWhateverTheTexts) {
  const std::vector<ContextEntry> context = {{"k\"\n", {}, "\xFF\x1B[2J\\"},
                                             {"\xFE", "\"", ""}};
  Request request = FromAlice();
  request.context = context;
  request.resource = "arn:aws:kms:::key/\"\x01\xC3";
  const base::Json json = Parsed(Explain(Rules(), request));
  EXPECT_EQ(json["request"]["context"]["k\"\n"], "\xEF\xBF\xBD\x1B[2J\\");
  EXPECT_EQ(json["request"]["resource"],
            "arn:aws:kms:::key/\"\x01\xEF\xBF\xBD");
}

TEST(ExplainTest, SaysThatThereIsNoValue) {
  Rules rules;
  rules.Key(Allow(For(kAlice) + R"(,"Condition":{"Bool":{"b":true}})"));
  const base::Json json = Parsed(Explain(rules, FromAlice()));
  EXPECT_EQ(json["statements"][0]["condition"],
            Parsed(R"({"operator":"Bool","key":"b","values":["true"],)"
                   R"("actual":[]})"));
  EXPECT_EQ(json["decision"]["reason"], "no resource-based policy allows the");
}

}  // namespace
}  // namespace policy
