// SPDX-License-Identifier: Apache-2.0
// Key rotation: the operations, and what happens by itself.
#include <chrono>
#include <set>

#include "base/bytes.h"
#include "kms/operations/intents.h"
#include "kms/operations/new_material.h"
#include "kms/operations/outbox.h"
#include "kms/operations/rotation.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::StatusIs;

class RotationTest : public OperationsTest {
 protected:
  RotationTest() : key_(NewKey()) {}

  base::Result<json> Rotate() {
    return Ask("RotateKeyOnDemand", {{"KeyId", key_}});
  }
  base::Result<json> Enable(int period = 90) {
    return Ask("EnableKeyRotation",
               {{"KeyId", key_}, {"RotationPeriodInDays", period}});
  }
  json StatusOf(const std::string& key) {
    return testlib::Take(Ask("GetKeyRotationStatus", {{"KeyId", key}}));
  }
  json List(json input = json::object()) {
    input["KeyId"] = key_;
    return testlib::Take(Ask("ListKeyRotations", input));
  }
  std::string CurrentMaterialId() {
    const json reply = testlib::Take(Ask("DescribeKey", {{"KeyId", key_}}));
    return reply.at("KeyMetadata").at("CurrentKeyMaterialId");
  }
  KeyPtr Stored() { return testlib::Take(store().FindKey(key_)); }
  std::string Arn() const {
    return "arn:aws:kms:eu-west-1:111122223333:key/" + key_;
  }
  double Date(base::WallTime time) const {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
  }
  base::Status RunPass() {
    RotationScheduler scheduler(environment());
    return Run(scheduler.RunPass());
  }
  base::Status Settle() {
    return Run(SettleIntents(environment(), store().info().epoch));
  }
  // A pass while a request about the key comes in.
  base::Status RunPassAgainst(std::string operation) {
    RotationScheduler scheduler(environment());
    base::Status passed;
    auto pass = [&]() -> boost::asio::awaitable<void> {
      passed = co_await scheduler.RunPass();
    };
    auto ask = [&]() -> boost::asio::awaitable<void> {
      const json input = {{"KeyId", key_}};
      const auto reply = co_await Send(operation, input);
      EXPECT_OK(reply);
    };
    RunTogether(pass(), ask());
    return passed;
  }
  // Nothing is announced, and each material of the key is on the token.
  void ExpectSettled(std::size_t materials) {
    EXPECT_THAT(store().ListIntents(), testlib::IsOkAndHolds(IsEmpty()));
    const KeyPtr key = Stored();
    EXPECT_EQ(key->materials.size(), materials);
    for (const KeyMaterial& material : key->materials) {
      EXPECT_TRUE(OnToken(material.ref.locator));
    }
  }
  void ExpectOpens(const std::string& blob, std::string_view plaintext) {
    ASSERT_OK_AND_ASSIGN(const json reply,
                         Ask("Decrypt", {{"CiphertextBlob", blob}}));
    EXPECT_EQ(reply.at("Plaintext"),
              base::Base64Encode(base::AsBytes(plaintext)));
  }

  std::string key_;
};

class OnDemandTest : public RotationTest {};

TEST_F(OnDemandTest, WhatEarlierMaterialsEncryptedStaysReadable) {
  std::vector<std::string> blobs;
  std::set<std::string> materials;
  for (int i = 0; i < 8; ++i) {
    blobs.push_back(Encrypted(key_, "text " + std::to_string(i)));
    EXPECT_TRUE(materials.insert(CurrentMaterialId()).second);
    ASSERT_OK_AND_ASSIGN(const json reply, Rotate());
    EXPECT_EQ(reply, (json{{"KeyId", Arn()}}));
  }
  Restart();
  std::set<std::string> used;
  for (int i = 0; i < 8; ++i) {
    ExpectOpens(blobs[i], "text " + std::to_string(i));
    used.insert(testlib::Take(Ask("Decrypt", {{"CiphertextBlob", blobs[i]}}))
                    .at("KeyMaterialId"));
  }
  EXPECT_EQ(used, materials);
  ExpectSettled(9);
}

