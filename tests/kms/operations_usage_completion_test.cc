// SPDX-License-Identifier: Apache-2.0
// What a start learns of the uses of keys from the audit log.
#include <chrono>
#include <filesystem>

#include "kms/operations/usage_completion.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class UsageCompletionTest : public OperationsTest {
 protected:
  UsageCompletionTest() : key_(NewKey()) {}

  std::uint64_t Head() { return log().health().head_sequence; }
  base::Status Save() { return Run(environment().last_usage.Save(Head())); }
  base::Status SaveNow() { return environment().last_usage.SaveNow(Head()); }
  json Usage(const std::string& key) {
    return testlib::Take(Ask("GetKeyLastUsage", {{"KeyId", key}}));
  }
  std::vector<store::LastUse> Uses(const std::string& key) {
    return testlib::Take(store().ListKeyUsages(key, 9));
  }
  void Forge(json event) { ASSERT_OK(log().AppendNow(event.dump())); }
  // The newest record of a successful use, without its chain.
  json LastEvent() {
    json event = Events().back();
    event.erase("chain");
    return event;
  }

  std::string key_;
};

TEST_F(UsageCompletionTest, ACrashTakesNothing) {
  const std::string blob = Encrypted(key_, "x");
  ASSERT_OK(Save());
  clock_.Advance(seconds(5));
  testlib::Take(Ask("Decrypt", {{"CiphertextBlob", blob}}));
  const json before = Usage(key_);
  EXPECT_EQ(before.at("KeyLastUsage").at("Operation"), "Decrypt");
  Restart();  // Without the end of a server.
  EXPECT_EQ(Usage(key_), before);
  EXPECT_EQ(Uses(key_).size(), 2U);
  Restart();  // It is in the store now.
  EXPECT_EQ(Usage(key_), before);
}

TEST_F(UsageCompletionTest, KnowsOperationsAndPrincipals) {
  const std::string blob = Encrypted(key_, "x");
  From root;
  root.caller.kind = CallerKind::kRoot;
  root.caller.arn = "arn:aws:iam::111122223333:root";
  clock_.Advance(seconds(1));
  testlib::Take(Ask("Decrypt", {{"CiphertextBlob", blob}}, root));
  const std::string other = NewKey();
  clock_.Advance(seconds(1));
  testlib::Take(Ask("ReEncrypt",
                    {{"CiphertextBlob", blob}, {"DestinationKeyId", other}}));
  Restart();
  const auto uses = Uses(key_);
  ASSERT_EQ(uses.size(), 3U);
  EXPECT_EQ(uses[0].operation, "ReEncrypt");
  EXPECT_EQ(uses[0].principal, "arn:aws:iam::111122223333:user/admin");
  EXPECT_EQ(uses[1].operation, "Decrypt");
  EXPECT_EQ(uses[1].principal, "arn:aws:iam::111122223333:root");
  EXPECT_EQ(uses[2].operation, "Encrypt");
  ASSERT_EQ(Uses(other).size(), 1U);
  EXPECT_EQ(Uses(other)[0].operation, "ReEncrypt");
}

// The log tells whole seconds: what is completed stays later than what the
// store has, and what the store has keeps its time.
TEST_F(UsageCompletionTest, KeepsTheOrderWithinASecond) {
  clock_.Advance(std::chrono::milliseconds(500));
  const std::string blob = Encrypted(key_, "x");
  const base::WallTime encrypted = clock_.Now();
  ASSERT_OK(Save());
  clock_.Advance(std::chrono::milliseconds(100));
  testlib::Take(Ask("Decrypt", {{"CiphertextBlob", blob}}));
  clock_.Advance(std::chrono::milliseconds(100));
  testlib::Take(
      Ask("GenerateDataKey", {{"KeyId", key_}, {"NumberOfBytes", 16}}));
  const json before = Usage(key_);
  Restart();
  const auto uses = Uses(key_);
  ASSERT_EQ(uses.size(), 3U);
  EXPECT_EQ(uses[0].operation, "GenerateDataKey");
  EXPECT_EQ(uses[1].operation, "Decrypt");
  EXPECT_EQ(uses[2].operation, "Encrypt");
  EXPECT_EQ(uses[2].time, encrypted);
  EXPECT_LT(uses[1].time, uses[0].time);
  EXPECT_EQ(Usage(key_).at("KeyLastUsage").at("CloudTrailEventId"),
            before.at("KeyLastUsage").at("CloudTrailEventId"));
}

TEST_F(UsageCompletionTest, FailuresAndDryRunsDoNotCount) {
  EXPECT_FALSE(Ask("Encrypt",
                   {{"KeyId", key_}, {"Plaintext", "YQ=="}, {"DryRun", true}}));
  EXPECT_FALSE(Ask("Sign", {{"KeyId", key_},
                            {"Message", "YQ=="},
                            {"SigningAlgorithm", "ECDSA_SHA_256"}}));
  testlib::Take(Ask("DescribeKey", {{"KeyId", key_}}));
  Restart();
  EXPECT_TRUE(Uses(key_).empty());
}

