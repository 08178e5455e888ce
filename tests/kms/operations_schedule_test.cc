// SPDX-License-Identifier: Apache-2.0
// The schedule of rotation, what comes due by itself, and the list of both.
#include <utility>

#include "kms/operations/outbox.h"
#include "tests/kms/operations_rotation_testing.h"

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
  key_store().algorithm = static_cast<hsm::Algorithm>(99);
  const base::Status failed = Run(scheduler.RunPass());
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("tried again"));
  EXPECT_THAT(failed.error().message, HasSubstr(first));
  key_store().algorithm = hsm::Algorithm::kXaes256Gcm;
  ASSERT_OK(Run(scheduler.RunPass()));
  ExpectSettled(2);
  key_ = first;
  ExpectSettled(1);
  clock_.Advance(minutes(1));
  ASSERT_OK(Run(scheduler.RunPass()));
  ExpectSettled(2);
}

TEST_F(SchedulerTest, WaitsLongerAfterEachFailure) {
  clock_.Advance(days(90));
  RotationScheduler scheduler(environment());
  key_store().algorithm = static_cast<hsm::Algorithm>(99);
  for (const int pause : {1, 2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_FALSE(Run(scheduler.RunPass()));
    clock_.Advance(minutes(pause) - seconds(1));
    EXPECT_OK(Run(scheduler.RunPass()));
    clock_.Advance(seconds(1));
  }
  key_store().algorithm = hsm::Algorithm::kXaes256Gcm;
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