TEST_F(OnDemandTest, TheNewMaterialIsUsedAtOnce) {
  const std::string before = CurrentMaterialId();
  ASSERT_OK(Rotate());
  const std::string after = CurrentMaterialId();
  EXPECT_NE(after, before);
  ASSERT_OK_AND_ASSIGN(
      const json data_key,
      Ask("GenerateDataKey", {{"KeyId", key_}, {"KeySpec", "AES_256"}}));
  EXPECT_EQ(data_key.at("KeyMaterialId"), after);
  const std::string blob = Encrypted(key_, "x");
  ASSERT_OK_AND_ASSIGN(const json opened,
                       Ask("Decrypt", {{"CiphertextBlob", blob}}));
  EXPECT_EQ(opened.at("KeyMaterialId"), after);
}

TEST_F(OnDemandTest, ReEncryptMovesToTheNewMaterial) {
  const std::string blob = Encrypted(key_, "x");
  const std::string before = CurrentMaterialId();
  ASSERT_OK(Rotate());
  ASSERT_OK_AND_ASSIGN(
      const json moved,
      Ask("ReEncrypt", {{"CiphertextBlob", blob}, {"DestinationKeyId", key_}}));
  EXPECT_EQ(moved.at("SourceKeyMaterialId"), before);
  EXPECT_EQ(moved.at("DestinationKeyMaterialId"), CurrentMaterialId());
}

TEST_F(OnDemandTest, ACiphertextCannotChangeItsMaterial) {
  const std::string old_blob = Encrypted(key_, "x");
  ASSERT_OK(Rotate());
  const std::string new_blob = Encrypted(key_, "x");
  auto mixed = testlib::Take(base::Base64Decode(old_blob));
  const auto other = testlib::Take(base::Base64Decode(new_blob));
  std::copy_n(other.begin() + 19, 32, mixed.begin() + 19);
  EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", base::Base64Encode(mixed)}}),
              StatusIs(ErrorCode::kInvalidCiphertext));
}

TEST_F(OnDemandTest, HasALimitOfTwentyFive) {
  for (int i = 0; i < 25; ++i) {
    ASSERT_OK(Rotate());
  }
  EXPECT_THAT(
      Rotate(),
      StatusIs(ErrorCode::kLimitExceeded,
               "The on-demand rotations limit has been reached for the given "
               "keyId. No more on-demand rotations can be performed for this "
               "key: " +
                   Arn()));
  Restart();
  EXPECT_THAT(Rotate(), StatusIs(ErrorCode::kLimitExceeded));
  ExpectSettled(26);
  // Automatic rotations go on.
  ASSERT_OK(Enable());
  clock_.Advance(days(90));
  ASSERT_OK(RunPass());
  ExpectSettled(27);
}

TEST_F(OnDemandTest, NeedsAnEnabledKey) {
  testlib::Take(Ask("DisableKey", {{"KeyId", key_}}));
  EXPECT_THAT(Rotate(),
              StatusIs(ErrorCode::kDisabled, Arn() + " is disabled."));
  testlib::Take(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}));
  EXPECT_THAT(Rotate(), StatusIs(ErrorCode::kInvalidState,
                                 Arn() + " is pending deletion."));
  ExpectSettled(1);
}

TEST_F(OnDemandTest, TakesNoAlias) {
  testlib::Take(
      Ask("CreateAlias", {{"AliasName", "alias/a"}, {"TargetKeyId", key_}}));
  for (const char* operation :
       {"RotateKeyOnDemand", "EnableKeyRotation", "DisableKeyRotation",
        "GetKeyRotationStatus", "ListKeyRotations"}) {
    EXPECT_THAT(Ask(operation, {{"KeyId", "alias/a"}}),
                StatusIs(ErrorCode::kNotFound, "Invalid keyId 'alias/a'"));
  }
}

TEST_F(OnDemandTest, ConflictsWithAnAutomaticOneWithinTwentyMinutes) {
  ASSERT_OK(Enable());
  clock_.Advance(days(90) - minutes(20) - seconds(1));
  ASSERT_OK(Rotate());
  clock_.Advance(seconds(1));
  EXPECT_THAT(Rotate(), StatusIs(ErrorCode::kConflict, HasSubstr(Arn())));
  clock_.Advance(days(1));  // Overdue.
  EXPECT_THAT(Rotate(), StatusIs(ErrorCode::kConflict));
  ASSERT_OK(RunPass());
  ASSERT_OK(Rotate());
  ExpectSettled(4);
}

