// SPDX-License-Identifier: Apache-2.0
// The placement `wrapped`: keys that the store has and the token does not.
#include <chrono>
#include <set>

#include "base/bytes.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/intents.h"
#include "kms/operations/reconcile.h"
#include "kms/operations/service_keys.h"
#include "kms/store/connection.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using std::chrono::days;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::StatusIs;

class WrappedPlacementTest : public OperationsTest {
 protected:
  WrappedPlacementTest() { Place(Placement::kWrapped); }

  KeyMaterial MaterialOf(const std::string& key) {
    return testlib::Take(store().FindKey(key))->CurrentMaterial();
  }
  bool IsWrapped(const std::string& key) {
    const KeyMaterial material = MaterialOf(key);
    EXPECT_NE(material.ref.wrapped != nullptr, OnToken(material.ref.locator));
    return material.ref.wrapped != nullptr;
  }
  std::string Decrypted(const std::string& blob) {
    const auto opened = Ask("Decrypt", {{"CiphertextBlob", blob}});
    return opened ? (*opened)["Plaintext"].get<std::string>()
                  : opened.error().message;
  }
};

TEST_F(WrappedPlacementTest, NewKeysAreNotOnTheToken) {
  const std::string key = NewKey();
  EXPECT_TRUE(IsWrapped(key));
  const std::string blob = Encrypted(key, "text");
  EXPECT_EQ(Decrypted(blob), "dGV4dA==");
  EXPECT_THAT(testlib::Take(store().ListIntents()), IsEmpty());
  RestartAs(Placement::kWrapped);
  EXPECT_EQ(Decrypted(blob), "dGV4dA==");
}

TEST_F(WrappedPlacementTest, EveryKindOfKeyWorks) {
  const std::string rsa = NewKeyOf("RSA_2048", "SIGN_VERIFY");
  const std::string curve = NewKeyOf("ECC_NIST_P384", "SIGN_VERIFY");
  for (const auto& [key, algorithm] : {std::pair{rsa, "RSASSA_PSS_SHA_256"},
                                       std::pair{curve, "ECDSA_SHA_384"}}) {
    EXPECT_TRUE(IsWrapped(key));
    json request = {{"KeyId", key},
                    {"Message", "dGV4dA=="},
                    {"SigningAlgorithm", algorithm}};
    const json reply = testlib::Take(Ask("Sign", request));
    request["Signature"] = reply["Signature"];
    EXPECT_OK(Ask("Verify", request));
  }
  const std::string mac = NewKeyOf("HMAC_512", "GENERATE_VERIFY_MAC");
  EXPECT_TRUE(IsWrapped(mac));
  EXPECT_OK(Ask("GenerateMac", {{"KeyId", mac},
                                {"Message", "dGV4dA=="},
                                {"MacAlgorithm", "HMAC_SHA_512"}}));
  const std::string encrypts = NewKeyOf("RSA_2048", "ENCRYPT_DECRYPT");
  const json sealed = testlib::Take(
      Ask("Encrypt", {{"KeyId", encrypts},
                      {"Plaintext", "dGV4dA=="},
                      {"EncryptionAlgorithm", "RSAES_OAEP_SHA_256"}}));
  const json opened = testlib::Take(
      Ask("Decrypt", {{"KeyId", encrypts},
                      {"CiphertextBlob", sealed["CiphertextBlob"]},
                      {"EncryptionAlgorithm", "RSAES_OAEP_SHA_256"}}));
  EXPECT_EQ(opened["Plaintext"], "dGV4dA==");
}

