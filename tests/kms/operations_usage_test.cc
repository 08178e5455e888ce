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
    NoteUse(usage, key, "Encrypt", "arn:aws:iam::111122223333:user/admin");
  }
  void NoteUse(LastUsage& usage, const Key& key, std::string_view operation,
               std::string principal) {
    Caller caller = identity::Administrator(kAccount);
    caller.arn = std::move(principal);
    const Request request = {.service = "TrentService",
                             .operation = operation,
                             .body = "",
                             .region = kRegion,
                             .caller = caller,
                             .source_address = "",
                             .user_agent = "",
                             .request_id = ""};
    Call call(environment(), request,
              *FindOperation("TrentService", operation));
    call.now = clock_.Now();
    call.key = std::make_shared<const Key>(key);
    usage.Note(call);
  }
  std::uint64_t Head() { return log().health().head_sequence; }
  base::Status Save() { return Run(environment().last_usage.Save(Head())); }
  base::Status SaveNow() { return environment().last_usage.SaveNow(Head()); }

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
  ASSERT_OK(SaveNow());
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
    EXPECT_THAT(Run(other.Save(0)), StatusIs(ErrorCode::kStoreUnavailable));
    EXPECT_THAT(other.SaveNow(0), StatusIs(ErrorCode::kStoreUnavailable));
    EXPECT_EQ(testlib::Take(other.Find(key_))->operation, "Encrypt");
  }
  EXPECT_EQ(Usage(key_), before);
}

TEST_F(LastUsageTest, IsKeptByOperationAndPrincipal) {
  const std::string blob = Encrypted(key_, "x");
  clock_.Advance(hours(1));
  testlib::Take(Ask("Decrypt", {{"CiphertextBlob", blob}}));
  clock_.Advance(hours(1));
  From root;
  root.caller.kind = CallerKind::kRoot;
  root.caller.arn = "arn:aws:iam::111122223333:root";
  testlib::Take(Ask("Decrypt", {{"CiphertextBlob", blob}}, root));
  ASSERT_OK(Save());
  const auto uses = testlib::Take(store().ListKeyUsages(key_, 9));
  ASSERT_EQ(uses.size(), 3U);
  EXPECT_EQ(uses[0].operation, "Decrypt");
  EXPECT_EQ(uses[0].principal, "arn:aws:iam::111122223333:root");
  EXPECT_EQ(uses[0].time, clock_.Now());
  EXPECT_EQ(uses[1].operation, "Decrypt");
  EXPECT_EQ(uses[1].principal, "arn:aws:iam::111122223333:user/admin");
  EXPECT_EQ(uses[1].time, clock_.Now() - hours(1));
  EXPECT_EQ(uses[2].operation, "Encrypt");
  EXPECT_EQ(uses[2].time, clock_.Now() - hours(2));
}

TEST_F(LastUsageTest, FailedSavesKeepTheNewestLast) {
  const auto viewer = testlib::Take(
      store::Store::OpenReadOnly({.path = folder_.path() / "claviger.db"}));
  LastUsage other(*viewer);
  const Key key = *testlib::Take(store().FindKey(key_));
  NoteEncrypt(other, key);
  NoteUse(other, key, "Decrypt", "arn:aws:iam::111122223333:user/a");
  EXPECT_FALSE(other.SaveNow(0));
  EXPECT_EQ(testlib::Take(other.Find(key_))->operation, "Decrypt");
  NoteUse(other, key, "GenerateDataKey", "arn:aws:iam::111122223333:user/a");
  EXPECT_FALSE(other.SaveNow(0));
  EXPECT_EQ(testlib::Take(other.Find(key_))->operation, "GenerateDataKey");
}

TEST_F(LastUsageTest, RemembersABoundedNumberAndSavesBeforeItIsFull) {
  LastUsage small(store(), 8);
  small.Start(Head());
  const Key key = *testlib::Take(store().FindKey(key_));
  const auto note = [&](int number) {
    NoteUse(small, key, "Encrypt",
            "arn:aws:iam::111122223333:user/u" + std::to_string(number));
  };
  note(0);
  EXPECT_FALSE(small.IsDue(Head()));
  note(1);
  EXPECT_TRUE(small.IsDue(Head()));
  for (int i = 2; i < 100; ++i) {
    note(i);
  }
  ASSERT_OK(small.SaveNow(Head()));
  EXPECT_EQ(testlib::Take(store().ListKeyUsages(key_, 200)).size(), 8U);
  // The rest is left to the next start.
  EXPECT_FALSE(testlib::Take(store().GetUsageProgress())->complete);
}

TEST_F(LastUsageTest, ManyRecordsMakeASaveDue) {
  environment().last_usage.Start(Head());
  EXPECT_FALSE(environment().last_usage.IsDue(Head() + 50'000));
  EXPECT_TRUE(environment().last_usage.IsDue(Head() + 50'001));
}

TEST_F(LastUsageTest, TheStoreKeepsTheNewestOfMany) {
  const Key key = *testlib::Take(store().FindKey(key_));
  for (int i = 0; i < kMostUsagesPerKey + 5; ++i) {
    clock_.Advance(std::chrono::seconds(1));
    NoteUse(environment().last_usage, key, "Encrypt",
            "arn:aws:iam::111122223333:user/u" + std::to_string(i));
  }
  ASSERT_OK(Save());
  const auto uses = testlib::Take(store().ListKeyUsages(key_, 2000));
  EXPECT_EQ(uses.size(), std::size_t{kMostUsagesPerKey});
  EXPECT_EQ(uses.front().principal, "arn:aws:iam::111122223333:user/u1004");
  EXPECT_EQ(uses.back().principal, "arn:aws:iam::111122223333:user/u5");
}

// What is saved while a call stands between its record and its note may lack
// it: until it is noted the next start has to read its record.
TEST_F(LastUsageTest, TheStoreKnowsNoMoreThanHasBeenNoted) {
  LastUsage& usage = environment().last_usage;
  const Key key = *testlib::Take(store().FindKey(key_));
  const auto known = [&] {
    return testlib::Take(store().GetUsageProgress())->log_sequence;
  };
  const auto save = [&] {
    NoteEncrypt(usage, key);
    testlib::Take(Ask("ListKeys", json::object()));  // Another record.
    testlib::Take(Save());
    return Head();
  };
  const std::uint64_t before = save();
  std::uint64_t during = 0;
  {
    const LastUsage::Recording slow(usage);
    during = save();
    EXPECT_EQ(known(), before);
    save();
    EXPECT_EQ(known(), before);
    ASSERT_OK(SaveNow());
    EXPECT_EQ(known(), before);
    EXPECT_FALSE(testlib::Take(store().GetUsageProgress())->complete);
  }
  save();
  EXPECT_EQ(known(), during);
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