TEST_F(OnDemandTest, LeavesTheScheduleAlone) {
  ASSERT_OK(Enable());
  const json before = StatusOf(key_);
  clock_.Advance(days(30));
  ASSERT_OK(Rotate());
  EXPECT_EQ(StatusOf(key_), before);
}

TEST_F(OnDemandTest, IsRecordedOnce) {
  ASSERT_OK(Rotate());
  EXPECT_EQ(CountEvents("RotateKeyOnDemand"), 1);
  const json event = Events().back();
  EXPECT_EQ(event.at("resources").at(0).at("ARN"), Arn());
  EXPECT_EQ(event.at("readOnly"), false);
  EXPECT_TRUE(event.contains("storeRevision"));
}

TEST_F(OnDemandTest, TwoAtOnceAreTwoRotations) {
  const auto replies = AskTogether({{"RotateKeyOnDemand", {{"KeyId", key_}}},
                                    {"RotateKeyOnDemand", {{"KeyId", key_}}}});
  EXPECT_OK(replies[0]);
  EXPECT_OK(replies[1]);
  ExpectSettled(3);
  EXPECT_EQ(Stored()->on_demand_rotations, 2U);
}

TEST_F(OnDemandTest, TheLimitHoldsForManyAtOnce) {
  for (int i = 0; i < 24; ++i) {
    ASSERT_OK(Rotate());
  }
  const auto replies = AskTogether({{"RotateKeyOnDemand", {{"KeyId", key_}}},
                                    {"RotateKeyOnDemand", {{"KeyId", key_}}}});
  EXPECT_NE(replies[0].has_value(), replies[1].has_value());
  ExpectSettled(26);
}

// The state is checked again when the token has made the material.
TEST_F(OnDemandTest, LosesToWhatDisablesTheKeyMeanwhile) {
  const auto replies = AskTogether({{"RotateKeyOnDemand", {{"KeyId", key_}}},
                                    {"DisableKey", {{"KeyId", key_}}}});
  EXPECT_THAT(replies[0],
              StatusIs(ErrorCode::kDisabled, Arn() + " is disabled."));
  EXPECT_OK(replies[1]);
  ExpectSettled(1);
}

TEST_F(OnDemandTest, LosesToWhatSchedulesTheDeletionMeanwhile) {
  const auto replies =
      AskTogether({{"RotateKeyOnDemand", {{"KeyId", key_}}},
                   {"ScheduleKeyDeletion", {{"KeyId", key_}}}});
  EXPECT_THAT(replies[0], StatusIs(ErrorCode::kInvalidState));
  EXPECT_OK(replies[1]);
  ExpectSettled(1);
}

TEST_F(OnDemandTest, EveryMaterialIsDestroyedWithTheKey) {
  ASSERT_OK(Rotate());
  ASSERT_OK(Rotate());
  const KeyPtr key = Stored();
  testlib::Take(Ask("ScheduleKeyDeletion",
                    {{"KeyId", key_}, {"PendingWindowInDays", 7}}));
  clock_.Advance(days(7));
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  EXPECT_EQ(key->materials.size(), 3U);
  for (const KeyMaterial& material : key->materials) {
    EXPECT_FALSE(OnToken(material.ref.locator));
  }
}

TEST_F(OnDemandTest, GivesAlgorithm2NewCounters) {
  algorithm_ = hsm::Algorithm::kAes256GcmCounter;
  Restart();
  const std::string blob = Encrypted(key_, "x");
  ASSERT_OK(Rotate());
  EXPECT_EQ(Stored()->CurrentMaterial().ref.algorithm, algorithm_);
  ExpectOpens(Encrypted(key_, "y"), "y");
  ExpectOpens(blob, "x");
}

// A crash between any two steps of a rotation.
class RotationCrashTest : public RotationTest {
 protected:
  RotationCrashTest() : blob_(Encrypted(key_, "kept")) {}

  void ExpectUntouched() {
    ExpectSettled(1);
    ExpectOpens(blob_, "kept");
    ASSERT_OK(Rotate());
    ExpectSettled(2);
    ExpectOpens(blob_, "kept");
  }

  std::string blob_;
};

