// SPDX-License-Identifier: Apache-2.0
// KMS keys in CloudHSM key stores: how they come, are used and go.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/deletion.h"
#include "tests/kms/operations_clusters_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

class ClusterKeysTest : public ClustersTest {
 protected:
  ClusterKeysTest() : store_(NewConnectedCluster()) {}

  using ClustersTest::Connect;
  using ClustersTest::Disconnect;
  void Connect() { Connect(store_); }
  void Disconnect() { Disconnect(store_); }

  base::Result<json> Encrypt(const std::string& key) {
    return Ask("Encrypt", {{"KeyId", key}, {"Plaintext", "bWVzc2FnZQ=="}});
  }
  base::Result<json> Decrypt(const std::string& blob) {
    return Ask("Decrypt", {{"CiphertextBlob", blob}});
  }
  base::Result<json> Random(const std::string& store) {
    return Ask("GenerateRandom",
               {{"NumberOfBytes", 32}, {"CustomKeyStoreId", store}});
  }
  void ScheduleDeletion(const std::string& key) {
    Take(Ask("ScheduleKeyDeletion",
             {{"KeyId", key}, {"PendingWindowInDays", 7}}));
    clock_.Advance(std::chrono::days(8));
    guard().Accept();
  }

  std::string store_;
};

TEST_F(ClusterKeysTest, SayWhereTheyAre) {
  const json made = Take(CreateKeyIn(store_)).at("KeyMetadata");
  EXPECT_EQ(made.at("Origin"), "AWS_CLOUDHSM");
  EXPECT_EQ(made.at("CustomKeyStoreId"), store_);
  EXPECT_EQ(made.at("CloudHsmClusterId"), kCluster);
  EXPECT_EQ(made.at("KeyState"), "Enabled");
  EXPECT_EQ(made.at("KeySpec"), "SYMMETRIC_DEFAULT");
  EXPECT_EQ(made.at("MultiRegion"), false);
  EXPECT_FALSE(made.contains("CurrentKeyMaterialId"));
  EXPECT_FALSE(made.contains("XksKeyConfiguration"));
  const json key = {{"KeyId", made.at("KeyId")}};
  EXPECT_EQ(Take(Ask("DescribeKey", key)).at("KeyMetadata"), made);
}

TEST_F(ClusterKeysTest, AreObjectsOfTheTokenOfTheCluster) {
  // Even if other keys of that key store are wrapped.
  Take(Run(EnsureWrappingKey(environment(), cluster(), Placement::kWrapped)));
  const std::string key = NewKeyIn(store_);
  const auto row = Take(store().FindKey(key));
  EXPECT_EQ(row->key_store, kCluster);
  EXPECT_EQ(row->CurrentMaterial().key_store, kCluster);
  EXPECT_EQ(row->CurrentMaterial().ref.wrapped, nullptr);
  EXPECT_TRUE(InCluster(LocatorOf(key)));
  EXPECT_FALSE(OnToken(LocatorOf(key)));
  // Other keys of the Region are not.
  EXPECT_FALSE(InCluster(LocatorOf(NewKey())));
}

