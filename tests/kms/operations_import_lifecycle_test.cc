// SPDX-License-Identifier: Apache-2.0
// What becomes of imported key material: again, next, deleted, expired.
#include "tests/kms/operations_import_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using hsm::token::RandomOf;
using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testlib::StatusIs;

class MaterialTest : public ImportTest {
 protected:
  MaterialTest()
      : key_(NewExternal()), bytes_(RandomOf(32)), id_(Import(key_, bytes_)) {}

  hsm::Locator Locator(const std::string& id) {
    for (const KeyMaterial& material : Stored(key_)->materials) {
      if (base::HexEncode(material.id) == id) {
        return material.ref.locator;
      }
    }
    ADD_FAILURE() << "no such material";
    return {};
  }
  base::Result<json> Delete(const json& more = {}) {
    json input = {{"KeyId", key_}};
    if (!more.is_null()) {
      input.update(more);
    }
    return Ask("DeleteImportedKeyMaterial", input);
  }
  base::Result<json> Rotate() {
    return Ask("RotateKeyOnDemand", {{"KeyId", key_}});
  }
  std::string ImportNext(const base::Bytes& bytes) {
    return Import(key_, bytes, {{"ImportType", "NEW_KEY_MATERIAL"}});
  }

  std::string key_;
  base::Bytes bytes_;
  std::string id_;
};

TEST_F(MaterialTest, TheSameIsImportedAgainAndNothingElse) {
  const std::string blob = Encrypted(key_, "secret");
  const hsm::Locator before = Locator(id_);
  EXPECT_EQ(Import(key_, bytes_), id_) << "while it is there";
  EXPECT_EQ(Locator(id_), before);
  EXPECT_THAT(TryImport(key_, RandomOf(32)),
              StatusIs(ErrorCode::kIncorrectKeyMaterial));
  EXPECT_THAT(
      TryImport(key_, bytes_, {{"KeyMaterialId", std::string(64, '0')}}),
      StatusIs(ErrorCode::kIncorrectKeyMaterial));
  testlib::Take(Delete());
  EXPECT_THAT(TryImport(key_, RandomOf(32)),
              StatusIs(ErrorCode::kIncorrectKeyMaterial));
  EXPECT_EQ(State(key_), "PendingImport");
  EXPECT_EQ(Import(key_, bytes_, {{"KeyMaterialId", id_}}), id_);
  EXPECT_EQ(State(key_), "Enabled");
  EXPECT_NE(Locator(id_), before);
  ExpectOpens(blob, "secret");
  ExpectNoIntents();
}

TEST_F(MaterialTest, DeletedMaterialIsGoneFromTheToken) {
  const std::string blob = Encrypted(key_, "secret");
  const hsm::Locator locator = Locator(id_);
  ASSERT_OK_AND_ASSIGN(const json reply, Delete());
  EXPECT_EQ(reply, (json{{"KeyId", Arn(key_)}, {"KeyMaterialId", id_}}));
  EXPECT_FALSE(OnToken(locator));
  const json metadata = Metadata(key_);
  EXPECT_EQ(metadata.at("KeyState"), "PendingImport");
  EXPECT_EQ(metadata.at("CurrentKeyMaterialId"), id_);
  EXPECT_FALSE(metadata.contains("ExpirationModel"));
  EXPECT_THAT(
      Ask("Decrypt", {{"CiphertextBlob", blob}}),
      StatusIs(ErrorCode::kInvalidState, Arn(key_) + " is pending import."));
  EXPECT_EQ(CountEvents("DeleteImportedKeyMaterial"), 1);
  for (const json& event : Events()) {
    if (event.at("eventName") == "ImportKeyMaterial" ||
        event.at("eventName") == "DeleteImportedKeyMaterial") {
      EXPECT_EQ(event.at("responseElements"), json({{"keyMaterialId", id_}}));
    }
  }
  EXPECT_EQ(CountEvents("DestroyKeyMaterial"), 1);
  // Again: without effect.
  ASSERT_OK(Delete());
  EXPECT_EQ(CountEvents("DestroyKeyMaterial"), 1);
  Restart();
  EXPECT_EQ(State(key_), "PendingImport");
  ExpectNoIntents();
  // The store does not miss on the token what is deleted.
  EXPECT_THAT(store().ListLocators("test"),
              testlib::IsOkAndHolds(testing::Not(testing::Contains(locator))));
}

