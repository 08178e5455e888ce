// SPDX-License-Identifier: Apache-2.0
// Multi-Region keys whose material is imported: each Region imports the same
// material by itself, and what is on the token stays as long as one has it.
#include "kms/key_id.h"
#include "kms/operations/reconcile.h"
#include "tests/kms/operations_import_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using hsm::token::RandomOf;
using nlohmann::json;
using std::chrono::days;
using std::chrono::hours;
using testlib::StatusIs;

constexpr std::string_view kHere = kRegion;
constexpr std::string_view kThere = "us-east-1";

class ImportRegionsTest : public ImportTest {
 protected:
  ImportRegionsTest()
      : key_(NewPrimary()), bytes_(RandomOf(32)), id_(ImportIn(kHere, bytes_)) {
    testlib::Take(Replicate());
  }

  std::string NewPrimary() {
    return testlib::Take(Ask("CreateKey",
                             {{"Origin", "EXTERNAL"}, {"MultiRegion", true}}))
        .at("KeyMetadata")
        .at("KeyId");
  }
  base::Result<json> AskIn(std::string_view region, std::string_view operation,
                           json input = json::object()) {
    input.emplace("KeyId", key_);
    return Ask(operation, input, {.region = region});
  }
  base::Result<json> Replicate(std::string_view region = kThere) {
    return AskIn(kHere, "ReplicateKey", {{"ReplicaRegion", region}});
  }
  base::Result<json> TryImportIn(std::string_view region,
                                 const base::Bytes& bytes,
                                 const json& more = {}) {
    return TryImport(key_, bytes, more, "RSAES_OAEP_SHA_256",
                     {.region = region});
  }
  std::string ImportIn(std::string_view region, const base::Bytes& bytes,
                       const json& more = {}) {
    return testlib::Take(TryImportIn(region, bytes, more)).at("KeyMaterialId");
  }
  std::string ImportNext(const base::Bytes& bytes) {
    return ImportIn(kHere, bytes, {{"ImportType", "NEW_KEY_MATERIAL"}});
  }
  base::Result<json> DeleteIn(std::string_view region, const std::string& id) {
    return AskIn(region, "DeleteImportedKeyMaterial", {{"KeyMaterialId", id}});
  }
  json MetadataIn(std::string_view region) {
    return testlib::Take(AskIn(region, "DescribeKey")).at("KeyMetadata");
  }
  std::string StateIn(std::string_view region) {
    return MetadataIn(region).at("KeyState");
  }
  json RotationsIn(std::string_view region) {
    return testlib::Take(AskIn(region, "ListKeyRotations",
                               {{"IncludeKeyMaterial", "ALL_KEY_MATERIAL"}}))
        .at("Rotations");
  }
  // Of the newest material.
  std::string NewestIn(std::string_view region) {
    const json rotations = RotationsIn(region);
    return rotations.back().at("KeyMaterialState").get<std::string>() + "/" +
           rotations.back().at("ImportState").get<std::string>();
  }
  std::string EncryptIn(std::string_view region) {
    return testlib::Take(AskIn(region, "Encrypt", {{"Plaintext", "YQ=="}}))
        .at("CiphertextBlob");
  }
  bool OpensIn(std::string_view region, const std::string& blob) {
    const auto opened = AskIn(region, "Decrypt", {{"CiphertextBlob", blob}});
    return opened && opened->at("Plaintext") == "YQ==";
  }
  hsm::Locator Locator(std::string_view region = kHere) {
    return testlib::Take(store().FindKey(KeyRowId(key_, region)))
        ->materials.back()
        .ref.locator;
  }

  std::string key_;
  base::Bytes bytes_;
  std::string id_;
};