TEST_F(ClusterKeysTest, NeedTheirMembersAndNoOthers) {
  const json good = {{"Origin", "AWS_CLOUDHSM"}, {"CustomKeyStoreId", store_}};
  struct Case {
    json change;  // A merge patch.
    ErrorCode code;
  };
  const Case cases[] = {
      {{{"CustomKeyStoreId", nullptr}}, ErrorCode::kValidation},
      {{{"Origin", nullptr}}, ErrorCode::kValidation},
      {{{"Origin", "EXTERNAL"}}, ErrorCode::kValidation},
      {{{"XksKeyId", "key-1"}}, ErrorCode::kValidation},
      {{{"MultiRegion", true}}, ErrorCode::kUnsupportedOperation},
      {{{"KeySpec", "RSA_2048"}, {"KeyUsage", "ENCRYPT_DECRYPT"}},
       ErrorCode::kUnsupportedOperation},
      {{{"KeySpec", "HMAC_256"}, {"KeyUsage", "GENERATE_VERIFY_MAC"}},
       ErrorCode::kUnsupportedOperation},
      {{{"CustomKeyStoreId", "cks-1234567890abcdef0"}},
       ErrorCode::kCustomKeyStoreNotFound},
      // Each type of store has its own keys.
      {{{"Origin", "EXTERNAL_KEY_STORE"}, {"XksKeyId", "key-1"}},
       ErrorCode::kUnsupportedOperation},
      {{{"CustomKeyStoreId", NewConnectedStore()}},
       ErrorCode::kUnsupportedOperation},
  };
  for (const Case& each : cases) {
    json input = good;
    input.merge_patch(each.change);
    SCOPED_TRACE(input.dump());
    EXPECT_THAT(Ask("CreateKey", input), StatusIs(each.code));
  }
  EXPECT_OK(Ask("CreateKey", good));
}

