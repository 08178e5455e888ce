// SPDX-License-Identifier: Apache-2.0
// Rotation on demand, and what a crash in the middle of one leaves.
#include <algorithm>
#include <set>

#include "kms/operations/new_material.h"
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
using testlib::StatusIs;

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
  testlib::Take(Run(AnnounceKey(environment(), key_store(), key_)));
  Restart();
  ASSERT_OK(Settle());
  ExpectUntouched();
}

TEST_F(RotationCrashTest, AfterMakingTheMaterial) {
  const KeyPtr key = testlib::Take(store().FindKey(key_));
  const KeyMaterial made =
      testlib::Take(Run(MakeMaterial(environment(), *key, clock_.Now())));
  EXPECT_TRUE(OnToken(made.ref.locator));
  Restart();
  ASSERT_OK(Settle());
  EXPECT_FALSE(OnToken(made.ref.locator));
  ExpectUntouched();
}

TEST_F(RotationCrashTest, ACommitThatComesTooLateIsRefused) {
  const KeyPtr key = testlib::Take(store().FindKey(key_));
  KeyMaterial made =
      testlib::Take(Run(MakeMaterial(environment(), *key, clock_.Now())));
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
  key_store().algorithm = static_cast<hsm::Algorithm>(99);
  EXPECT_FALSE(Rotate());
  key_store().algorithm = hsm::Algorithm::kXaes256Gcm;
  ExpectUntouched();
}

}  // namespace
}  // namespace kms::operations
