// SPDX-License-Identifier: Apache-2.0
// Access keys: told once, in force at once, gone at once.
#include "kms/operations/bootstrap.h"
#include "tests/kms/operations_iam_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class IamAccessKeysTest : public IamTest {
 protected:
  const json dora_ = {{"UserName", "dora"}};

  IamAccessKeysTest() { Do("CreateUser", dora_); }

  const identity::AccessKey* Credential(const json& key) {
    kept_ = directory();
    return kept_->credentials().Find(key.at("AccessKeyId").get<std::string>());
  }

  std::shared_ptr<const identity::Directory> kept_;
};

TEST_F(IamAccessKeysTest, LetTheirUserInFromTheAnswerOn) {
  json key = Do("CreateAccessKey", dora_).at("AccessKey");
  const identity::AccessKey* const credential = Credential(key);
  ASSERT_NE(credential, nullptr);
  EXPECT_EQ(credential->secret->RevealText(),
            key.at("SecretAccessKey").get<std::string>());
  EXPECT_EQ(credential->caller->arn, UserArn("dora"));
  EXPECT_EQ(credential->caller->access_key_id, key.at("AccessKeyId"));
  key.erase("SecretAccessKey");
  EXPECT_EQ(key, json({{"UserName", "dora"},
                       {"AccessKeyId", credential->id},
                       {"Status", "Active"},
                       {"CreateDate", kNow}}));
  EXPECT_EQ(Do("ListAccessKeys", dora_).at("AccessKeyMetadata"),
            json::array({key}));
}

TEST_F(IamAccessKeysTest, KeepTheirSecretOutOfTheLogAndTheStore) {
  const json key = Do("CreateAccessKey", dora_).at("AccessKey");
  const std::string log = LogText();
  EXPECT_THAT(log, testing::Not(HasSubstr(key.at("SecretAccessKey"))));
  const json event = Events().back();
  EXPECT_EQ(event.at("eventSource"), "iam.amazonaws.com");
  EXPECT_EQ(event.at("eventName"), "CreateAccessKey");
  EXPECT_EQ(event.at("requestParameters"), json({{"userName", "dora"}}));
  EXPECT_EQ(event.at("responseElements"),
            json({{"accessKeyId", key.at("AccessKeyId")}}));
}

TEST_F(IamAccessKeysTest, AreTwoAtMost) {
  Do("CreateAccessKey", dora_);
  Do("CreateAccessKey", dora_);
  EXPECT_THAT(Iam("CreateAccessKey", dora_),
              StatusIs(ErrorCode::kLimitExceeded,
                       "Cannot exceed quota for AccessKeysPerUser: 2"));
  EXPECT_THAT(
      Iam("CreateAccessKey", {{"UserName", "no"}}),
      StatusIs(ErrorCode::kNotFound, "The user with name no cannot be found."));
}

TEST_F(IamAccessKeysTest, AreSwitchedOffAndOn) {
  json key = Do("CreateAccessKey", dora_).at("AccessKey");
  const json id = key.at("AccessKeyId");
  json update = {{"UserName", "dora"}, {"AccessKeyId", id}};
  update["Status"] = "Inactive";
  Do("UpdateAccessKey", update);
  EXPECT_EQ(Credential(key), nullptr);
  EXPECT_EQ(Do("ListAccessKeys", dora_).at("AccessKeyMetadata")[0].at("Status"),
            "Inactive");
  update["Status"] = "Active";
  Do("UpdateAccessKey", update);
  EXPECT_NE(Credential(key), nullptr);
  update["Status"] = "On";
  EXPECT_THAT(Iam("UpdateAccessKey", update), StatusIs(ErrorCode::kValidation));
}

TEST_F(IamAccessKeysTest, OfOneUserAreNotAnothers) {
  const json id =
      Do("CreateAccessKey", dora_).at("AccessKey").at("AccessKeyId");
  const json others = {
      {"UserName", "alice"}, {"AccessKeyId", id}, {"Status", "Inactive"}};
  const std::string text =
      "The Access Key with id " + id.get<std::string>() + " cannot be found.";
  for (const char* const operation : {"UpdateAccessKey", "DeleteAccessKey"}) {
    EXPECT_THAT(Iam(operation, others), StatusIs(ErrorCode::kNotFound, text));
  }
  EXPECT_EQ(Do("ListAccessKeys", dora_).at("AccessKeyMetadata").size(), 1U);
}

TEST_F(IamAccessKeysTest, AreTheCallersOwnWithoutAName) {
  Do("PutUserPolicy", {{"UserName", "dora"},
                       {"PolicyName", "self"},
                       {"PolicyDocument", PolicyText("Allow", "iam:*Key*")}});
  const From dora = As("dora");
  const json key =
      Take(Iam("CreateAccessKey", json::object(), dora)).at("AccessKey");
  EXPECT_EQ(key.at("UserName"), "dora");
  const json listed = Take(Iam("ListAccessKeys", json::object(), dora));
  EXPECT_EQ(listed.at("AccessKeyMetadata").size(), 1U);
  EXPECT_OK(
      Iam("DeleteAccessKey", {{"AccessKeyId", key.at("AccessKeyId")}}, dora));
  EXPECT_EQ(Credential(key), nullptr);
}

