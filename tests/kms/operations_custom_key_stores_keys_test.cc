// SPDX-License-Identifier: Apache-2.0
// KMS keys in external key stores: how they come, show themselves and go.
#include <chrono>
#include <utility>

#include "kms/operations/deletion.h"
#include "tests/kms/operations_custom_key_stores_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

class ExternalKeysTest : public CustomKeyStoresTest {
 protected:
  ExternalKeysTest() : store_(NewConnectedStore()) {}

  void Disconnect() { Take(OnStore("DisconnectCustomKeyStore", store_)); }
  void Connect() {
    Take(OnStore("ConnectCustomKeyStore", store_));
    ConnectPending();
  }

  std::string store_;
};

TEST_F(ExternalKeysTest, SayWhoseTheyAre) {
  const json made = Take(CreateExternalKey(store_, "key-1")).at("KeyMetadata");
  EXPECT_EQ(made.at("Origin"), "EXTERNAL_KEY_STORE");
  EXPECT_EQ(made.at("CustomKeyStoreId"), store_);
  EXPECT_EQ(made.at("XksKeyConfiguration"), (json{{"Id", "key-1"}}));
  EXPECT_EQ(made.at("KeyState"), "Enabled");
  EXPECT_EQ(made.at("KeySpec"), "SYMMETRIC_DEFAULT");
  EXPECT_EQ(made.at("MultiRegion"), false);
  EXPECT_FALSE(made.contains("CurrentKeyMaterialId"));
  const json key = {{"KeyId", made.at("KeyId")}};
  EXPECT_EQ(Take(Ask("DescribeKey", key)).at("KeyMetadata"), made);

  const SeenXksRequest& seen = xks_.seen.back();
  EXPECT_EQ(seen.operation, hsm::XksOperation::kMetadata);
  EXPECT_EQ(seen.kms_operation, "CreateKey");
  EXPECT_EQ(seen.external_key_id, "key-1");
  EXPECT_EQ(seen.principal_arn, identity::Administrator(kAccount).arn);
}

TEST_F(ExternalKeysTest, NeedTheirMembersAndNoOthers) {
  const json good = {{"Origin", "EXTERNAL_KEY_STORE"},
                     {"CustomKeyStoreId", store_},
                     {"XksKeyId", "key-1"}};
  struct Case {
    json change;  // A merge patch.
    ErrorCode code;
  };
  const Case cases[] = {
      {{{"XksKeyId", nullptr}}, ErrorCode::kValidation},
      {{{"CustomKeyStoreId", nullptr}}, ErrorCode::kValidation},
      {{{"Origin", nullptr}}, ErrorCode::kValidation},
      {{{"Origin", nullptr}, {"XksKeyId", nullptr}}, ErrorCode::kValidation},
      {{{"Origin", "EXTERNAL"}}, ErrorCode::kValidation},
      {{{"Origin", "AWS_CLOUDHSM"}}, ErrorCode::kValidation},
      {{{"Origin", "AWS_CLOUDHSM"}, {"XksKeyId", nullptr}},
       ErrorCode::kUnsupportedOperation},
      {{{"MultiRegion", true}}, ErrorCode::kUnsupportedOperation},
      {{{"KeySpec", "RSA_2048"}, {"KeyUsage", "ENCRYPT_DECRYPT"}},
       ErrorCode::kUnsupportedOperation},
      {{{"KeySpec", "HMAC_256"}, {"KeyUsage", "GENERATE_VERIFY_MAC"}},
       ErrorCode::kUnsupportedOperation},
      {{{"CustomKeyStoreId", "cks-1234567890abcdef0"}},
       ErrorCode::kCustomKeyStoreNotFound},
      {{{"XksKeyId", "none"}}, ErrorCode::kXksKeyNotFound},
      {{{"XksKeyId", "a/b"}}, ErrorCode::kValidation},
      {{{"XksKeyId", "."}}, ErrorCode::kValidation},
      {{{"XksKeyId", ".."}}, ErrorCode::kValidation},
  };
  for (const Case& each : cases) {
    json input = good;
    input.merge_patch(each.change);
    SCOPED_TRACE(input.dump());
    EXPECT_THAT(Ask("CreateKey", input), StatusIs(each.code));
  }
  EXPECT_THAT(Ask("CreateKey", {{"Origin", "AWS_CLOUDHSM"}}),
              StatusIs(ErrorCode::kValidation));
  EXPECT_OK(Ask("CreateKey", good));
}