TEST_F(RotationCrashTest, AfterAnnouncingIt) {
  testlib::Take(Run(AnnounceKey(environment(), key_)));
  Restart();
  ASSERT_OK(Settle());
  ExpectUntouched();
}

TEST_F(RotationCrashTest, AfterMakingTheMaterial) {
  const auto id = *ParseKeyId(key_);
  const KeyMaterial made =
      testlib::Take(Run(MakeMaterial(environment(), id, clock_.Now())));
  EXPECT_TRUE(OnToken(made.ref.locator));
  Restart();
  ASSERT_OK(Settle());
  EXPECT_FALSE(OnToken(made.ref.locator));
  ExpectUntouched();
}

TEST_F(RotationCrashTest, ACommitThatComesTooLateIsRefused) {
  const auto id = *ParseKeyId(key_);
  KeyMaterial made =
      testlib::Take(Run(MakeMaterial(environment(), id, clock_.Now())));
  made.rotation = Rotation{clock_.Now(), RotationType::kOnDemand};
  Restart();
  ASSERT_OK(Settle());
  const auto keep = [](Key&) { return base::Status(); };
  EXPECT_THAT(store().WriteNow([&](store::Transaction& transaction) {
    return CommitRotation(transaction, key_, made, keep);
  }),
              StatusIs(ErrorCode::kNotFound));
  ExpectUntouched();
}

TEST_F(RotationCrashTest, AfterCommittingIt) {
  log().refuses = true;
  EXPECT_THAT(Rotate(), StatusIs(ErrorCode::kAuditUnavailable));
  Restart();
  ASSERT_OK(CompleteLog(store(), log(), log_folder()));
  ASSERT_OK(Settle());
  ExpectSettled(2);
  ExpectOpens(blob_, "kept");
  EXPECT_EQ(CountEvents("RotateKeyOnDemand"), 1);
}

TEST_F(RotationCrashTest, ATokenThatFailsLeavesNothing) {
  environment().algorithm = static_cast<hsm::Algorithm>(99);
  EXPECT_FALSE(Rotate());
  environment().algorithm = hsm::Algorithm::kXaes256Gcm;
  ExpectUntouched();
}

class ScheduleTest : public RotationTest {};

TEST_F(ScheduleTest, IsOffUntilEnabled) {
  EXPECT_EQ(StatusOf(key_),
            (json{{"KeyRotationEnabled", false}, {"KeyId", key_}}));
  ASSERT_OK(Ask("DisableKeyRotation", {{"KeyId", key_}}));  // No error.
}

TEST_F(ScheduleTest, CountsFromEnablingIt) {
  clock_.Advance(days(10));
  ASSERT_OK_AND_ASSIGN(const json reply,
                       Ask("EnableKeyRotation", {{"KeyId", key_}}));
  EXPECT_EQ(reply, json::object());
  EXPECT_EQ(StatusOf(key_),
            (json{{"KeyRotationEnabled", true},
                  {"KeyId", key_},
                  {"RotationPeriodInDays", 365},
                  {"NextRotationDate", Date(clock_.Now() + days(365))}}));
  // The period is changed by enabling again, and counts from then.
  clock_.Advance(days(1));
  ASSERT_OK(Enable(2560));
  EXPECT_EQ(StatusOf(key_).at("RotationPeriodInDays"), 2560);
  EXPECT_EQ(StatusOf(key_).at("NextRotationDate"),
            Date(clock_.Now() + days(2560)));
  Restart();
  EXPECT_EQ(StatusOf(key_).at("RotationPeriodInDays"), 2560);
  ASSERT_OK(Ask("DisableKeyRotation", {{"KeyId", key_}}));
  EXPECT_EQ(StatusOf(key_),
            (json{{"KeyRotationEnabled", false}, {"KeyId", key_}}));
}

TEST_F(ScheduleTest, HasPeriodsOf90To2560Days) {
  const std::string start = "1 validation error detected: Value '";
  const std::string middle =
      "' at 'rotationPeriodInDays' failed to satisfy constraint: Member must "
      "have value ";
  EXPECT_THAT(Enable(89),
              StatusIs(ErrorCode::kValidation,
                       start + "89" + middle + "greater than or equal to 90"));
  EXPECT_THAT(Enable(2561),
              StatusIs(ErrorCode::kValidation,
                       start + "2561" + middle + "less than or equal to 2560"));
  EXPECT_EQ(StatusOf(key_).at("KeyRotationEnabled"), false);
  EXPECT_OK(Enable(90));
  EXPECT_OK(Enable(2560));
}