TEST_F(MaterialTest, NewMaterialWaitsForItsRotation) {
  const std::string old_blob = Encrypted(key_, "old");
  EXPECT_THAT(Rotate(),
              StatusIs(ErrorCode::kInvalidState,
                       "No available key material pending rotation for the "
                       "key: " +
                           Arn(key_) + "."));
  const std::string next = ImportNext(RandomOf(32));
  EXPECT_EQ(Metadata(key_).at("CurrentKeyMaterialId"), id_);
  json rotations = Rotations(key_);
  ASSERT_EQ(rotations.size(), 2U);
  EXPECT_EQ(rotations[0].at("KeyMaterialState"), "CURRENT");
  EXPECT_EQ(rotations[1].at("KeyMaterialState"), "PENDING_ROTATION");
  EXPECT_EQ(rotations[1].at("ImportState"), "IMPORTED");
  const auto third =
      TryImport(key_, RandomOf(32), {{"ImportType", "NEW_KEY_MATERIAL"}});
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(
      third.error().message,
      testing::AllOf(
          testing::StartsWith("New key material (id: "),
          testing::HasSubstr(") cannot be imported into KMS key " + Arn(key_) +
                             ", because another key "
                             "material (id: " +
                             next + ") is pending rotation.")));
  ASSERT_OK(Rotate());
  EXPECT_EQ(Metadata(key_).at("CurrentKeyMaterialId"), next);
  rotations = Rotations(key_);
  EXPECT_EQ(rotations[0].at("KeyMaterialState"), "NON_CURRENT");
  EXPECT_EQ(rotations[1].at("KeyMaterialState"), "CURRENT");
  EXPECT_EQ(rotations[1].at("RotationType"), "ON_DEMAND");
  ExpectOpens(old_blob, "old");
  ExpectOpens(Encrypted(key_, "new"), "new");
  Restart();
  ExpectOpens(old_blob, "old");
  EXPECT_EQ(Rotations(key_), rotations);
  ExpectNoIntents();
}

