// SPDX-License-Identifier: Apache-2.0
// GetKeyLastUsage: what counts as a use, and what is remembered of it.
#include <chrono>

#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using std::chrono::hours;
using testlib::StatusIs;

class LastUsageTest : public OperationsTest {
 protected:
  LastUsageTest() : key_(NewKey()) {}

  json Usage(const std::string& key) {
    return testlib::Take(Ask("GetKeyLastUsage", {{"KeyId", key}}));
  }
  std::string LastOperation(const std::string& key) {
    const json reply = Usage(key);
    return reply.contains("KeyLastUsage")
               ? reply.at("KeyLastUsage").at("Operation")
               : "";
  }
  double Date(base::WallTime time) const {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
  }
  // As if the key had encrypted.
  void NoteEncrypt(LastUsage& usage, const Key& key) {
    const Caller caller = identity::Administrator(kAccount);
    const Request request = {.service = "TrentService",
                             .operation = "Encrypt",
                             .body = "",
                             .region = kRegion,
                             .caller = caller,
                             .source_address = "",
                             .user_agent = "",
                             .request_id = ""};
    Call call(environment(), request,
              *FindOperation("TrentService", "Encrypt"));
    call.key = std::make_shared<const Key>(key);
    usage.Note(call);
  }
  base::Status Save() { return Run(environment().last_usage.Save()); }

  std::string key_;
};

TEST_F(LastUsageTest, OfANewKeyIsNone) {
  EXPECT_EQ(Usage(key_), (json{{"KeyId", key_},
                               {"TrackingStartDate", Date(clock_.Now())},
                               {"KeyCreationDate", Date(clock_.Now())}}));
}

TEST_F(LastUsageTest, NamesTheOperationAndItsRecord) {
  const base::WallTime created = clock_.Now();
  clock_.Advance(hours(1));
  Encrypted(key_, "x");
  const json event = Events().back();
  const json reply = Usage(key_);
  EXPECT_EQ(reply.at("KeyLastUsage"),
            (json{{"Operation", "Encrypt"},
                  {"Timestamp", Date(clock_.Now())},
                  {"CloudTrailEventId", event.at("eventID")},
                  {"KmsRequestId", event.at("requestID")}}));
  EXPECT_EQ(reply.at("KeyCreationDate"), Date(created));
}

TEST_F(LastUsageTest, TheLastOneCounts) {
  const std::string blob = Encrypted(key_, "x");
  testlib::Take(Ask("Decrypt", {{"CiphertextBlob", blob}}));
  EXPECT_EQ(LastOperation(key_), "Decrypt");
  testlib::Take(
      Ask("GenerateDataKey", {{"KeyId", key_}, {"NumberOfBytes", 16}}));
  EXPECT_EQ(LastOperation(key_), "GenerateDataKey");
}

TEST_F(LastUsageTest, ReEncryptUsesBothKeys) {
  const std::string other = NewKey();
  const std::string blob = Encrypted(key_, "x");
  testlib::Take(Ask("ReEncrypt",
                    {{"CiphertextBlob", blob}, {"DestinationKeyId", other}}));
  EXPECT_EQ(LastOperation(key_), "ReEncrypt");
  EXPECT_EQ(LastOperation(other), "ReEncrypt");
}

TEST_F(LastUsageTest, FailuresDryRunsAndManagementDoNotCount) {
  EXPECT_FALSE(Ask("Decrypt", {{"CiphertextBlob", "AAAA"}, {"KeyId", key_}}));
  EXPECT_THAT(Ask("Encrypt",
                  {{"KeyId", key_}, {"Plaintext", "YQ=="}, {"DryRun", true}}),
              StatusIs(ErrorCode::kDryRun));
  testlib::Take(Ask("DescribeKey", {{"KeyId", key_}}));
  testlib::Take(Ask("RotateKeyOnDemand", {{"KeyId", key_}}));
  EXPECT_EQ(LastOperation(key_), "");
}

TEST_F(LastUsageTest, WhatIsNotRecordedDoesNotCount) {
  log().refuses = true;
  EXPECT_FALSE(Ask("Encrypt", {{"KeyId", key_}, {"Plaintext", "YQ=="}}));
  log().refuses = false;
  EXPECT_EQ(LastOperation(key_), "");
}

TEST_F(LastUsageTest, IsWrittenOnlyWhenItIsSaved) {
  const std::uint64_t revision = store().info().revision;
  Encrypted(key_, "x");
  EXPECT_EQ(store().info().revision, revision);
  ASSERT_OK(Save());
  EXPECT_EQ(store().info().revision, revision + 1);
  ASSERT_OK(Save());  // Nothing is new.
  EXPECT_EQ(store().info().revision, revision + 1);
}

TEST_F(LastUsageTest, SurvivesARestartOnceSaved) {
  Encrypted(key_, "x");
  const json before = Usage(key_);
  ASSERT_OK(environment().last_usage.SaveNow());
  EXPECT_EQ(Usage(key_), before);
  Restart();
  EXPECT_EQ(Usage(key_), before);
}

TEST_F(LastUsageTest, ASaveThatFailsIsTriedAgain) {
  Encrypted(key_, "x");
  const json before = Usage(key_);
  const auto viewer = testlib::Take(
      store::Store::OpenReadOnly({.path = folder_.path() / "claviger.db"}));
  LastUsage other(*viewer);
  NoteEncrypt(other, *testlib::Take(store().FindKey(key_)));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Run(other.Save()), StatusIs(ErrorCode::kStoreUnavailable));
    EXPECT_THAT(other.SaveNow(), StatusIs(ErrorCode::kStoreUnavailable));
    EXPECT_EQ(testlib::Take(other.Find(key_))->operation, "Encrypt");
  }
  EXPECT_EQ(Usage(key_), before);
}

TEST_F(LastUsageTest, WhatACrashTakesIsTheLastMinute) {
  const std::string blob = Encrypted(key_, "x");
  ASSERT_OK(Save());
  testlib::Take(Ask("Decrypt", {{"CiphertextBlob", blob}}));
  EXPECT_EQ(LastOperation(key_), "Decrypt");
  Restart();  // Without the end of a server.
  EXPECT_EQ(LastOperation(key_), "Encrypt");
}

TEST_F(LastUsageTest, SavesManyKeysInParts) {
  const Key key = *testlib::Take(store().FindKey(key_));
  Encrypted(key_, "x");
  for (int i = 0; i < 600; ++i) {
    Key other = key;  // That are not in the store: nothing is written of them.
    other.row_id = "absent-" + std::to_string(i);
    NoteEncrypt(environment().last_usage, other);
  }
  const std::uint64_t revision = store().info().revision;
  ASSERT_OK(Save());
  EXPECT_EQ(store().info().revision, revision + 2);
  Restart();
  EXPECT_EQ(LastOperation(key_), "Encrypt");
}

TEST_F(LastUsageTest, TrackingStartsWithTheStoreForOlderKeys) {
  const base::WallTime since = clock_.Now();
  Key old = *testlib::Take(store().FindKey(key_));
  old.created = since - hours(24);
  ASSERT_OK(store().WriteNow([&](store::Transaction& transaction) {
    return transaction.UpdateKey(old);
  }));
  const json reply = Usage(key_);
  EXPECT_EQ(reply.at("TrackingStartDate"), Date(since));
  EXPECT_EQ(reply.at("KeyCreationDate"), Date(since - hours(24)));
}

}  // namespace
}  // namespace kms::operations
