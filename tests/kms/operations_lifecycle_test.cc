// SPDX-License-Identifier: Apache-2.0
// What outlives a request: deletions, intents, service keys, counters.
#include <chrono>
#include <set>

#include "base/bytes.h"
#include "base/random.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/destructions.h"
#include "kms/operations/identities.h"
#include "kms/operations/intents.h"
#include "kms/operations/reconcile.h"
#include "kms/store/connection.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using std::chrono::days;
using std::chrono::hours;
using testing::HasSubstr;
using testlib::StatusIs;

class DeletionTest : public OperationsTest {
 protected:
  DeletionTest() : key_(NewKey()) {}

  void Schedule() {
    testlib::Take(Ask("ScheduleKeyDeletion",
                      {{"KeyId", key_}, {"PendingWindowInDays", 7}}));
  }
  base::Status DestroyDue() { return Run(DestroyDueKeys(environment())); }
  bool Exists() { return Ask("DescribeKey", {{"KeyId", key_}}).has_value(); }
  hsm::Locator LocatorOf(const std::string& key) {
    return testlib::Take(store().FindKey(key))->CurrentMaterial().ref.locator;
  }
  // What housekeeping does once a minute.
  void PersistProgress() {
    const store::ClockProgress progress = guard().progress();
    testlib::Take(store().WriteNow([&](store::Transaction& transaction) {
      return transaction.SetClockProgress(progress);
    }));
  }

  std::string key_;
};

TEST_F(DeletionTest, DestroysOnTheDayAndNotBefore) {
  const hsm::Locator locator = LocatorOf(key_);
  const std::string blob = Encrypted(key_, "x");
  Schedule();
  clock_.Advance(days(7) - std::chrono::seconds(1));
  ASSERT_OK(DestroyDue());
  EXPECT_TRUE(Exists());
  EXPECT_TRUE(OnToken(locator));
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_OK(DestroyDue());
  EXPECT_FALSE(OnToken(locator));
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", key_}}),
              StatusIs(ErrorCode::kNotFound, HasSubstr("does not exist")));
  EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", blob}}),
              StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(DeletionTest, IsRecordedBeforeAndAfter) {
  Schedule();
  clock_.Advance(days(7));
  ASSERT_OK(DestroyDue());
  const auto events = Events();
  ASSERT_GE(events.size(), 2U);
  const json& before = events[events.size() - 2];
  const json& after = events.back();
  EXPECT_EQ(before.at("eventName"), "DeleteKeyStarted");
  EXPECT_EQ(after.at("eventName"), "DeleteKey");
  for (const json& event : {before, after}) {
    EXPECT_EQ(event.at("eventType"), "AwsServiceEvent");
    EXPECT_EQ(event.at("userIdentity").at("invokedBy"), "kms.amazonaws.com");
    EXPECT_EQ(event.at("resources").at(0).at("ARN"),
              "arn:aws:kms:eu-west-1:111122223333:key/" + key_);
  }
  EXPECT_LT(before.at("storeRevision"), after.at("storeRevision"));
}

TEST_F(DeletionTest, CancelledInTimeTheKeyStays) {
  Schedule();
  clock_.Advance(days(6));
  ASSERT_OK(Ask("CancelKeyDeletion", {{"KeyId", key_}}));
  clock_.Advance(days(30));
  ASSERT_OK(DestroyDue());
  ASSERT_OK_AND_ASSIGN(const json described,
                       Ask("DescribeKey", {{"KeyId", key_}}));
  EXPECT_EQ(described.at("KeyMetadata").at("KeyState"), "Disabled");
  EXPECT_FALSE(described.at("KeyMetadata").contains("DeletionDate"));
}

// Nothing is destroyed without its record: neither the first time nor again.
TEST_F(DeletionTest, WaitsForTheAuditLog) {
  const hsm::Locator locator = LocatorOf(key_);
  Schedule();
  clock_.Advance(days(7));
  log().refuses = true;
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_THAT(DestroyDue(), StatusIs(ErrorCode::kAuditUnavailable));
    EXPECT_TRUE(OnToken(locator));
  }
}

