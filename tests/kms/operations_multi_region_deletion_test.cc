// SPDX-License-Identifier: Apache-2.0
// Multi-Region keys and time: rotation and deletion.
#include <chrono>

#include "kms/operations/rotation.h"
#include "tests/kms/operations_multi_region_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using std::chrono::days;
using std::chrono::seconds;
using testing::IsEmpty;
using testlib::StatusIs;

class MultiRegionRotationTest : public MultiRegionTest {
 protected:
  MultiRegionRotationTest() { testlib::Take(Replicate(kThere)); }

  base::Status RunPass() {
    RotationScheduler scheduler(environment());
    return Run(scheduler.RunPass());
  }
  json StatusIn(std::string_view region) {
    return testlib::Take(AskOfKey("GetKeyRotationStatus", region));
  }
  json RotationsIn(std::string_view region) {
    return testlib::Take(AskOfKey("ListKeyRotations", region)).at("Rotations");
  }
};

TEST_F(MultiRegionRotationTest, IsChangedOnThePrimaryKeyAlone) {
  for (const char* operation :
       {"EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"}) {
    EXPECT_THAT(
        AskOfKey(operation, kThere),
        StatusIs(ErrorCode::kUnsupportedOperation,
                 ArnIn(kThere) + " is not a multi-region primary key."));
  }
  EXPECT_EQ(StatusIn(kHere).at("KeyRotationEnabled"), false);
  EXPECT_EQ(Stored(kHere)->materials.size(), 1);
  // A state is told before that, as of any key.
  ASSERT_OK(AskOfKey("DisableKey", kThere));
  EXPECT_THAT(AskOfKey("RotateKeyOnDemand", kThere),
              StatusIs(ErrorCode::kDisabled));
}

TEST_F(MultiRegionRotationTest, ShowsInEveryRegion) {
  ASSERT_OK(AskOfKey("EnableKeyRotation", kHere));
  EXPECT_EQ(StatusIn(kHere).at("KeyRotationEnabled"), true);
  EXPECT_EQ(StatusIn(kThere), StatusIn(kHere));
  ASSERT_OK(AskOfKey("RotateKeyOnDemand", kHere));
  ASSERT_EQ(RotationsIn(kThere).size(), 1);
  EXPECT_EQ(RotationsIn(kThere), RotationsIn(kHere));
  // Also where the replica came later.
  ASSERT_OK(Replicate(kElsewhere));
  EXPECT_EQ(StatusIn(kElsewhere), StatusIn(kHere));
  EXPECT_EQ(RotationsIn(kElsewhere), RotationsIn(kHere));
  ASSERT_OK(AskOfKey("DisableKeyRotation", kHere));
  EXPECT_EQ(StatusIn(kElsewhere).at("KeyRotationEnabled"), false);
}

TEST_F(MultiRegionRotationTest, TheSchedulerRotatesAllAtOnce) {
  ASSERT_OK(AskOfKey("EnableKeyRotation", kHere));
  const std::string blob = EncryptIn(kThere, "x");
  const json before = Describe(kThere);
  clock_.Advance(days(365));
  ASSERT_OK(RunPass());
  ASSERT_OK(RunPass());
  for (const std::string_view region : {kHere, kThere}) {
    EXPECT_EQ(Stored(region)->materials.size(), 2);
    EXPECT_NE(Describe(region).at("CurrentKeyMaterialId"),
              before.at("CurrentKeyMaterialId"));
    ExpectOpens(blob, "x", region);
  }
  EXPECT_EQ(CountEvents("RotateKey"), 1);
}

TEST_F(MultiRegionRotationTest, TheNewPrimaryKeyGoesOnWithTheSchedule) {
  ASSERT_OK(AskOfKey("EnableKeyRotation", kHere));
  ASSERT_OK(UpdatePrimary(kThere, kHere));
  ASSERT_OK(AskOfKey("DisableKey", kHere));  // It does not matter any more.
  clock_.Advance(days(365));
  ASSERT_OK(RunPass());
  EXPECT_EQ(Stored(kHere)->materials.size(), 2);
  ASSERT_OK(AskOfKey("DisableKey", kThere));
  clock_.Advance(days(365));
  ASSERT_OK(RunPass());
  EXPECT_EQ(Stored(kHere)->materials.size(), 2);
}