TEST_F(ScheduleTest, ADisabledKeyKeepsItButCannotChangeIt) {
  ASSERT_OK(Enable());
  const json before = StatusOf(key_);
  testlib::Take(Ask("DisableKey", {{"KeyId", key_}}));
  EXPECT_EQ(StatusOf(key_), before);
  for (const char* operation : {"EnableKeyRotation", "DisableKeyRotation"}) {
    EXPECT_THAT(Ask(operation, {{"KeyId", key_}}),
                StatusIs(ErrorCode::kDisabled, Arn() + " is disabled."));
  }
}

TEST_F(ScheduleTest, IsSuspendedWhileDeletionIsPending) {
  ASSERT_OK(Enable());
  const json before = StatusOf(key_);
  testlib::Take(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}));
  EXPECT_EQ(StatusOf(key_),
            (json{{"KeyRotationEnabled", false}, {"KeyId", key_}}));
  for (const char* operation : {"EnableKeyRotation", "DisableKeyRotation"}) {
    EXPECT_THAT(
        Ask(operation, {{"KeyId", key_}}),
        StatusIs(ErrorCode::kInvalidState, Arn() + " is pending deletion."));
  }
  testlib::Take(Ask("CancelKeyDeletion", {{"KeyId", key_}}));
  EXPECT_EQ(StatusOf(key_), before);
}

class SchedulerTest : public RotationTest {
 protected:
  SchedulerTest() { testlib::Take(Enable()); }
};

TEST_F(SchedulerTest, RotatesOnTheDayAndOnce) {
  const std::string blob = Encrypted(key_, "x");
  clock_.Advance(days(90) - seconds(1));
  ASSERT_OK(RunPass());
  ExpectSettled(1);
  clock_.Advance(seconds(1));
  ASSERT_OK(RunPass());
  ExpectSettled(2);
  EXPECT_EQ(StatusOf(key_).at("NextRotationDate"),
            Date(clock_.Now() + days(90)));
  ASSERT_OK(RunPass());
  Restart();
  ASSERT_OK(RunPass());
  ExpectSettled(2);
  ExpectOpens(blob, "x");
}

TEST_F(SchedulerTest, IsRecordedAsCloudTrailDoes) {
  const std::string before = CurrentMaterialId();
  clock_.Advance(days(90));
  ASSERT_OK(RunPass());
  const json event = Events().back();
  EXPECT_EQ(event.at("eventName"), "RotateKey");
  EXPECT_EQ(event.at("eventType"), "AwsServiceEvent");
  EXPECT_EQ(event.at("userIdentity").at("invokedBy"), "kms.amazonaws.com");
  EXPECT_EQ(event.at("resources").at(0).at("ARN"), Arn());
  EXPECT_EQ(event.at("serviceEventDetails"),
            (json{{"rotationType", "AUTOMATIC"},
                  {"keyOrigin", "AWS_KMS"},
                  {"previousKeyMaterialId", before},
                  {"currentKeyMaterialId", CurrentMaterialId()},
                  {"keyId", key_}}));
  EXPECT_TRUE(event.contains("storeRevision"));
}

TEST_F(SchedulerTest, AKeyThatIsLongOverdueIsRotatedOnce) {
  clock_.Advance(days(1000));
  ASSERT_OK(RunPass());
  ASSERT_OK(RunPass());
  ExpectSettled(2);
  EXPECT_EQ(StatusOf(key_).at("NextRotationDate"),
            Date(clock_.Now() + days(90)));
}

TEST_F(SchedulerTest, NeedsNoAcceptedClock) {
  clock_.JumpTo(clock_.Now() + days(90));
  EXPECT_EQ(guard().DueTime(), std::nullopt);
  ASSERT_OK(RunPass());
  ExpectSettled(2);
}

TEST_F(SchedulerTest, ADisabledKeyWaitsUntilItIsEnabled) {
  testlib::Take(Ask("DisableKey", {{"KeyId", key_}}));
  clock_.Advance(days(100));
  ASSERT_OK(RunPass());
  ExpectSettled(1);
  testlib::Take(Ask("EnableKey", {{"KeyId", key_}}));
  ASSERT_OK(RunPass());
  ExpectSettled(2);
}