TEST_F(DeletionTest, WhatHasBegunGoesOnAfterARestart) {
  const hsm::Locator locator = LocatorOf(key_);
  testlib::Take(
      Ask("CreateAlias", {{"AliasName", "alias/a"}, {"TargetKeyId", key_}}));
  Schedule();
  clock_.Advance(days(7));
  log().refuses = true;
  ASSERT_FALSE(DestroyDue());
  Restart();
  EXPECT_THAT(Ask("CancelKeyDeletion", {{"KeyId", key_}}),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Ask("DescribeKey", {{"KeyId", "alias/a"}}),
              StatusIs(ErrorCode::kNotFound));
  ASSERT_OK(DestroyDue());
  EXPECT_FALSE(OnToken(locator));
  EXPECT_THAT(store().FindKey(key_), StatusIs(ErrorCode::kNotFound));
}

TEST_F(DeletionTest, GoesOnWhenTheObjectIsGoneAlready) {
  const hsm::DestroyKeyRequest request = {LocatorOf(key_)};
  Schedule();
  clock_.Advance(days(7));
  ASSERT_OK(Run(hsm().Call(request)));
  ASSERT_OK(DestroyDue());
  EXPECT_FALSE(Exists());
}

TEST_F(DeletionTest, AClockThatJumpsForwardWaitsForAnOperator) {
  Schedule();
  clock_.JumpTo(clock_.Now() + days(8));
  EXPECT_EQ(guard().DueTime(), std::nullopt);
  EXPECT_EQ(guard().Lead(), days(8));
  ASSERT_OK(DestroyDue());
  EXPECT_TRUE(Exists());
  const From operator_call = {.service = "Claviger", .door = Door::kUnix};
  ASSERT_OK(Ask("AcceptClock", json::object(), operator_call));
  ASSERT_OK(DestroyDue());
  EXPECT_FALSE(Exists());
}

TEST_F(DeletionTest, AJumpOfAnHourIsTolerated) {
  const base::WallTime start = clock_.Now();
  clock_.JumpTo(start + hours(1));
  EXPECT_EQ(guard().DueTime(), start + hours(1));
  clock_.JumpTo(start + hours(1) + std::chrono::seconds(1));
  EXPECT_EQ(guard().DueTime(), std::nullopt);
}

TEST_F(DeletionTest, AClockThatJumpsBackDestroysNothing) {
  Schedule();
  clock_.JumpTo(clock_.Now() - days(30));
  clock_.Advance(days(8));
  EXPECT_EQ(guard().Lead(), std::chrono::seconds(0));
  ASSERT_OK(DestroyDue());
  EXPECT_TRUE(Exists());
}

TEST_F(DeletionTest, ProgressSurvivesARestart) {
  Schedule();
  PersistProgress();
  clock_.JumpTo(clock_.Now() + days(8));
  Restart();
  EXPECT_EQ(guard().DueTime(), std::nullopt);
  ASSERT_OK(DestroyDue());
  EXPECT_TRUE(Exists());
  const From operator_call = {.service = "Claviger", .door = Door::kUnix};
  ASSERT_OK(Ask("AcceptClock", json::object(), operator_call));
  Restart();
  EXPECT_EQ(guard().Lead(), std::chrono::seconds(0));
  ASSERT_OK(DestroyDue());
  EXPECT_FALSE(Exists());
}

class IntentTest : public OperationsTest {
 protected:
  void Make(const hsm::Locator& locator) {
    hsm::GenerateKeyRequest request;
    request.key.locator = locator;
    testlib::Take(Run(hsm().Call(request)));
  }
  base::Status Settle() {
    return Run(SettleIntents(environment(), key_store(), store().info().epoch));
  }
};

TEST_F(IntentTest, OfAnEarlierStartIsRolledBack) {
  const hsm::Locator made =
      testlib::Take(Run(AnnounceKey(environment(), key_store(), "key-1")));
  testlib::Take(
      Run(AnnounceKey(environment(), key_store(), "key-2")));  // Never made.
  Make(made);
  ASSERT_OK(Settle());
  EXPECT_TRUE(OnToken(made));  // Of this start: its request may go on.
  Restart();
  ASSERT_OK(Settle());
  EXPECT_FALSE(OnToken(made));
  EXPECT_THAT(store().ListIntents(), testlib::IsOkAndHolds(testing::IsEmpty()));
}