class MultiRegionDeletionTest : public MultiRegionTest {
 protected:
  json Schedule(std::string_view region, int window = 7) {
    return testlib::Take(Ask("ScheduleKeyDeletion",
                             {{"KeyId", key_}, {"PendingWindowInDays", window}},
                             In(region)));
  }
  base::Status DestroyDue() { return Run(DestroyDueKeys(environment())); }
  hsm::Locator Locator() {
    return Stored(kHere)->CurrentMaterial().ref.locator;
  }
  // What an earlier run left behind when it was killed.
  void Mark(std::string_view region) {
    ASSERT_OK(
        store().WriteNow([&](store::Transaction& transaction) -> base::Status {
          ASSIGN_OR_RETURN(Key key, transaction.GetKey(KeyRowId(key_, region)));
          key.state = KeyState::kPendingDeletion;
          key.deletion_date = clock_.Now();
          key.destroying = true;
          return transaction.UpdateKey(key);
        }));
  }
  // The key, wherever it was, and what it had on the token.
  void ExpectGone(const hsm::Locator& locator) {
    EXPECT_THAT(store().ListRelatedKeys(key_),
                testlib::IsOkAndHolds(IsEmpty()));
    EXPECT_FALSE(OnToken(locator));
    EXPECT_THAT(store().ListLocators("test"), testlib::IsOkAndHolds(IsEmpty()));
  }
};

TEST_F(MultiRegionDeletionTest, OfAReplicaLeavesTheOthers) {
  ASSERT_OK(Replicate(kThere));
  const std::string blob = EncryptIn(kThere, "x");
  const json reply = Schedule(kThere);
  EXPECT_EQ(reply.at("KeyState"), "PendingDeletion");
  EXPECT_TRUE(reply.contains("DeletionDate"));
  EXPECT_EQ(Describe(kHere).at("KeyState"), "Enabled");
  clock_.Advance(days(7));
  ASSERT_OK(DestroyDue());
  EXPECT_THAT(AskOfKey("DescribeKey", kThere),
              StatusIs(ErrorCode::kNotFound,
                       "Key '" + ArnIn(kThere) + "' does not exist"));
  EXPECT_TRUE(OnToken(Locator()));
  ExpectOpens(blob, "x", kHere);
  EXPECT_THAT(Describe(kHere).at("MultiRegionConfiguration").at("ReplicaKeys"),
              IsEmpty());
  // And it can be there again.
  ASSERT_OK(Replicate(kThere));
  ExpectOpens(blob, "x", kThere);
}

TEST_F(MultiRegionDeletionTest, OfAPrimaryKeyWithoutReplicasIsOfAnyKey) {
  const hsm::Locator locator = Locator();
  EXPECT_EQ(Schedule(kHere).at("KeyState"), "PendingDeletion");
  clock_.Advance(days(7));
  ASSERT_OK(DestroyDue());
  ExpectGone(locator);
}