TEST_F(IamAccessKeysTest, OfADeletedUserLetNobodyIn) {
  const json key = Do("CreateAccessKey", dora_).at("AccessKey");
  EXPECT_NE(Credential(key), nullptr);
  Do("DeleteAccessKey",
     {{"UserName", "dora"}, {"AccessKeyId", key.at("AccessKeyId")}});
  Do("DeleteUser", dora_);
  Do("CreateUser", dora_);
  EXPECT_EQ(Credential(key), nullptr);
}

TEST_F(IamAccessKeysTest, SurviveARestart) {
  const json key = Do("CreateAccessKey", dora_).at("AccessKey");
  Restart();
  testlib::Take(Run(LoadIdentities(environment())));
  ASSERT_NE(Credential(key), nullptr);
  EXPECT_EQ(Credential(key)->secret->RevealText(),
            key.at("SecretAccessKey").get<std::string>());
}

class AccountsTest : public IamTest {
 protected:
  base::Result<json> Own(std::string_view operation, const json& input,
                         bool operator_asks = true) {
    From from = {.service = "Claviger", .door = Door::kUnix};
    from.caller.administrator = operator_asks;
    return Ask(operation, input, from);
  }
};

TEST_F(AccountsTest, AreAddedByTheOperatorAlone) {
  const json input = {{"AccountId", "123456789012"}};
  EXPECT_THAT(Own("AddAccount", input, false),
              StatusIs(ErrorCode::kAccessDenied, HasSubstr("operator")));
  const json made = Take(Own("AddAccount", input));
  EXPECT_EQ(made.at("AccountId"), "123456789012");
  const auto now = directory();
  const identity::AccessKey* const credential =
      now->credentials().Find(made.at("AccessKeyId").get<std::string>());
  ASSERT_NE(credential, nullptr);
  EXPECT_EQ(credential->caller->arn, "arn:aws:iam::123456789012:user/admin");
  EXPECT_EQ(credential->secret->RevealText(),
            made.at("SecretAccessKey").get<std::string>());
  EXPECT_THAT(LogText(), testing::Not(HasSubstr(made.at("SecretAccessKey"))));
  From admin;
  admin.caller = *credential->caller;
  EXPECT_OK(Iam("CreateUser", {{"UserName", "first"}}, admin));
  EXPECT_OK(Ask("CreateKey", json::object(), admin));
  EXPECT_THAT(Own("AddAccount", input),
              StatusIs(ErrorCode::kAlreadyExists,
                       "Account 123456789012 already exists."));
  EXPECT_THAT(Own("AddAccount", {{"AccountId", "1"}}),
              StatusIs(ErrorCode::kValidation));
}

TEST_F(AccountsTest, AreListed) {
  Take(Own("AddAccount", {{"AccountId", "123456789012"}}));
  std::vector<std::string> ids;
  const json listed = Take(Own("ListAccounts", json::object()));
  for (const json& account : listed.at("Accounts")) {
    ids.push_back(account.at("AccountId"));
  }
  EXPECT_THAT(ids,
              testing::ElementsAre(kAccount, "123456789012", kOtherAccount));
  EXPECT_THAT(Own("ListAccounts", json::object(), false),
              StatusIs(ErrorCode::kAccessDenied));
}

// What a development server's start asks for.
class AdministratorKeyTest : public IamAccessKeysTest {
 protected:
  base::Status Ensure(const std::string& id, const std::string& secret) {
    return Run(EnsureAdministratorKey(environment(), std::string(kAccount), id,
                                      base::Secret::CopyOf(secret)));
  }
};

TEST_F(AdministratorKeyTest, IsGivenOnceAndThenKnown) {
  ASSERT_OK(Ensure("AKIAEXAMPLE1", "not a secret"));
  ASSERT_OK(Ensure("AKIAEXAMPLE1", "not a secret"));
  const auto* const key = directory()->credentials().Find("AKIAEXAMPLE1");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->caller->arn, identity::Administrator(kAccount).arn);
}

TEST_F(AdministratorKeyTest, ThatLetsNobodyInIsRefused) {
  ASSERT_OK(Ensure("AKIAEXAMPLE1", "not a secret"));
  EXPECT_THAT(Ensure("AKIAEXAMPLE1", "another"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("secret")));
  const json key = Do("CreateAccessKey", dora_).at("AccessKey");
  EXPECT_THAT(Ensure(key.at("AccessKeyId"), key.at("SecretAccessKey")),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("is that of")));
  Do("UpdateAccessKey", {{"UserName", "dora"},
                         {"AccessKeyId", key.at("AccessKeyId")},
                         {"Status", "Inactive"}});
  EXPECT_THAT(Ensure(key.at("AccessKeyId"), key.at("SecretAccessKey")),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("inactive")));
}

TEST_F(AdministratorKeyTest, IsRefusedWhereThereAreTwo) {
  ASSERT_OK(Ensure("AKIAEXAMPLE1", "not a secret"));
  ASSERT_OK(Ensure("AKIAEXAMPLE2", "not a secret"));
  EXPECT_THAT(Ensure("AKIAEXAMPLE3", "not a secret"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("has 2")));
}

}  // namespace
}  // namespace kms::operations