TEST_F(UsageCompletionTest, PassesOverWhatIsNoUseOfAKnownKey) {
  Encrypted(key_, "x");
  const json good = LastEvent();
  const std::string id = good.at("eventID");
  for (const json& patch : {
           json{{"eventTime", "yesterday"}},
           json{{"eventTime", nullptr}},
           json{{"eventSource", "s3.amazonaws.com"}},
           json{{"eventType", "AwsServiceEvent"}},
           json{{"errorCode", "AccessDenied"}},
           json{{"userIdentity", nullptr}},
           json{{"resources", nullptr}},
           json{{"resources", {1, nullptr, {{"ARN", 7}}}}},
           json{{"resources",
                 {{{"ARN", "arn:aws:kms:x:111122223333:alias/a"}}}}},
           json{{"resources", {{{"ARN", "nonsense"}}}}},
           json{{"resources",
                 {{{"ARN", "arn:aws:kms:eu-west-1:111122223333:key/absent"}}}}},
       }) {
    json bad = good;
    bad.merge_patch(patch);
    bad["eventID"] = "forged";
    Forge(bad);
  }
  Forge({{"a", {{"eventName", "Encrypt"}}}});
  Restart();
  ASSERT_EQ(Uses(key_).size(), 1U);
  EXPECT_EQ(Uses(key_)[0].event_id, id);
}

TEST_F(UsageCompletionTest, ReadsNothingAfterACleanEnd) {
  Encrypted(key_, "x");
  ASSERT_OK(SaveNow());
  EXPECT_TRUE(testlib::Take(store().GetUsageProgress())->complete);
  // There is no such folder to read.
  EXPECT_OK(CompleteUsage(store(), log_folder() + "/absent", Head()));
  EXPECT_FALSE(testlib::Take(store().GetUsageProgress())->complete);
}

TEST_F(UsageCompletionTest, ReadsOnlyTheTail) {
  Encrypted(key_, "x");
  const json encrypt = LastEvent();
  ASSERT_OK(SaveNow());
  Restart();
  const std::uint64_t known = Head();
  ASSERT_OK(Run(environment().last_usage.Save(known)));
  // As if the store had never heard of what is before.
  ASSERT_OK(store().WriteNow([&](store::Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.PutKeyUsage(
        key_, {"Encrypt", "arn:aws:iam::111122223333:user/admin", {}, "", ""}));
    return change.SetUsageProgress({known, false});
  }));
  testlib::Take(Ask("ListKeys", json::object()));
  Restart();
  EXPECT_EQ(Uses(key_).at(0).event_id, "");
  EXPECT_EQ(testlib::Take(store().GetUsageProgress())->log_sequence, Head());
}

TEST_F(UsageCompletionTest, ALogThatWasBegunAnewIsReadFromItsStart) {
  Encrypted(key_, "x");
  for (int i = 0; i < 20; ++i) {
    testlib::Take(Ask("ListKeys", json::object()));
  }
  ASSERT_OK(Save());
  ASSERT_OK(store().WriteNow([&](store::Transaction& change) {
    return change.SetUsageProgress({Head(), false});
  }));
  Close();
  std::filesystem::rename(log_folder(), log_folder() + ".kept");
  Open();
  clock_.Advance(seconds(5));
  testlib::Take(
      Ask("GenerateDataKey", {{"KeyId", key_}, {"NumberOfBytes", 16}}));
  ASSERT_OK(store().WriteNow([&](store::Transaction& change) {
    return change.SetUsageProgress({1000, false});
  }));
  Restart();
  EXPECT_EQ(Uses(key_).at(0).operation, "GenerateDataKey");
}

TEST_F(UsageCompletionTest, AStoreOfAnEarlierReleaseBeginsHere) {
  Encrypted(key_, "x");
  store::StoreOptions options;
  options.path = folder_.path() / "fresh.db";
  const auto fresh = testlib::Take(store::Store::Open(options, clock_));
  EXPECT_OK(CompleteUsage(*fresh, log_folder() + "/absent", 7));
  EXPECT_EQ(testlib::Take(fresh->GetUsageProgress())->log_sequence, 7U);
}

TEST_F(UsageCompletionTest, ALogThatCannotBeReadIsAnError) {
  ASSERT_OK(store().WriteNow([](store::Transaction& change) {
    return change.SetUsageProgress({1, false});
  }));
  EXPECT_FALSE(CompleteUsage(store(), log_folder() + "/absent", 9));
  EXPECT_EQ(testlib::Take(store().GetUsageProgress())->log_sequence, 1U);
}

}  // namespace
}  // namespace kms::operations