TEST_F(MaterialTest, TheKeyIsEnabledOnlyWithAllItsMaterials) {
  const base::Bytes second = RandomOf(32);
  const std::string next = ImportNext(second);
  testlib::Take(Rotate());
  testlib::Take(Delete({{"KeyMaterialId", id_}}));
  EXPECT_EQ(State(key_), "PendingImport");
  testlib::Take(Delete());  // The current one.
  EXPECT_EQ(Import(key_, second), next);
  EXPECT_EQ(State(key_), "PendingImport");
  EXPECT_EQ(Import(key_, bytes_), id_);
  EXPECT_EQ(State(key_), "Enabled");
  EXPECT_THAT(Delete({{"KeyMaterialId", std::string(64, '1')}}),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(MaterialTest, OneThatIsPendingRotationIsForgotten) {
  const std::string next = ImportNext(RandomOf(32));
  const hsm::Locator locator = Locator(next);
  ASSERT_OK(Delete({{"KeyMaterialId", next}}));
  EXPECT_FALSE(OnToken(locator));
  EXPECT_EQ(State(key_), "Enabled");
  EXPECT_EQ(Rotations(key_).size(), 1U);
  ImportNext(RandomOf(32));
  EXPECT_OK(Rotate());
}

TEST_F(MaterialTest, NewMaterialIsNew) {
  EXPECT_THAT(TryImport(key_, bytes_, {{"ImportType", "NEW_KEY_MATERIAL"}}),
              StatusIs(ErrorCode::kIncorrectKeyMaterial));
  EXPECT_THAT(
      TryImport(key_, RandomOf(32),
                {{"ImportType", "NEW_KEY_MATERIAL"}, {"KeyMaterialId", id_}}),
      StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(TryImport(NewExternal(), bytes_,
                        {{"ImportType", "EXISTING_KEY_MATERIAL"}}),
              StatusIs(ErrorCode::kIncorrectKeyMaterial));
  ExpectNoIntents();
}

TEST_F(MaterialTest, ItsDescriptionStaysWhereNoneIsGiven) {
  Import(key_, bytes_, {{"KeyMaterialDescription", "from the safe"}});
  EXPECT_EQ(Rotations(key_)[0].at("KeyMaterialDescription"), "from the safe");
  testlib::Take(Delete());
  json rotations = Rotations(key_);
  EXPECT_EQ(rotations[0].at("ImportState"), "PENDING_IMPORT");
  EXPECT_FALSE(rotations[0].contains("ExpirationModel"));
  Import(key_, bytes_, ExpiringIn(hours(2)));
  rotations = Rotations(key_);
  EXPECT_EQ(rotations[0].at("KeyMaterialDescription"), "from the safe");
  EXPECT_EQ(rotations[0].at("ExpirationModel"), "KEY_MATERIAL_EXPIRES");
  EXPECT_EQ(rotations[0].at("ValidTo"), Seconds(clock_.Now() + hours(2)));
  const std::string mac = NewExternal("HMAC_256", "GENERATE_VERIFY_MAC");
  EXPECT_THAT(
      TryImport(mac, bytes_, {{"KeyMaterialDescription", "from the safe"}}),
      StatusIs(ErrorCode::kValidation));
}

TEST_F(MaterialTest, ExpiredMaterialIsDestroyed) {
  Import(key_, bytes_, ExpiringIn(minutes(30)));
  const hsm::Locator locator = Locator(id_);
  clock_.Advance(minutes(30) - seconds(1));
  ASSERT_OK(Run(ExpireMaterials(environment())));
  EXPECT_EQ(State(key_), "Enabled");
  clock_.Advance(seconds(1));
  ASSERT_OK(Run(ExpireMaterials(environment())));
  EXPECT_EQ(State(key_), "PendingImport");
  EXPECT_EQ(CountEvents("DeleteExpiredKeyMaterial"), 1);
  EXPECT_TRUE(OnToken(locator));
  Restart();  // As after a crash in between.
  ASSERT_OK(Run(FinishDestructions(environment())));
  EXPECT_FALSE(OnToken(locator));
  EXPECT_EQ(CountEvents("DestroyKeyMaterial"), 1);
  ExpectNoIntents();
  EXPECT_EQ(Import(key_, bytes_), id_);
  EXPECT_EQ(State(key_), "Enabled");
  ASSERT_OK(Run(ExpireMaterials(environment())));
  EXPECT_EQ(State(key_), "Enabled");
}

// Its destruction may be late, or wait for the clock: its use may not.
TEST_F(MaterialTest, ExpiredMaterialIsOfNoUseBeforeItIsDestroyed) {
  Import(key_, bytes_, ExpiringIn(hours(24)));
  const json plaintext = {{"KeyId", key_}, {"Plaintext", "YQ=="}};
  const json encrypted = testlib::Take(Ask("Encrypt", plaintext));
  clock_.JumpTo(clock_.Now() + hours(24));
  const auto is_pending =
      StatusIs(ErrorCode::kInvalidState, Arn(key_) + " is pending import.");
  EXPECT_THAT(Ask("Encrypt", plaintext), is_pending);
  EXPECT_THAT(
      Ask("Decrypt", {{"CiphertextBlob", encrypted.at("CiphertextBlob")}}),
      is_pending);
  EXPECT_OK(Ask("DescribeKey", {{"KeyId", key_}}));
}

TEST_F(MaterialTest, AClockThatJumpsExpiresNothing) {
  Import(key_, bytes_, ExpiringIn(hours(24)));
  clock_.JumpTo(clock_.Now() + hours(48));
  ASSERT_OK(Run(ExpireMaterials(environment())));
  EXPECT_EQ(State(key_), "Enabled");
  guard().Accept();
  ASSERT_OK(Run(ExpireMaterials(environment())));
  EXPECT_EQ(State(key_), "PendingImport");
}

TEST_F(MaterialTest, TheEarliestEndIsTheKeys) {
  Import(key_, bytes_, ExpiringIn(hours(5)));
  Import(key_, RandomOf(32), [this] {
    json more = ExpiringIn(hours(3));
    more["ImportType"] = "NEW_KEY_MATERIAL";
    return more;
  }());
  EXPECT_EQ(Metadata(key_).at("ValidTo"), Seconds(clock_.Now() + hours(3)));
}

TEST_F(MaterialTest, AKeyPendingDeletionLosesItAndStaysSo) {
  testlib::Take(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}));
  EXPECT_THAT(
      AskParameters(key_),
      StatusIs(ErrorCode::kInvalidState, Arn(key_) + " is pending deletion."));
  ASSERT_OK(Delete());
  EXPECT_EQ(State(key_), "PendingDeletion");
  testlib::Take(Ask("CancelKeyDeletion", {{"KeyId", key_}}));
  EXPECT_EQ(State(key_), "PendingImport");
  Import(key_, bytes_);
  testlib::Take(Ask("ScheduleKeyDeletion", {{"KeyId", key_}}));
  testlib::Take(Ask("CancelKeyDeletion", {{"KeyId", key_}}));
  EXPECT_EQ(State(key_), "Disabled");
  const hsm::Locator locator = Locator(id_);
  testlib::Take(Ask("ScheduleKeyDeletion",
                    {{"KeyId", key_}, {"PendingWindowInDays", 7}}));
  clock_.Advance(hours(24 * 7));
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(OnToken(locator));
  EXPECT_THAT(store().FindKey(key_), StatusIs(ErrorCode::kNotFound));
}

TEST_F(MaterialTest, IsNotRotatedByItself) {
  const std::string text =
      Arn(key_) + " origin is EXTERNAL which is not valid for this operation.";
  for (const char* operation :
       {"EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus"}) {
    EXPECT_THAT(Ask(operation, {{"KeyId", key_}}),
                StatusIs(ErrorCode::kUnsupportedOperation, text))
        << operation;
  }
}

}  // namespace
}  // namespace kms::operations
