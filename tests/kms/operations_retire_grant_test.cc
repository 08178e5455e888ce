// SPDX-License-Identifier: Apache-2.0
// RetireGrant: how a grant is named, and who may.
#include "tests/kms/operations_grants_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

constexpr const char* kCarol = "arn:aws:iam::111122223333:user/carol";

class RetireGrantTest : public GrantsTest {
 protected:
  base::Result<json> Retire(const json& made, const From& from = {}) {
    return Ask("RetireGrant",
               {{"KeyId", Arn()}, {"GrantId", made.at("GrantId")}}, from);
  }
};

TEST_F(RetireGrantTest, ByTokenOrByIds) {
  const json one = Create();
  EXPECT_EQ(Take(Ask("RetireGrant", {{"GrantToken", one.at("GrantToken")}})),
            json::object());
  const json two = Create();
  EXPECT_OK(Retire(two));
  EXPECT_TRUE(List().empty());
  EXPECT_THAT(Retire(two),
              StatusIs(ErrorCode::kNotFound,
                       "Grant ID " + two.at("GrantId").get<std::string>() +
                           " not found"));
}

TEST_F(RetireGrantTest, RefusesOtherWaysToNameIt) {
  const json made = Create();
  const json& id = made.at("GrantId");
  const json& token = made.at("GrantToken");
  for (const json& input :
       {json::object(), json{{"KeyId", Arn()}}, json{{"GrantId", id}},
        json{{"GrantToken", token}, {"GrantId", id}},
        json{{"GrantToken", token}, {"KeyId", Arn()}},
        json{{"GrantToken", token}, {"KeyId", Arn()}, {"GrantId", id}}}) {
    EXPECT_THAT(Ask("RetireGrant", input),
                StatusIs(ErrorCode::kValidation,
                         "Specify either GrantToken, or both KeyId and "
                         "GrantId."))
        << input;
  }
  EXPECT_THAT(Ask("RetireGrant", {{"KeyId", key_}, {"GrantId", id}}),
              StatusIs(ErrorCode::kInvalidArn));
  EXPECT_THAT(Ask("RetireGrant", {{"KeyId", Arn()}, {"GrantId", "x"}}),
              StatusIs(ErrorCode::kInvalidGrantId));
  const std::string other =
      "arn:aws:kms:eu-west-1:111122223333:key/" + NewKey();
  EXPECT_THAT(Ask("RetireGrant", {{"KeyId", other}, {"GrantId", id}}),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_EQ(List().size(), 1);
}

TEST_F(RetireGrantTest, WhoMay) {
  const From alice = Somebody("alice");  // The grantee.
  const From carol = Somebody("carol");  // The retiring principal, if any.
  const From eve = Somebody("eve");
  const struct {
    const char* why;
    json more;
    From from;
    bool may;
  } cases[] = {
      {"the administrator of the account", {}, From(), true},
      {"the grantee", {}, alice, false},
      {"the grantee of RetireGrant",
       {{"Operations", {"Decrypt", "RetireGrant"}}},
       alice,
       true},
      {"the retiring principal", {{"RetiringPrincipal", kCarol}}, carol, true},
      {"grantee and retiring principal",
       {{"RetiringPrincipal", kAlice}},
       alice,
       true},
      {"another retiring principal",
       {{"RetiringPrincipal", kCarol}},
       alice,
       false},
      {"a user whom nothing names",
       {{"RetiringPrincipal", kCarol}},
       eve,
       false},
      {"another account", {}, Stranger(), false},
      {"the retiring account",
       {{"RetiringPrincipal", "arn:aws:iam::444455556666:root"}},
       Stranger(),
       true},
      {"a user of the retiring account",
       {{"RetiringPrincipal", "arn:aws:iam::444455556666:root"}},
       From{.caller = identity::User("444455556666", "u")},
       false},
      {"the account that is granted RetireGrant",
       {{"GranteePrincipal", "arn:aws:iam::444455556666:root"},
        {"Operations", {"Decrypt", "RetireGrant"}}},
       Stranger(),
       true},
      {"the account that is granted something else",
       {{"GranteePrincipal", "arn:aws:iam::444455556666:root"}},
       Stranger(),
       false},
  };
  for (const auto& [why, more, from, may] : cases) {
    SCOPED_TRACE(why);
    const json by_id = Create(more);
    const json by_token = Create(more);
    const json token = {{"GrantToken", by_token.at("GrantToken")}};
    if (may) {
      EXPECT_OK(Retire(by_id, from));
      EXPECT_OK(Ask("RetireGrant", token, from));
      continue;
    }
    EXPECT_THAT(Retire(by_id, from),
                StatusIs(ErrorCode::kAccessDenied,
                         HasSubstr("is not authorized to perform: "
                                   "kms:RetireGrant on resource: " +
                                   Arn())));
    EXPECT_THAT(Ask("RetireGrant", token, from),
                StatusIs(ErrorCode::kAccessDenied));
  }
  EXPECT_EQ(List().size(), 12);
}

TEST_F(RetireGrantTest, AStrangerDoesNotLearnWhichGrantsThereAre) {
  EXPECT_THAT(Retire({{"GrantId", std::string(64, '0')}}, Stranger()),
              StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(RetireGrantTest, ADryRunRetiresNothing) {
  const json made = Create();
  for (json input : {json{{"GrantToken", made.at("GrantToken")}},
                     json{{"KeyId", Arn()}, {"GrantId", made.at("GrantId")}}}) {
    input["DryRun"] = true;
    EXPECT_THAT(Ask("RetireGrant", input), StatusIs(ErrorCode::kDryRun));
    EXPECT_THAT(Ask("RetireGrant", input, Somebody("eve")),
                StatusIs(ErrorCode::kAccessDenied));
  }
  EXPECT_EQ(List().size(), 1);
}

TEST_F(RetireGrantTest, WorksInEveryKeyState) {
  const json one = Create();
  const json two = Create();
  ASSERT_OK(Ask("DisableKey", {{"KeyId", key_}}));
  EXPECT_OK(Retire(one));
  ASSERT_OK(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}));
  EXPECT_OK(Retire(two));
}

TEST_F(RetireGrantTest, RecordsTheDecisionAndTheConstraint) {
  const json made =
      Create({{"RetiringPrincipal", kCarol},
              {"Constraints", {{"EncryptionContextEquals", {{"dept", "x"}}}}}});
  ASSERT_OK(Retire(made, Somebody("carol")));
  const json event = Events().back();
  EXPECT_EQ(event.at("eventName"), "RetireGrant");
  EXPECT_EQ(event.at("requestParameters").at("grantId"), made.at("GrantId"));
  const json& more = event.at("additionalEventData");
  EXPECT_EQ(more.at("decision").at("layer"), "grant");
  EXPECT_EQ(more.at("context").at("kms:EncryptionContext:dept"), "x");
  EXPECT_EQ(more.at("context").at("kms:GrantConstraintType"),
            "EncryptionContextEquals");
}

}  // namespace
}  // namespace kms::operations