TEST_F(ImportRegionsTest, AReplicaWaitsForTheSameMaterial) {
  const std::string blob = EncryptIn(kHere);
  json metadata = MetadataIn(kThere);
  EXPECT_EQ(metadata.at("KeyState"), "PendingImport");
  EXPECT_EQ(metadata.at("Origin"), "EXTERNAL");
  EXPECT_EQ(metadata.at("CurrentKeyMaterialId"), id_);
  EXPECT_FALSE(metadata.contains("ExpirationModel"));
  EXPECT_EQ(NewestIn(kThere), "CURRENT/PENDING_IMPORT");
  EXPECT_FALSE(OpensIn(kThere, blob));

  EXPECT_THAT(TryImportIn(kThere, RandomOf(32)),
              StatusIs(ErrorCode::kIncorrectKeyMaterial));
  EXPECT_THAT(TryImportIn(kThere, bytes_, {{"ImportType", "NEW_KEY_MATERIAL"}}),
              StatusIs(ErrorCode::kUnsupportedOperation,
                       KeyArn(kThere, kAccount, key_) +
                           " is not a multi-region primary key."));
  const hsm::Locator before = Locator();
  json more = ExpiringIn(hours(3));
  more["KeyMaterialDescription"] = "there";
  EXPECT_EQ(ImportIn(kThere, bytes_, more), id_);
  EXPECT_EQ(Locator(), before) << "one object serves both";
  EXPECT_EQ(Locator(kThere), before);
  metadata = MetadataIn(kThere);
  EXPECT_EQ(metadata.at("KeyState"), "Enabled");
  EXPECT_EQ(metadata.at("ExpirationModel"), "KEY_MATERIAL_EXPIRES");
  EXPECT_EQ(MetadataIn(kHere).at("ExpirationModel"),
            "KEY_MATERIAL_DOES_NOT_EXPIRE");
  EXPECT_FALSE(RotationsIn(kHere)[0].contains("KeyMaterialDescription"));
  EXPECT_TRUE(OpensIn(kThere, blob));
  Restart();
  EXPECT_TRUE(OpensIn(kHere, EncryptIn(kThere)));
  ExpectNoIntents();
}

TEST_F(ImportRegionsTest, TheReplyShowsAReplicaThatIsBeingCreated) {
  const json reply = testlib::Take(Replicate("ap-south-1"));
  const json& metadata = reply.at("ReplicaKeyMetadata");
  EXPECT_EQ(metadata.at("KeyState"), "Creating");
  EXPECT_FALSE(metadata.contains("ExpirationModel"));
  EXPECT_FALSE(metadata.contains("CurrentKeyMaterialId"));
}

TEST_F(ImportRegionsTest, EachRegionLosesItsOwn) {
  ImportIn(kThere, bytes_, ExpiringIn(hours(3)));
  const std::string blob = EncryptIn(kHere);
  const hsm::Locator object = Locator();
  ASSERT_OK(DeleteIn(kHere, id_));
  EXPECT_EQ(StateIn(kHere), "PendingImport");
  EXPECT_EQ(StateIn(kThere), "Enabled");
  EXPECT_TRUE(OnToken(object));
  EXPECT_TRUE(OpensIn(kThere, blob));
  // The last one that has it takes it along.
  clock_.Advance(hours(3));
  ASSERT_OK(Run(ExpireMaterials(environment())));
  EXPECT_EQ(StateIn(kThere), "PendingImport");
  ASSERT_OK(Run(FinishDestructions(environment())));
  EXPECT_FALSE(OnToken(object));
  EXPECT_EQ(CountEvents("DestroyKeyMaterial"), 1);
  // And whoever imports it first brings it back, for all who do.
  EXPECT_EQ(ImportIn(kThere, bytes_), id_);
  EXPECT_EQ(ImportIn(kHere, bytes_), id_);
  EXPECT_EQ(Locator(kHere), Locator(kThere));
  EXPECT_NE(Locator(), object);
  EXPECT_TRUE(OpensIn(kHere, blob));
  ExpectNoIntents();
}

TEST_F(ImportRegionsTest, ARotationWaitsForEveryRegion) {
  ImportIn(kThere, bytes_);
  const std::string blob = EncryptIn(kHere);
  const base::Bytes second = RandomOf(32);
  const std::string next = ImportNext(second);
  EXPECT_EQ(NewestIn(kHere),
            "PENDING_MULTI_REGION_IMPORT_AND_ROTATION/IMPORTED");
  EXPECT_EQ(NewestIn(kThere),
            "PENDING_MULTI_REGION_IMPORT_AND_ROTATION/PENDING_IMPORT");
  EXPECT_EQ(StateIn(kThere), "Enabled");
  EXPECT_THAT(AskIn(kHere, "RotateKeyOnDemand"),
              StatusIs(ErrorCode::kInvalidState,
                       "No available key material pending rotation for the "
                       "key: " +
                           KeyArn(kHere, kAccount, key_) + "."));
  EXPECT_EQ(ImportIn(kThere, second, {{"ImportType", "EXISTING_KEY_MATERIAL"}}),
            next);
  EXPECT_EQ(NewestIn(kHere), "PENDING_ROTATION/IMPORTED");
  EXPECT_EQ(NewestIn(kThere), "PENDING_ROTATION/IMPORTED");
  ASSERT_OK(AskIn(kHere, "RotateKeyOnDemand"));
  EXPECT_EQ(MetadataIn(kThere).at("CurrentKeyMaterialId"), next);
  EXPECT_TRUE(OpensIn(kThere, EncryptIn(kHere)));
  EXPECT_TRUE(OpensIn(kThere, blob));
  // A Region that comes later needs them all.
  ASSERT_OK(Replicate("ap-south-1"));
  ImportIn("ap-south-1", second);
  EXPECT_EQ(StateIn("ap-south-1"), "PendingImport");
  ImportIn("ap-south-1", bytes_);
  EXPECT_EQ(StateIn("ap-south-1"), "Enabled");
  EXPECT_TRUE(OpensIn("ap-south-1", blob));
  ExpectNoIntents();
}