TEST_F(SchedulerTest, AKeyPendingDeletionIsNotRotated) {
  testlib::Take(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}));
  clock_.Advance(days(100));
  ASSERT_OK(RunPass());
  ExpectSettled(1);
  testlib::Take(Ask("CancelKeyDeletion", {{"KeyId", key_}}));
  ASSERT_OK(RunPass());
  ExpectSettled(1);
  testlib::Take(Ask("EnableKey", {{"KeyId", key_}}));
  ASSERT_OK(RunPass());
  ExpectSettled(2);
}

TEST_F(SchedulerTest, LeavesKeysAloneThatDoNotWantIt) {
  ASSERT_OK(Ask("DisableKeyRotation", {{"KeyId", key_}}));
  clock_.Advance(days(1000));
  ASSERT_OK(RunPass());
  ExpectSettled(1);
}

// What is changed while the token works, wins; nothing is left behind.
TEST_F(SchedulerTest, LosesToWhatDisablesTheKeyMeanwhile) {
  clock_.Advance(days(90));
  ASSERT_OK(RunPassAgainst("DisableKey"));
  ExpectSettled(1);
  testlib::Take(Ask("EnableKey", {{"KeyId", key_}}));
  ASSERT_OK(RunPassAgainst("DisableKeyRotation"));
  ExpectSettled(1);
}

// Two schedulers, as never happens: still one rotation for one date.
TEST_F(SchedulerTest, TwoPassesAtOnceRotateOnce) {
  clock_.Advance(days(90));
  RotationScheduler one(environment());
  RotationScheduler two(environment());
  RunTogether(one.RunPass(), two.RunPass());
  ExpectSettled(2);
  EXPECT_EQ(CountEvents("RotateKey"), 1);
}

TEST_F(SchedulerTest, WaitsForWorkersAndLosesNothing) {
  clock_.Advance(days(90));
  hsm().Stop();
  EXPECT_OK(RunPass());
  EXPECT_THAT(store().ListIntents(), testlib::IsOkAndHolds(IsEmpty()));
  Restart();
  ASSERT_OK(RunPass());
  ExpectSettled(2);
}

TEST_F(SchedulerTest, AKeyThatFailsIsTriedAgainAndDoesNotHoldUpOthers) {
  clock_.Advance(seconds(1));
  const std::string first = std::exchange(key_, NewKey());
  testlib::Take(Enable());
  clock_.Advance(days(90));
  RotationScheduler scheduler(environment());
  environment().algorithm = static_cast<hsm::Algorithm>(99);
  const base::Status failed = Run(scheduler.RunPass());
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("tried again"));
  EXPECT_THAT(failed.error().message, HasSubstr(first));
  environment().algorithm = hsm::Algorithm::kXaes256Gcm;
  ASSERT_OK(Run(scheduler.RunPass()));
  ExpectSettled(2);
  key_ = first;
  ExpectSettled(1);
  clock_.Advance(minutes(1));
  ASSERT_OK(Run(scheduler.RunPass()));
  ExpectSettled(2);
}

TEST_F(SchedulerTest, WaitsForTheAuditLog) {
  clock_.Advance(seconds(1));
  const std::string first = std::exchange(key_, NewKey());
  testlib::Take(Enable());
  clock_.Advance(days(90));
  log().refuses = true;
  // The first is rotated, its event waits; the second waits with it.
  ASSERT_OK(RunPass());
  ASSERT_OK(RunPass());
  ExpectSettled(1);
  log().refuses = false;
  RunVoid(RetryUnlogged(environment()));
  ASSERT_OK(RunPass());
  ExpectSettled(2);
  key_ = first;
  ExpectSettled(2);
  EXPECT_EQ(CountEvents("RotateKey"), 2);
}

TEST_F(SchedulerTest, DoesABoundedAmountInAPass) {
  for (int i = 0; i < 33; ++i) {
    key_ = NewKey();
    testlib::Take(Enable());
  }
  clock_.Advance(days(90));
  ASSERT_OK(RunPass());
  EXPECT_EQ(CountEvents("RotateKey"), 32);
  ASSERT_OK(RunPass());
  EXPECT_EQ(CountEvents("RotateKey"), 34);
}