TEST_F(MultiRegionDeletionTest, APrimaryKeyWaitsForItsReplicas) {
  ASSERT_OK(Replicate(kThere));
  const hsm::Locator locator = Locator();
  EXPECT_EQ(Schedule(kHere, 8), (json{{"KeyId", ArnIn(kHere)},
                                      {"KeyState", "PendingReplicaDeletion"},
                                      {"PendingWindowInDays", 8}}));
  const json shown = Describe(kHere);
  EXPECT_EQ(shown.at("KeyState"), "PendingReplicaDeletion");
  EXPECT_EQ(shown.at("PendingDeletionWindowInDays"), 8);
  EXPECT_FALSE(shown.contains("DeletionDate"));
  EXPECT_FALSE(Describe(kThere).contains("PendingDeletionWindowInDays"));
  clock_.Advance(days(100));
  ASSERT_OK(DestroyDue());
  EXPECT_EQ(Describe(kHere).at("KeyState"), "PendingReplicaDeletion");
  // The replica works on, until its own day.
  const std::string blob = EncryptIn(kThere, "x");
  EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", blob}}),
              StatusIs(ErrorCode::kInvalidState,
                       ArnIn(kHere) + " is pending replica deletion."));
  Schedule(kThere);
  clock_.Advance(days(7));
  ASSERT_OK(DestroyDue());
  EXPECT_FALSE(Exists(kThere));
  EXPECT_EQ(Describe(kHere).at("KeyState"), "PendingDeletion");
  EXPECT_FALSE(Describe(kHere).contains("PendingDeletionWindowInDays"));
  EXPECT_TRUE(Describe(kHere).contains("DeletionDate"));
  clock_.Advance(days(8) - seconds(1));
  ASSERT_OK(DestroyDue());
  EXPECT_TRUE(OnToken(locator));
  clock_.Advance(seconds(1));
  ASSERT_OK(DestroyDue());
  ExpectGone(locator);
}

TEST_F(MultiRegionDeletionTest, OnlyTheLastReplicaStartsTheCountdown) {
  ASSERT_OK(Replicate(kThere));
  ASSERT_OK(Replicate(kElsewhere));
  Schedule(kHere);
  Schedule(kThere, 7);
  Schedule(kElsewhere, 8);
  clock_.Advance(days(7));
  ASSERT_OK(DestroyDue());
  EXPECT_FALSE(Exists(kThere));
  EXPECT_EQ(Describe(kHere).at("KeyState"), "PendingReplicaDeletion");
  clock_.Advance(days(1));
  ASSERT_OK(DestroyDue());
  EXPECT_EQ(Describe(kHere).at("KeyState"), "PendingDeletion");
  EXPECT_EQ(Stored(kHere)->deletion_date, clock_.Now() + days(7));
}

TEST_F(MultiRegionDeletionTest, ReplicasThatGoTogetherStartItToo) {
  ASSERT_OK(Replicate(kThere));
  ASSERT_OK(Replicate(kElsewhere));
  Schedule(kHere);
  Schedule(kThere);
  Schedule(kElsewhere);
  clock_.Advance(days(7));
  ASSERT_OK(DestroyDue());
  EXPECT_EQ(Describe(kHere).at("KeyState"), "PendingDeletion");
  EXPECT_TRUE(OnToken(Locator()));
}

TEST_F(MultiRegionDeletionTest, CanBeCancelledWhileItWaits) {
  ASSERT_OK(Replicate(kThere));
  Schedule(kHere);
  EXPECT_THAT(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}),
              StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(UpdatePrimary(kThere, kHere), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(Replicate(kElsewhere), StatusIs(ErrorCode::kInvalidState));
  EXPECT_EQ(testlib::Take(AskOfKey("CancelKeyDeletion", kHere)),
            (json{{"KeyId", ArnIn(kHere)}}));
  EXPECT_EQ(Describe(kHere).at("KeyState"), "Disabled");
  EXPECT_FALSE(Describe(kHere).contains("PendingDeletionWindowInDays"));
  Schedule(kThere);
  clock_.Advance(days(7));
  ASSERT_OK(DestroyDue());
  EXPECT_EQ(Describe(kHere).at("KeyState"), "Disabled");
  ASSERT_OK(AskOfKey("EnableKey", kHere));
}

TEST_F(MultiRegionDeletionTest, ACancelledReplicaHoldsItUp) {
  ASSERT_OK(Replicate(kThere));
  Schedule(kHere);
  Schedule(kThere);
  ASSERT_OK(AskOfKey("CancelKeyDeletion", kThere));
  clock_.Advance(days(100));
  ASSERT_OK(DestroyDue());
  EXPECT_EQ(Describe(kHere).at("KeyState"), "PendingReplicaDeletion");
  EXPECT_EQ(Describe(kThere).at("KeyState"), "Disabled");
}