TEST_F(ImportRegionsTest, WhatIsPendingGoesEverywhereWithThePrimaryKeys) {
  ImportIn(kThere, bytes_);
  const base::Bytes second = RandomOf(32);
  const std::string next = ImportNext(second);
  ImportIn(kThere, second);
  const hsm::Locator object = Locator();
  // A replica's alone: the object stays, and so does its state.
  ASSERT_OK(DeleteIn(kThere, next));
  EXPECT_EQ(StateIn(kThere), "Enabled");
  EXPECT_TRUE(OnToken(object));
  EXPECT_EQ(NewestIn(kHere),
            "PENDING_MULTI_REGION_IMPORT_AND_ROTATION/IMPORTED");
  ImportIn(kThere, second);
  ASSERT_OK(DeleteIn(kHere, next));
  EXPECT_FALSE(OnToken(object));
  EXPECT_EQ(RotationsIn(kHere).size(), 1U);
  EXPECT_EQ(RotationsIn(kThere).size(), 1U);
  EXPECT_EQ(StateIn(kHere), "Enabled");
  ExpectNoIntents();
}

// A new primary key, too, can give up what is pending and it does not have.
TEST_F(ImportRegionsTest, ANewPrimaryKeyForgetsWhatItNeverHad) {
  ImportIn(kThere, bytes_);
  const std::string next = ImportNext(RandomOf(32));
  const hsm::Locator object = Locator();
  ASSERT_OK(AskIn(kHere, "UpdatePrimaryRegion", {{"PrimaryRegion", kThere}}));
  ASSERT_OK(DeleteIn(kThere, next));
  EXPECT_FALSE(OnToken(object));
  EXPECT_EQ(RotationsIn(kHere).size(), 1U);
  ExpectNoIntents();
}

TEST_F(ImportRegionsTest, PendingMaterialThatHasExpiredHindersNobody) {
  json more = ExpiringIn(hours(1));
  more["ImportType"] = "NEW_KEY_MATERIAL";
  ImportIn(kHere, RandomOf(32), more);
  clock_.JumpTo(clock_.Now() + hours(2));
  EncryptIn(kHere);
}

TEST_F(ImportRegionsTest, ADeletedReplicaTakesAlongWhatItAloneHad) {
  ImportIn(kThere, bytes_);
  const hsm::Locator object = Locator();
  ASSERT_OK(DeleteIn(kHere, id_));
  testlib::Take(
      AskIn(kThere, "ScheduleKeyDeletion", {{"PendingWindowInDays", 7}}));
  clock_.Advance(days(7));
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(AskIn(kThere, "DescribeKey").has_value());
  ExpectNoIntents();
  EXPECT_FALSE(OnToken(object));
  EXPECT_EQ(ImportIn(kHere, bytes_), id_);
  EXPECT_EQ(StateIn(kHere), "Enabled");
}

TEST_F(ImportRegionsTest, ADeletedReplicaLeavesWhatOthersHave) {
  ImportIn(kThere, bytes_);
  const hsm::Locator object = Locator();
  testlib::Take(
      AskIn(kThere, "ScheduleKeyDeletion", {{"PendingWindowInDays", 7}}));
  clock_.Advance(days(7));
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  ExpectNoIntents();
  EXPECT_TRUE(OnToken(object));
  EncryptIn(kHere);
  testlib::Take(
      AskIn(kHere, "ScheduleKeyDeletion", {{"PendingWindowInDays", 7}}));
  clock_.Advance(days(7));
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  ExpectNoIntents();
  EXPECT_FALSE(OnToken(object));
}

}  // namespace
}  // namespace kms::operations