TEST_F(ClusterKeysTest, NeedAConnectedStore) {
  const std::size_t before = CountInCluster();
  Disconnect();
  EXPECT_THAT(CreateKeyIn(store_),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  Connect();
  // Also when that changes while the key is made.
  ChangeRow(store_, [](CustomKeyStore& row) {
    row.cloud_hsm_cluster_id = kOtherCluster;
  });
  EXPECT_THAT(CreateKeyIn(store_),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  ChangeRow(store_, [](CustomKeyStore& row) {
    row.cloud_hsm_cluster_id = kCluster;
    row.key_store = "another";
  });
  EXPECT_THAT(CreateKeyIn(store_),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  ChangeRow(store_, [](CustomKeyStore& row) {
    EXPECT_EQ(std::exchange(row.key_store, kCluster), "another");
    row.state = ConnectionState::kDisconnected;
  });
  EXPECT_THAT(CreateKeyIn(store_),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  EXPECT_EQ(CountInCluster(), before);
  EXPECT_THAT(Take(store().ListIntents()), IsEmpty());
}

TEST_F(ClusterKeysTest, AreUsedLikeOthers) {
  const std::string key = NewKeyIn(store_);
  const std::string blob = Take(Encrypt(key)).at("CiphertextBlob");
  EXPECT_EQ(Take(Decrypt(blob)).at("Plaintext"), "bWVzc2FnZQ==");
  const json data_key =
      Take(Ask("GenerateDataKey", {{"KeyId", key}, {"KeySpec", "AES_256"}}));
  EXPECT_EQ(Take(Decrypt(data_key.at("CiphertextBlob"))).at("Plaintext"),
            data_key.at("Plaintext"));
  EXPECT_OK(Ask("GenerateDataKeyWithoutPlaintext",
                {{"KeyId", key}, {"KeySpec", "AES_128"}}));
  // To the server's own token, and back.
  const json there = Take(Ask(
      "ReEncrypt", {{"CiphertextBlob", blob}, {"DestinationKeyId", NewKey()}}));
  const json back =
      Take(Ask("ReEncrypt", {{"CiphertextBlob", there.at("CiphertextBlob")},
                             {"DestinationKeyId", key}}));
  EXPECT_EQ(Take(Decrypt(back.at("CiphertextBlob"))).at("Plaintext"),
            "bWVzc2FnZQ==");
}

TEST_F(ClusterKeysTest, AreUnavailableWhileTheirStoreIsNotConnected) {
  const std::string key = NewKeyIn(store_);
  const std::string disabled = NewKeyIn(store_);
  Take(Ask("DisableKey", {{"KeyId", disabled}}));
  const std::string blob = Take(Encrypt(key)).at("CiphertextBlob");
  const std::string text =
      "arn:aws:kms:eu-west-1:111122223333:key/" + key + " is unavailable.";
  Disconnect();
  EXPECT_EQ(KeyState(key), "Unavailable");
  EXPECT_EQ(KeyState(disabled), "Unavailable");
  EXPECT_THAT(Encrypt(key), StatusIs(ErrorCode::kInvalidState, text));
  EXPECT_THAT(Decrypt(blob), StatusIs(ErrorCode::kInvalidState, text));
  EXPECT_THAT(Ask("GenerateDataKey", {{"KeyId", key}, {"KeySpec", "AES_256"}}),
              StatusIs(ErrorCode::kInvalidState, text));
  EXPECT_THAT(
      Ask("ReEncrypt", {{"CiphertextBlob", blob}, {"DestinationKeyId", key}}),
      StatusIs(ErrorCode::kInvalidState, text));
  RestartWith();
  EXPECT_EQ(KeyState(key), "Unavailable");
  Connect();
  EXPECT_EQ(KeyState(key), "Enabled");
  EXPECT_EQ(KeyState(disabled), "Disabled");
  EXPECT_OK(Decrypt(blob));
}

// Whatever the list of stores said when the request came in.
TEST_F(ClusterKeysTest, AreNotUsedWhileTheListOfStoresIsOutOfDate) {
  const std::string key = NewKeyIn(store_);
  const std::string blob = Take(Encrypt(key)).at("CiphertextBlob");
  auto& stores = environment().custom_key_stores;
  stores.FallBehind(store().info().revision + 1000);
  EXPECT_THAT(Encrypt(key), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(Decrypt(blob), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(Random(store_), StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
}

TEST_F(ClusterKeysTest, DisconnectWaitsForWhatIsUnderWay) {
  auto pass = environment().custom_key_stores.Admit(store_);
  ASSERT_TRUE(pass.has_value());
  bool released = false;
  bool released_first = false;
  auto release = [&]() -> boost::asio::awaitable<void> {
    while (
        environment().custom_key_stores.current()->Find(store_)->store.state !=
        ConnectionState::kDisconnected) {
      co_await boost::asio::post(boost::asio::use_awaitable);
    }
    released = true;
    pass.reset();
  };
  auto disconnect = [&]() -> boost::asio::awaitable<void> {
    json input = {{"CustomKeyStoreId", store_}};
    const auto reply =
        co_await Send("DisconnectCustomKeyStore", std::move(input));
    EXPECT_OK(reply);
    released_first = released;
  };
  RunTogether(disconnect(), release());
  EXPECT_TRUE(released_first);
}

TEST_F(ClusterKeysTest, WithoutWorkersAreNotReachedAndStayConnected) {
  const std::string key = NewKeyIn(store_);
  cluster().hsm.Stop();
  EXPECT_THAT(Encrypt(key), StatusIs(ErrorCode::kHsmUnavailable));
  EXPECT_THAT(CreateKeyIn(store_), StatusIs(ErrorCode::kTimeout));
  EXPECT_EQ(State(store_), "CONNECTED");
  RestartWith();
  EXPECT_OK(Encrypt(key));
}

TEST_F(ClusterKeysTest, WithoutTheirKeyStoreAreNotReached) {
  const std::string key = NewKeyIn(store_);
  RestartWithout();
  EXPECT_THAT(Encrypt(key), StatusIs(ErrorCode::kKeyUnavailable));
  EXPECT_THAT(CreateKeyIn(store_),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  EXPECT_THAT(Random(store_), StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
}

// The key store is there, but is that cluster no more.
TEST_F(ClusterKeysTest, AreUnavailableIfTheConfigurationLacksTheCluster) {
  const std::string key = NewKeyIn(store_);
  RestartWith();
  Take(Run(FailLostClusters(environment())));
  EXPECT_EQ(State(store_), "CONNECTED");
  RestartWith();
  cluster().cluster_id = kOtherCluster;
  Take(Run(FailLostClusters(environment())));
  EXPECT_EQ(State(store_), "FAILED CLUSTER_NOT_FOUND");
  EXPECT_EQ(KeyState(key), "Unavailable");
  EXPECT_THAT(Encrypt(key), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(CreateKeyIn(store_),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  EXPECT_EQ(LastEvent("ChangeConnectionState").at("serviceEventDetails"),
            (json{{"customKeyStoreId", store_},
                  {"connectionState", "FAILED"},
                  {"connectionErrorCode", "CLUSTER_NOT_FOUND"}}));
  RestartWith();
  EXPECT_EQ(KeyState(key), "Unavailable");
  Disconnect();
  Connect();
  EXPECT_OK(Encrypt(key));
}

TEST_F(ClusterKeysTest, HaveOneMaterialOfTheirOwn) {
  const std::string key = NewKeyIn(store_);
  const std::vector<std::pair<const char*, json>> requests = {
      {"EnableKeyRotation", json::object()},
      {"DisableKeyRotation", json::object()},
      {"GetKeyRotationStatus", json::object()},
      {"ListKeyRotations", json::object()},
      {"RotateKeyOnDemand", json::object()},
      {"GenerateDataKeyPair", {{"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GetParametersForImport",
       {{"WrappingAlgorithm", "RSAES_OAEP_SHA_256"},
        {"WrappingKeySpec", "RSA_2048"}}},
      {"DeleteImportedKeyMaterial", json::object()},
      {"ReplicateKey", {{"ReplicaRegion", "eu-west-2"}}}};
  for (const auto& [operation, members] : requests) {
    SCOPED_TRACE(operation);
    json input = members;
    input["KeyId"] = key;
    EXPECT_THAT(
        Ask(operation, input),
        StatusIs(ErrorCode::kUnsupportedOperation, HasSubstr("AWS_CLOUDHSM")));
  }
}

TEST_F(ClusterKeysTest, KeepTheirStoreAndGoWhileItIsDisconnected) {
  const std::string key = NewKeyIn(store_);
  const hsm::Locator locator = LocatorOf(key);
  Disconnect();
  ScheduleDeletion(key);
  EXPECT_EQ(KeyState(key), "PendingDeletion");
  EXPECT_THAT(OnStore("DeleteCustomKeyStore", store_),
              StatusIs(ErrorCode::kCustomKeyStoreHasKeys));
  Take(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(InCluster(locator));
  EXPECT_THAT(store().FindKey(key), StatusIs(ErrorCode::kNotFound));
  EXPECT_OK(OnStore("DeleteCustomKeyStore", store_));
}

TEST_F(ClusterKeysTest, StayUntilTheirTokenHasDestroyedThem) {
  const std::string key = NewKeyIn(store_);
  const hsm::Locator locator = LocatorOf(key);
  ScheduleDeletion(key);
  RestartWithout();
  EXPECT_THAT(Run(DestroyDueKeys(environment())),
              StatusIs(ErrorCode::kKeyUnavailable));
  EXPECT_OK(store().FindKey(key));
  RestartWith();
  EXPECT_TRUE(InCluster(locator));
  Take(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(InCluster(locator));
}

TEST_F(ClusterKeysTest, StoresHaveRandomBytesOfTheirOwn) {
  const std::string bytes = Take(Random(store_)).at("Plaintext");
  EXPECT_EQ(Take(base::Base64Decode(bytes)).size(), 32U);
  EXPECT_NE(Take(Random(store_)).at("Plaintext"), bytes);
  const std::string external = NewStore();
  EXPECT_THAT(Random(external), StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_THAT(Random("cks-1234567890abcdef0"),
              StatusIs(ErrorCode::kCustomKeyStoreNotFound));
  // They are of that token, and of no other.
  cluster().hsm.Stop();
  EXPECT_THAT(Random(store_), StatusIs(ErrorCode::kTimeout));
  EXPECT_OK(Ask("GenerateRandom", {{"NumberOfBytes", 32}}));
  Disconnect();
  EXPECT_THAT(Random(store_), StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
}

TEST_F(ClusterKeysTest, AreNotThereForOtherAccountsToMakeKeysIn) {
  const From other = {.caller = identity::Administrator(kOtherAccount)};
  EXPECT_THAT(
      Ask("CreateKey",
          {{"Origin", "AWS_CLOUDHSM"}, {"CustomKeyStoreId", store_}}, other),
      StatusIs(ErrorCode::kCustomKeyStoreNotFound));
  EXPECT_THAT(Ask("GenerateRandom",
                  {{"NumberOfBytes", 32}, {"CustomKeyStoreId", store_}}, other),
              StatusIs(ErrorCode::kCustomKeyStoreNotFound));
}

// The operator has exchanged the cluster ids of two key stores.
class SwappedClustersTest : public ClusterKeysTest {
 protected:
  void RestartSwapped() {
    RestartWithout();
    AddCluster(kOtherCluster, kCluster);
    AddCluster(kCluster, kOtherCluster);
    Take(Run(FailLostClusters(environment())));
  }
  void RestartMended() {
    RestartWithout();
    AddCluster(kCluster);
    AddCluster(kOtherCluster);
    Take(Run(FailLostClusters(environment())));
  }
};

TEST_F(SwappedClustersTest, KeysAreLookedForOnNoOtherToken) {
  const std::string key = NewKeyIn(store_);
  const std::string blob = Take(Encrypt(key)).at("CiphertextBlob");
  RestartSwapped();
  EXPECT_EQ(State(store_), "FAILED CLUSTER_NOT_FOUND");
  EXPECT_THAT(Encrypt(key), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(Decrypt(blob), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(CreateKeyIn(store_),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  EXPECT_THAT(Random(store_), StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  Disconnect();
  Connect();
  EXPECT_EQ(State(store_), "FAILED CLUSTER_NOT_FOUND");
  RestartMended();
  Disconnect();
  Connect();
  EXPECT_EQ(State(store_), "CONNECTED");
  EXPECT_EQ(Take(Decrypt(blob)).at("Plaintext"), "bWVzc2FnZQ==");
}

TEST_F(SwappedClustersTest, TheReasonIsClear) {
  NewKeyIn(store_);
  RestartSwapped();
  const auto list = environment().custom_key_stores.current();
  EXPECT_THAT(
      ClusterOf(environment(), list->Find(store_)->store),
      StatusIs(ErrorCode::kCloudHsmClusterNotFound,
               AllOf(HasSubstr("to key store 'cluster-3abcdefghij', but"),
                     HasSubstr("was connected to key store "
                               "'cluster-2abcdefghij', which has its keys"))));
}

TEST_F(SwappedClustersTest, AKeyIsDestroyedWhereItIs) {
  const std::string key = NewKeyIn(store_);
  const hsm::Locator locator = LocatorOf(key);
  ScheduleDeletion(key);
  RestartSwapped();
  const auto before = environment().key_stores.Find(kCluster);
  EXPECT_EQ((*before)->cluster_id, kOtherCluster);
  guard().Accept();
  Take(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(InCluster(locator));
}

// Its password has shown who may use the token that it was connected to.
TEST_F(SwappedClustersTest, WithoutKeysItIsToBeConnectedAnew) {
  RestartSwapped();
  EXPECT_EQ(State(store_), "FAILED CLUSTER_NOT_FOUND");
  Disconnect();
  Connect();
  EXPECT_EQ(State(store_), "CONNECTED");
  EXPECT_EQ(Take(store().FindKey(NewKeyIn(store_)))->key_store, kOtherCluster);
}

// What an earlier release has connected does not say where.
TEST_F(SwappedClustersTest, AnOlderStoreLearnsItWithItsNextKey) {
  ChangeRow(store_, [](CustomKeyStore& row) { row.key_store.clear(); });
  RestartMended();
  EXPECT_EQ(State(store_), "CONNECTED");
  NewKeyIn(store_);
  RestartSwapped();
  EXPECT_EQ(State(store_), "FAILED CLUSTER_NOT_FOUND");
}

}  // namespace
}  // namespace kms::operations