// As after a commit that was thought to have failed.
TEST_F(IntentTest, RollingBackSparesWhatAKeyHas) {
  const hsm::Locator made =
      testlib::Take(Run(AnnounceKey(environment(), key_store(), "key-1")));
  Make(made);
  ASSERT_OK(store().WriteNow([&](store::Transaction& transaction) {
    return transaction.DeleteIntent(made);
  }));
  RunVoid(RollBackCreation(environment(), key_store(), made));
  EXPECT_TRUE(OnToken(made));
}

// What a disk refused may be there after a crash, until it takes something.
TEST_F(IntentTest, RollingBackBeginsWithACommit) {
  const hsm::Locator made =
      testlib::Take(Run(AnnounceKey(environment(), key_store(), "key-1")));
  Make(made);
  store::ConnectionOptions options;
  options.path = folder_.path() / "claviger.db";
  const auto other = testlib::Take(store::Connection::Open(options));
  ASSERT_OK(other->Begin());
  bool done = false;
  boost::asio::co_spawn(io(),
                        RollBackCreation(environment(), key_store(), made),
                        [&done](const std::exception_ptr&) { done = true; });
  io().restart();
  io().run_for(std::chrono::milliseconds(500));
  EXPECT_FALSE(done);
  EXPECT_TRUE(OnToken(made));
  other->Rollback();
  io().restart();
  while (!done && io().run_one() > 0) {
  }
  EXPECT_FALSE(OnToken(made));
  EXPECT_THAT(store().ListIntents(), testlib::IsOkAndHolds(testing::IsEmpty()));
}

TEST_F(IntentTest, OfAKeyThatIsKnownIsNeverActedOn) {
  const auto key = testlib::Take(store().FindKey(NewKey()));
  store::Intent intent;
  intent.locator = key->CurrentMaterial().ref.locator;
  intent.key_store = "test";
  intent.epoch = store().info().epoch;
  intent.key_id = key->id;
  ASSERT_OK(store().WriteNow([&](store::Transaction& transaction) {
    return transaction.InsertIntent(intent);
  }));
  Restart();
  EXPECT_THAT(Settle(), StatusIs(ErrorCode::kCorrupt));
  EXPECT_TRUE(OnToken(intent.locator));
}

TEST_F(IntentTest, AnUnknownObjectIsReportedAndLeftAlone) {
  hsm::Locator unknown;
  base::RandomBytes(unknown.bytes);
  Make(unknown);
  const auto known = testlib::Take(store().FindKey(NewKey()));
  const std::string known_id =
      base::HexEncode(known->CurrentMaterial().ref.locator.bytes);
  ASSERT_OK(Settle());
  ASSERT_OK_AND_ASSIGN(const Difference difference,
                       Run(CompareToken(environment(), key_store())));
  EXPECT_THAT(difference.unknown,
              testing::AllOf(testing::Contains(base::HexEncode(unknown.bytes)),
                             testing::Not(testing::Contains(known_id))));
  EXPECT_THAT(difference.missing, testing::IsEmpty());
  EXPECT_TRUE(OnToken(unknown));
}

TEST_F(IntentTest, AMissingObjectIsReportedAndItsKeyUnavailable) {
  const std::string id = NewKey();
  const auto key = testlib::Take(store().FindKey(id));
  const hsm::Locator locator = key->CurrentMaterial().ref.locator;
  const hsm::DestroyKeyRequest destroy = {locator};
  ASSERT_OK(Run(hsm().EvictEverywhere(locator)));
  ASSERT_OK(Run(hsm().Call(destroy)));
  ASSERT_OK_AND_ASSIGN(const Difference difference,
                       Run(CompareToken(environment(), key_store())));
  EXPECT_THAT(difference.missing,
              testing::ElementsAre(base::HexEncode(locator.bytes)));
  EXPECT_THAT(Ask("Encrypt", {{"KeyId", id}, {"Plaintext", "YQ=="}}),
              StatusIs(ErrorCode::kKeyUnavailable));
}