class ListRotationsTest : public RotationTest {};

TEST_F(ListRotationsTest, IsEmptyForANewKey) {
  EXPECT_EQ(List(), (json{{"Rotations", json::array()}, {"Truncated", false}}));
}

TEST_F(ListRotationsTest, NamesEachRotationOldestFirst) {
  const std::string first = CurrentMaterialId();
  ASSERT_OK(Enable());
  clock_.Advance(days(90));
  const base::WallTime automatic = clock_.Now();
  ASSERT_OK(RunPass());
  const std::string second = CurrentMaterialId();
  clock_.Advance(days(1));
  ASSERT_OK(Rotate());
  const json one = {{"KeyId", key_},
                    {"KeyMaterialId", second},
                    {"KeyMaterialState", "NON_CURRENT"},
                    {"RotationDate", Date(automatic)},
                    {"RotationType", "AUTOMATIC"}};
  const json two = {{"KeyId", key_},
                    {"KeyMaterialId", CurrentMaterialId()},
                    {"KeyMaterialState", "CURRENT"},
                    {"RotationDate", Date(clock_.Now())},
                    {"RotationType", "ON_DEMAND"}};
  const json rotations = {{"Rotations", {one, two}}, {"Truncated", false}};
  EXPECT_EQ(List(), rotations);
  EXPECT_EQ(List({{"IncludeKeyMaterial", "ROTATIONS_ONLY"}}), rotations);
  const json zero = {{"KeyId", key_},
                     {"KeyMaterialId", first},
                     {"KeyMaterialState", "NON_CURRENT"}};
  EXPECT_EQ(List({{"IncludeKeyMaterial", "ALL_KEY_MATERIAL"}}),
            (json{{"Rotations", {zero, one, two}}, {"Truncated", false}}));
}

TEST_F(ListRotationsTest, ComesInPages) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(Rotate());
  }
  const json whole = List().at("Rotations");
  json joined = json::array();
  json input = {{"Limit", 2}};
  json page = List(input);
  EXPECT_TRUE(page.at("Truncated"));
  EXPECT_EQ(page.at("Rotations").size(), 2U);
  joined.insert(joined.end(), page["Rotations"].begin(),
                page["Rotations"].end());
  input["Marker"] = page.at("NextMarker");
  page = List(input);
  EXPECT_FALSE(page.at("Truncated"));
  EXPECT_FALSE(page.contains("NextMarker"));
  joined.insert(joined.end(), page["Rotations"].begin(),
                page["Rotations"].end());
  EXPECT_EQ(joined, whole);
}

TEST_F(ListRotationsTest, RefusesOthersMarkersAndValues) {
  const auto ask = [&](const char* member, const json& value) {
    return Ask("ListKeyRotations", {{"KeyId", key_}, {member, value}});
  };
  const std::string marker = "ListKeyRotations:00";
  for (const std::string& text :
       {std::string("x"), base::Base64Encode(base::AsBytes(marker)),
        base::Base64Encode(base::AsBytes("ListKeys:00"))}) {
    EXPECT_THAT(ask("Marker", text), StatusIs(ErrorCode::kInvalidMarker));
  }
  EXPECT_THAT(ask("Limit", 0), StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(ask("Limit", 1001), StatusIs(ErrorCode::kValidation));
  EXPECT_OK(ask("Limit", 1000));
  EXPECT_THAT(
      ask("IncludeKeyMaterial", "EVERYTHING"),
      StatusIs(ErrorCode::kValidation,
               "1 validation error detected: Value 'EVERYTHING' at "
               "'includeKeyMaterial' failed to satisfy constraint: Member must "
               "satisfy enum value set: [ALL_KEY_MATERIAL, ROTATIONS_ONLY]"));
}

TEST_F(ListRotationsTest, WorksInEveryState) {
  ASSERT_OK(Rotate());
  const json before = List();
  testlib::Take(Ask("DisableKey", {{"KeyId", key_}}));
  EXPECT_EQ(List(), before);
  testlib::Take(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}));
  EXPECT_EQ(List(), before);
}

}  // namespace
}  // namespace kms::operations