// A key whose destruction has begun is not there any more for anybody, and
// still in the way of a new one.
TEST_F(MultiRegionDeletionTest, ADestroyedReplicaIsInTheWayUntilItIsGone) {
  ASSERT_OK(Replicate(kThere));
  Mark(kThere);
  EXPECT_FALSE(Exists(kThere));
  EXPECT_THAT(Describe(kHere).at("MultiRegionConfiguration").at("ReplicaKeys"),
              IsEmpty());
  EXPECT_THAT(Replicate(kThere), StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_THAT(UpdatePrimary(kThere, kHere), StatusIs(ErrorCode::kNotFound));
  EXPECT_EQ(Schedule(kHere).at("KeyState"), "PendingReplicaDeletion");
  ASSERT_OK(DestroyDue());
  EXPECT_EQ(Describe(kHere).at("KeyState"), "PendingDeletion");
}

// The crash points of a replica's deletion: each append to the log is one, and
// after each the store is as it was committed.
class MultiRegionCrashTest : public MultiRegionDeletionTest {
 protected:
  // Destroys what is due, with a log that takes `appends` events, and starts
  // again.
  void CrashAfter(int appends) {
    log().refuses_after = appends;
    EXPECT_THAT(DestroyDue(), StatusIs(ErrorCode::kAuditUnavailable));
    Restart();
  }
};

TEST_F(MultiRegionCrashTest, ThePrimaryKeyStartsToCountOnce) {
  for (const int appends : {0, 1}) {
    SCOPED_TRACE(appends);
    ASSERT_OK(Replicate(kThere));
    Schedule(kHere);
    Schedule(kThere);
    clock_.Advance(days(7));
    CrashAfter(appends);
    // The mark is there, or the row is gone and the countdown has started.
    EXPECT_EQ(Describe(kHere).at("KeyState"),
              appends == 0 ? "PendingReplicaDeletion" : "PendingDeletion");
    EXPECT_FALSE(Exists(kThere));
    const base::WallTime due = clock_.Now() + days(7);
    ASSERT_OK(DestroyDue());
    EXPECT_EQ(Stored(kHere)->state, KeyState::kPendingDeletion);
    EXPECT_EQ(Stored(kHere)->deletion_date, due);
    EXPECT_TRUE(OnToken(Locator()));
    testlib::Take(AskOfKey("CancelKeyDeletion", kHere));
    testlib::Take(AskOfKey("EnableKey", kHere));
  }
}

TEST_F(MultiRegionCrashTest, TheLastKeyTakesTheMaterialsWithIt) {
  const hsm::Locator locator = Locator();
  ASSERT_OK(AskOfKey("RotateKeyOnDemand", kHere));
  Schedule(kHere);
  clock_.Advance(days(7));
  CrashAfter(0);
  EXPECT_TRUE(OnToken(locator));
  CrashAfter(0);
  ExpectGone(locator);
  ASSERT_OK(DestroyDue());
}

// However it came to be: when all keys of an id are being destroyed, so are
// their materials, whichever row is the first.
TEST_F(MultiRegionCrashTest, AFamilyThatIsWhollyMarkedGoesWhole) {
  for (const bool primary_first : {true, false}) {
    SCOPED_TRACE(primary_first);
    ASSERT_OK(Replicate(kThere));
    const hsm::Locator locator = Locator();
    Mark(primary_first ? kHere : kThere);
    Mark(primary_first ? kThere : kHere);
    Restart();
    CrashAfter(0);
    ASSERT_OK(DestroyDue());
    ExpectGone(locator);
    key_ = NewPrimary();
  }
}

// What one key still needs stays, though others of its id are marked.
TEST_F(MultiRegionCrashTest, WhatALivingKeyNeedsStays) {
  ASSERT_OK(Replicate(kThere));
  ASSERT_OK(Replicate(kElsewhere));
  const std::string blob = EncryptIn(kHere, "x");
  Mark(kThere);
  Mark(kElsewhere);
  Restart();
  CrashAfter(0);
  ASSERT_OK(DestroyDue());
  EXPECT_TRUE(OnToken(Locator()));
  ExpectOpens(blob, "x", kHere);
}

}  // namespace
}  // namespace kms::operations