// A crash in between: the object is gone or not, and neither is a surprise.
TEST_F(IntentTest, AnObjectThatIsBeingDestroyedIsNotReported) {
  const auto key = testlib::Take(store().FindKey(NewKey()));
  const hsm::Locator locator = key->CurrentMaterial().ref.locator;
  ASSERT_OK(store().WriteNow([&](store::Transaction& transaction) {
    Key leaving = *key;
    leaving.state = KeyState::kPendingDeletion;
    leaving.deletion_date = clock_.Now();
    leaving.destroying = true;
    return transaction.UpdateKey(leaving);
  }));
  hsm::Locator lost;
  base::RandomBytes(lost.bytes);
  Make(lost);
  ASSERT_OK(store().WriteNow([&](store::Transaction& transaction) {
    return AnnounceDestruction(environment(), transaction, "test", lost, "");
  }));
  for (const bool is_there : {true, false}) {
    if (!is_there) {
      ASSERT_OK(Run(hsm().EvictEverywhere(locator)));
      ASSERT_OK(Run(hsm().Call(hsm::DestroyKeyRequest{locator})));
    }
    ASSERT_OK_AND_ASSIGN(const Difference difference,
                         Run(CompareToken(environment(), key_store())));
    EXPECT_THAT(difference.missing, testing::IsEmpty());
    EXPECT_THAT(difference.unknown,
                testing::Not(testing::AnyOf(
                    testing::Contains(base::HexEncode(locator.bytes)),
                    testing::Contains(base::HexEncode(lost.bytes)))));
  }
}

class BootstrapTest : public OperationsTest {
 protected:
  base::Status Check(NewStore new_store) {
    return Run(CheckServiceKeys(environment(), new_store));
  }
  void Insert(const store::ServiceKey& key) {
    testlib::Take(store().WriteNow([&](store::Transaction& transaction) {
      return transaction.InsertServiceKey(key);
    }));
  }
};

TEST_F(BootstrapTest, OpensTheAccessKeysThatItSealed) {
  ASSERT_OK(Check(NewStore::kAllow));
  const base::Secret secret = base::Secret::CopyOf("a secret access key");
  ASSERT_OK(Run(AddAdministratorKey(environment(), std::string(kAccount),
                                    "AKIAEXAMPLE", secret)));
  Restart();
  ASSERT_OK(Check(NewStore::kRefuse));
  ASSERT_OK(Run(LoadIdentities(environment())));
  const auto directory = environment().directory.current();
  const identity::AccessKey* const key =
      directory->credentials().Find("AKIAEXAMPLE");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->secret->RevealText(), "a secret access key");
  EXPECT_EQ(key->caller->user_name, "admin");
  EXPECT_EQ(key->caller->access_key_id, "AKIAEXAMPLE");
}

TEST_F(BootstrapTest, AStoreWithoutItsServiceKeyIsRefused) {
  EXPECT_THAT(Check(NewStore::kRefuse),
              StatusIs(ErrorCode::kKeyUnavailable, HasSubstr("claviger init")));
}

// The mark is what the migration leaves in a store that had been made before.
TEST_F(BootstrapTest, AnOlderStoreGetsItsNewServiceKeyOnce) {
  ASSERT_OK(Check(NewStore::kAllow));
  const auto change = [this](std::string_view sql) {
    Close();
    const auto connection = testlib::Take(store::Connection::Open(
        {.path = (folder_.path() / "claviger.db").string()}));
    testlib::Take(connection->Script(sql));
  };
  const std::string gone =
      "DELETE FROM service_keys WHERE purpose = 'grant-token'";
  change(gone + "; INSERT INTO service_keys_due VALUES ('grant-token')");
  Open();
  ASSERT_OK(Check(NewStore::kRefuse));
  ASSERT_OK_AND_ASSIGN(const auto keys, store().ListServiceKeys());
  ASSERT_EQ(keys.size(), 5U);
  EXPECT_TRUE(OnToken(keys[1].ref.locator));
  ASSERT_OK_AND_ASSIGN(const auto intents, store().ListIntents());
  EXPECT_TRUE(intents.empty());
  change(gone);
  Open();
  for (const NewStore new_store : {NewStore::kRefuse, NewStore::kAllow}) {
    EXPECT_THAT(Check(new_store), StatusIs(ErrorCode::kKeyUnavailable,
                                           HasSubstr("'grant-token'")));
  }
}

