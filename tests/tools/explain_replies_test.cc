// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/explain_replies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/testlib/status.h"

namespace tools::claviger {
namespace {

using base::ErrorCode;
using base::Json;
using testing::HasSubstr;
using testing::StartsWith;
using testlib::StatusIs;
using testlib::Take;

Json Parsed(std::string_view text) { return Take(base::ParseJson(text)); }

TEST(ExplainRepliesTest, AnEventIsTheRecordAndItsChecks) {
  const std::string text = Take(RenderEvent(Parsed(R"({
    "EventId":"e-1","EventName":"Encrypt","EventTime":"2026-11-22T10:15:00Z",
    "Recorded":{"verdict":"Allow","layer":"grant","sid":"g1"},
    "PoliciesAreOf":"now","Differs":true,"Notes":["\u001b is gone"],
    "Checks":[{"decision":{"verdict":"ImplicitDeny","layer":"","sid":"",
      "reason":"no identity-based policy allows the","policy":null},
      "request":{"action":"kms:Encrypt","resource":"*","principal":"p"},
      "statements":[],"grants":[]}]})")));
  EXPECT_THAT(text,
              StartsWith("Event e-1: Encrypt at 2026-11-22T10:15:00Z.\n"
                         "Recorded: Allow (grant \"g1\").\n"
                         "By the policies of now it is decided otherwise:\n"
                         "Note: \\u001b is gone\n\n"
                         "p asks for kms:Encrypt on *.\n"));
  EXPECT_THAT(text, HasSubstr("Nothing allows: no identity-based policy allows "
                              "the kms:Encrypt action.\n"));
}

TEST(ExplainRepliesTest, WhoCanIsALineForEach) {
  EXPECT_EQ(Take(RenderWhoCan(Parsed(R"({
    "Principals":[
      {"Principal":"a","Can":"Yes","Layer":"grant","Sid":"g1","DependsOn":[]},
      {"Principal":"b","Can":"Maybe","Layer":"identity-based policy","Sid":"",
       "DependsOn":["aws:SourceIp","kms:ViaService"]}],
    "AllGrants":true,"AllAccounts":false,"Truncated":false})"))),
            "Yes   a  by (grant \"g1\")\n"
            "Maybe b  by (identity-based policy)  depends on aws:SourceIp, "
            "kms:ViaService\n"
            "Users and roles of other accounts were not looked at: that is the "
            "operator's, on the Unix socket.\n");
}

TEST(ExplainRepliesTest, AReplaySaysWhatChangesAndHowMuchItSaw) {
  EXPECT_EQ(Take(RenderReplay(Parsed(R"({
    "Changes":[{"EventId":"e","EventTime":"t","Principal":"p",
      "Action":"kms:Sign","Recorded":"Allow",
      "Before":{"Verdict":"Allow","Layer":"grant","Sid":"g"},
      "After":{"Verdict":"ExplicitDeny","Layer":"resource-based policy",
               "Sid":"No"}}],
    "Examined":7,"Changed":1,"AlreadyDifferent":2,"OfOtherAccounts":0,
    "NotDecidable":0,"Truncated":false})"))),
            "t e p kms:Sign\n"
            "  Allow (grant \"g\") becomes ExplicitDeny (resource-based policy "
            "\"No\")\n"
            "1 of 7 requests would be answered otherwise.\n"
            "2 of them are answered otherwise already, for other reasons.\n");
}

TEST(ExplainRepliesTest, RefusesWhatIsNoReply) {
  for (const char* const text : {"{}", "[]", "null", R"({"Checks":[{}]})",
                                 R"({"Checks":[{}],"Notes":[]})"}) {
    const Json reply = Parsed(text);
    EXPECT_THAT(RenderEvent(reply), StatusIs(ErrorCode::kSerialization));
    EXPECT_THAT(RenderWhoCan(reply), StatusIs(ErrorCode::kSerialization));
    EXPECT_THAT(RenderReplay(reply), StatusIs(ErrorCode::kSerialization));
  }
}

TEST(ExplainRepliesTest, ContextsAreStringsAndLists) {
  EXPECT_EQ(Take(ContextOf({"a=1", "b=x=y", "c=", "b=z", "b=w"})),
            Parsed(R"({"a":"1","b":["x=y","z","w"],"c":""})"));
  EXPECT_EQ(Take(ContextOf({})), Json::object());
  for (const char* const pair : {"", "a", "=a"}) {
    EXPECT_THAT(ContextOf({pair}), StatusIs(ErrorCode::kInvalidArgument));
  }
}

TEST(ExplainRepliesTest, TimesAreAgoOrSinceTheEpoch) {
  constexpr std::int64_t kNow = 1'000'000'000;
  EXPECT_EQ(Take(ParseSince("0", kNow)), 0);
  EXPECT_EQ(Take(ParseSince("123", kNow)), 123);
  EXPECT_EQ(Take(ParseSince("30d", kNow)), kNow - 30 * 86400);
  EXPECT_EQ(Take(ParseSince("12h", kNow)), kNow - 12 * 3600);
  EXPECT_EQ(Take(ParseSince("45m", kNow)), kNow - 45 * 60);
  EXPECT_EQ(Take(ParseSince("1s", kNow)), kNow - 1);
  for (const char* const text : {"", "d", "-1", "-1d", "1w", "1dd", "1 d",
                                 "99999d", "99999999999999999999"}) {
    EXPECT_THAT(ParseSince(text, kNow), StatusIs(ErrorCode::kInvalidArgument))
        << text;
  }
}

}  // namespace
}  // namespace tools::claviger