TEST_F(ExternalKeysTest, AreThereOnceInAStore) {
  NewExternalKey(store_);
  xks_.seen.clear();
  EXPECT_THAT(CreateExternalKey(store_, "key-1"),
              StatusIs(ErrorCode::kXksKeyAlreadyInUse));
  EXPECT_THAT(xks_.seen, IsEmpty());  // The proxy has nothing to say there.
  // Also when another one is quicker.
  xks_.meanwhile = [this]() -> boost::asio::awaitable<void> {
    json input = {{"Origin", "EXTERNAL_KEY_STORE"}};
    input["CustomKeyStoreId"] = store_;
    input["XksKeyId"] = "key-2";
    const auto reply = co_await Send("CreateKey", std::move(input));
    EXPECT_OK(reply);
  };
  EXPECT_THAT(CreateExternalKey(store_, "key-2"),
              StatusIs(ErrorCode::kXksKeyAlreadyInUse));
  // What was made for the one that is not there is gone again.
  EXPECT_THAT(Take(store().ListIntents()), IsEmpty());
}

TEST_F(ExternalKeysTest, NeedAConnectedStore) {
  Disconnect();
  xks_.seen.clear();
  EXPECT_THAT(CreateExternalKey(store_, "key-1"),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  EXPECT_THAT(xks_.seen, IsEmpty());
  Connect();
  // Also when it is disconnected while the key is made.
  xks_.meanwhile = [this]() -> boost::asio::awaitable<void> {
    Take(store().WriteNow([this](store::Transaction& change) -> base::Status {
      auto& stores = change.custom_key_stores();
      CustomKeyStore row = Take(stores.GetCustomKeyStore(store_));
      row.state = ConnectionState::kDisconnected;
      return stores.UpdateCustomKeyStore(row);
    }));
    co_return;
  };
  EXPECT_THAT(CreateExternalKey(store_, "key-1"),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
}

TEST_F(ExternalKeysTest, AreUnavailableWhileTheirStoreIsNotConnected) {
  const std::string enabled = NewExternalKey(store_, "key-1");
  const std::string disabled = NewExternalKey(store_, "key-2");
  Take(Ask("DisableKey", {{"KeyId", disabled}}));
  EXPECT_EQ(KeyState(disabled), "Disabled");
  Disconnect();
  EXPECT_EQ(KeyState(enabled), "Unavailable");
  EXPECT_EQ(KeyState(disabled), "Unavailable");
  const std::string arn = "arn:aws:kms:eu-west-1:111122223333:key/" + enabled;
  EXPECT_THAT(Ask("Encrypt", {{"KeyId", enabled}, {"Plaintext", "YQ=="}}),
              StatusIs(ErrorCode::kInvalidState, arn + " is unavailable."));
  RestartAll();
  EXPECT_EQ(KeyState(enabled), "Unavailable");
  Take(OnStore("ConnectCustomKeyStore", store_));
  EXPECT_EQ(KeyState(enabled), "Unavailable");
  ConnectPending();
  EXPECT_EQ(KeyState(enabled), "Enabled");
  EXPECT_EQ(KeyState(disabled), "Disabled");
}

// AWS's table of key states, notes 12 and 13.
TEST_F(ExternalKeysTest, ChangeTheirStateBehindThat) {
  const std::string key = NewExternalKey(store_);
  const json id = {{"KeyId", key}};
  Disconnect();
  EXPECT_OK(Ask("DisableKey", id));
  EXPECT_EQ(KeyState(key), "Unavailable");
  EXPECT_THAT(Ask("CancelKeyDeletion", id), StatusIs(ErrorCode::kInvalidState));
  EXPECT_OK(Ask("ScheduleKeyDeletion", id));
  EXPECT_EQ(KeyState(key), "PendingDeletion");
  EXPECT_OK(Ask("CancelKeyDeletion", id));
  EXPECT_EQ(KeyState(key), "Unavailable");
  Connect();
  EXPECT_EQ(KeyState(key), "Disabled");
}

TEST_F(ExternalKeysTest, LeaveMuchToTheirManager) {
  const std::string key = NewExternalKey(store_);
  const std::vector<std::pair<const char*, json>> requests = {
      {"EnableKeyRotation", json::object()},
      {"DisableKeyRotation", json::object()},
      {"GetKeyRotationStatus", json::object()},
      {"ListKeyRotations", json::object()},
      {"RotateKeyOnDemand", json::object()},
      {"GenerateDataKeyPair", {{"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GenerateDataKeyPairWithoutPlaintext",
       {{"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GetParametersForImport",
       {{"WrappingAlgorithm", "RSAES_OAEP_SHA_256"},
        {"WrappingKeySpec", "RSA_2048"}}},
      {"ImportKeyMaterial",
       {{"ImportToken", "YQ=="},
        {"EncryptedKeyMaterial", "YQ=="},
        {"ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE"}}},
      {"DeleteImportedKeyMaterial", json::object()},
      {"ReplicateKey", {{"ReplicaRegion", "eu-west-2"}}},
      {"UpdatePrimaryRegion", {{"PrimaryRegion", "eu-west-2"}}}};
  for (const auto& [operation, members] : requests) {
    SCOPED_TRACE(operation);
    json input = members;
    input["KeyId"] = key;
    EXPECT_THAT(Ask(operation, input),
                StatusIs(ErrorCode::kUnsupportedOperation,
                         HasSubstr("EXTERNAL_KEY_STORE")));
  }
  EXPECT_THAT(Ask("Sign", {{"KeyId", key},
                           {"Message", "YQ=="},
                           {"SigningAlgorithm", "ECDSA_SHA_256"}}),
              StatusIs(ErrorCode::kInvalidKeyUsage));
}

TEST_F(ExternalKeysTest, KeepTheirStoreUntilTheyAreGone) {
  const std::string key = NewExternalKey(store_);
  const hsm::Locator locator =
      Take(store().FindKey(key))->CurrentMaterial().ref.locator;
  EXPECT_TRUE(OnToken(locator));
  Take(
      Ask("ScheduleKeyDeletion", {{"KeyId", key}, {"PendingWindowInDays", 7}}));
  Disconnect();
  EXPECT_THAT(OnStore("DeleteCustomKeyStore", store_),
              StatusIs(ErrorCode::kCustomKeyStoreHasKeys));
  clock_.Advance(std::chrono::days(8));
  guard().Accept();
  Take(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(OnToken(locator));
  EXPECT_OK(OnStore("DeleteCustomKeyStore", store_));
}

TEST_F(ExternalKeysTest, StoresHaveNoRandomNumbers) {
  EXPECT_THAT(Ask("GenerateRandom",
                  {{"NumberOfBytes", 8}, {"CustomKeyStoreId", store_}}),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_THAT(
      Ask("GenerateRandom", {{"NumberOfBytes", 8},
                             {"CustomKeyStoreId", "cks-1234567890abcdef0"}}),
      StatusIs(ErrorCode::kCustomKeyStoreNotFound));
}

TEST_F(ExternalKeysTest, TheirOriginIsAConditionOfPolicies) {
  const json policy = {
      {"Statement",
       {{{"Effect", "Allow"},
         {"Principal", {{"AWS", "arn:aws:iam::111122223333:root"}}},
         {"Action", "kms:*"},
         {"Resource", "*"}},
        {{"Effect", "Deny"},
         {"Principal", "*"},
         {"Action", "kms:Encrypt"},
         {"Resource", "*"},
         {"Condition",
          {{"StringEquals", {{"kms:KeyOrigin", "EXTERNAL_KEY_STORE"}}}}}}}}};
  const std::string external = NewExternalKey(store_);
  const std::string ordinary = NewKey();
  for (const std::string& key : {external, ordinary}) {
    Take(Ask("PutKeyPolicy", {{"KeyId", key}, {"Policy", policy.dump()}}));
  }
  EXPECT_OK(Ask("Encrypt", {{"KeyId", ordinary}, {"Plaintext", "YQ=="}}));
  EXPECT_THAT(Ask("Encrypt", {{"KeyId", external}, {"Plaintext", "YQ=="}}),
              StatusIs(ErrorCode::kAccessDenied));
}

}  // namespace
}  // namespace kms::operations