TEST_F(BootstrapTest, NothingIsMadeOnATokenThatIsNotTheStores) {
  store::ServiceKey key;
  key.purpose = "credentials";
  key.key_store = "test";
  base::RandomBytes(key.ref.locator.bytes);
  Insert(key);
  EXPECT_THAT(Check(NewStore::kRefuse), StatusIs(ErrorCode::kKeyUnavailable));
  ASSERT_OK_AND_ASSIGN(const auto keys, store().ListServiceKeys());
  EXPECT_EQ(keys.size(), 1U);
}

TEST_F(BootstrapTest, ATokenWithoutTheServiceKeyIsRefused) {
  store::ServiceKey key;
  key.purpose = "credentials";
  key.key_store = "test";
  base::RandomBytes(key.ref.locator.bytes);
  Insert(key);
  for (const NewStore new_store : {NewStore::kRefuse, NewStore::kAllow}) {
    EXPECT_THAT(Check(new_store), StatusIs(ErrorCode::kKeyUnavailable,
                                           HasSubstr("belong together")));
  }
}

TEST_F(BootstrapTest, AnotherKeyInItsPlaceIsRefused) {
  store::ServiceKey key;
  key.purpose = "credentials";
  key.key_store = "test";
  key.ref = testlib::Take(store().FindKey(NewKey()))->CurrentMaterial().ref;
  Insert(key);
  EXPECT_THAT(Check(NewStore::kRefuse),
              StatusIs(ErrorCode::kKeyUnavailable, HasSubstr("another key")));
}

class CounterTest : public OperationsTest {
 protected:
  hsm::Counter Next(const Key& key) {
    return testlib::Take(
        Run(environment().counters.Next(key, key.CurrentMaterial())));
  }
};

TEST_F(CounterTest, NeverRepeatsOverRestartsAndThreads) {
  const KeyPtr key = testlib::Take(store().FindKey(NewKey()));
  std::set<hsm::Counter> seen;
  for (int start = 0; start < 3; ++start) {
    Counters other(store());
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(seen.insert(Next(*key)).second);
      const auto theirs = Run(other.Next(*key, key->CurrentMaterial()));
      EXPECT_TRUE(seen.insert(testlib::Take(theirs)).second);
    }
    Restart();
  }
  EXPECT_FALSE(seen.contains(0));
}

TEST_F(CounterTest, RefusesBeforeTwoToThe32) {
  const KeyPtr key = testlib::Take(store().FindKey(NewKey()));
  ASSERT_OK(store().WriteNow([&](store::Transaction& transaction) {
    const auto first = transaction.ReserveCounters(
        key->CurrentMaterial().id, (std::uint64_t{1} << 32) - (1U << 16) - 2);
    return first ? base::Status() : base::Status(base::Error(first.error()));
  }));
  EXPECT_EQ(Next(*key), (std::uint64_t{1} << 32) - (1U << 16) - 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Run(environment().counters.Next(*key, key->CurrentMaterial())),
                StatusIs(ErrorCode::kLimitExceeded));
  }
}

TEST_F(CounterTest, KeysOfAlgorithm2EncryptAndCount) {
  algorithm_ = hsm::Algorithm::kAes256GcmCounter;
  Restart();
  const std::string key = NewKey();
  const auto nonce_of = [](const std::string& blob) {
    const auto bytes = testlib::Take(base::Base64Decode(blob));
    return testlib::Take(ParseCiphertext(bytes)).sealed.nonce;
  };
  const std::string first = Encrypted(key, "x");
  EXPECT_NE(nonce_of(first), nonce_of(Encrypted(key, "x")));
  Restart();
  EXPECT_NE(nonce_of(first), nonce_of(Encrypted(key, "x")));
  EXPECT_OK(Ask("Decrypt", {{"CiphertextBlob", first}}));
}

}  // namespace
}  // namespace kms::operations