// SoftHSM does not wrap those: they live on the token, and work.
TEST_F(WrappedPlacementTest, WhatTheTokenCannotWrapIsResident) {
  const std::string key = NewKeyOf("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
  EXPECT_FALSE(IsWrapped(key));
  EXPECT_OK(Ask("Sign", {{"KeyId", key},
                         {"Message", "dGV4dA=="},
                         {"SigningAlgorithm", "ED25519_SHA_512"}}));
  EXPECT_THAT(testlib::Take(store().ListIntents()), IsEmpty());
}

// From one placement to the other and back, online: the next material goes
// where new ones go, and the old ones open what they have sealed.
TEST_F(WrappedPlacementTest, RotationMovesAKey) {
  RestartAs(Placement::kResident);
  const std::string key = NewKey();
  EXPECT_FALSE(IsWrapped(key));
  const std::string of_resident = Encrypted(key, "one");
  RestartAs(Placement::kWrapped);
  ASSERT_OK(Ask("RotateKeyOnDemand", {{"KeyId", key}}));
  EXPECT_TRUE(IsWrapped(key));
  const std::string of_wrapped = Encrypted(key, "two");
  RestartAs(Placement::kResident);
  EXPECT_TRUE(IsWrapped(key));
  ASSERT_OK(Ask("RotateKeyOnDemand", {{"KeyId", key}}));
  EXPECT_FALSE(IsWrapped(key));
  EXPECT_EQ(Decrypted(of_resident), "b25l");
  EXPECT_EQ(Decrypted(of_wrapped), "dHdv");
}

TEST_F(WrappedPlacementTest, AReplicaHasTheSameMaterial) {
  const json made = testlib::Take(Ask("CreateKey", {{"MultiRegion", true}}));
  const std::string key = made["KeyMetadata"]["KeyId"];
  testlib::Take(
      Ask("ReplicateKey", {{"KeyId", key}, {"ReplicaRegion", "us-west-2"}}));
  const std::string blob = Encrypted(key, "text");
  const json opened = testlib::Take(
      Ask("Decrypt", {{"CiphertextBlob", blob}}, {.region = "us-west-2"}));
  EXPECT_EQ(opened["Plaintext"], "dGV4dA==");
}

TEST_F(WrappedPlacementTest, ADestroyedKeyIsGoneFromTheStoreAndTheWorkers) {
  const std::string key = NewKey();
  const std::string blob = Encrypted(key, "text");
  const hsm::KeyRef ref = MaterialOf(key).ref;
  testlib::Take(
      Ask("ScheduleKeyDeletion", {{"KeyId", key}, {"PendingWindowInDays", 7}}));
  clock_.Advance(days(8));
  guard().Accept();
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(Ask("Decrypt", {{"CiphertextBlob", blob}}).has_value());
  // A request that was still on its way with the key's bytes.
  hsm::CheckKeyRequest late;
  late.key = ref;
  EXPECT_THAT(Run(hsm().Call(late)), StatusIs(ErrorCode::kNotFound));
}

TEST_F(WrappedPlacementTest, NothingIsMissingOnTheToken) {
  const std::set<std::string> keys = {NewKey(), NewKey()};
  const auto difference =
      testlib::Take(Run(CompareToken(environment(), key_store())));
  EXPECT_THAT(difference.missing, IsEmpty());
}

TEST_F(WrappedPlacementTest, ACreationThatFailsLeavesNothing) {
  log().refuses = true;
  EXPECT_FALSE(Ask("CreateKey", json::object()).has_value());
  log().refuses = false;
  EXPECT_THAT(testlib::Take(store().ListIntents()), IsEmpty());
}

// Keys that nobody can unwrap any more are noticed before a request is served,
// and another wrapping key does not take the place of the one that is gone.
// As if the row had been lost with a part of the store: what it has wrapped is
// still there, and another wrapping key could not unwrap it.
TEST_F(WrappedPlacementTest, AForgottenWrappingKeyIsNotMadeAgain) {
  NewKey();
  Close();
  const std::string path = log_folder() + "/../claviger.db";
  const auto connection = testlib::Take(store::Connection::Open({path}));
  testlib::Take(connection->Run(
      "DELETE FROM service_keys WHERE purpose LIKE 'wrapping-key/%'"));
  Open();
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kRefuse)));
  for (const Placement placement :
       {Placement::kWrapped, Placement::kResident}) {
    EXPECT_THAT(Run(EnsureWrappingKey(environment(), key_store(), placement)),
                StatusIs(ErrorCode::kKeyUnavailable, HasSubstr("wrapping")));
  }
}

TEST_F(WrappedPlacementTest, ALostWrappingKeyIsNotMadeAgain) {
  NewKey();
  const hsm::DestroyKeyRequest destroy = {*key_store().wrapping_key};
  ASSERT_OK(Run(hsm().EvictEverywhere(destroy.locator)));
  ASSERT_OK(Run(hsm().Call(destroy)));
  for (const Placement placement :
       {Placement::kWrapped, Placement::kResident}) {
    Restart();
    EXPECT_THAT(
        Run(EnsureWrappingKey(environment(), key_store(), placement)),
        StatusIs(ErrorCode::kKeyUnavailable, HasSubstr("wrapping-key/")));
  }
}

}  // namespace
}  // namespace kms::operations
