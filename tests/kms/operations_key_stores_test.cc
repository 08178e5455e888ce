// SPDX-License-Identifier: Apache-2.0
// Several key stores: whose keys each takes, and what they share.
#include <memory>

#include "base/bytes.h"
#include "hsm/token/trust_key.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/deletion.h"
#include "kms/operations/destructions.h"
#include "kms/operations/housekeeping.h"
#include "kms/operations/intents.h"
#include "kms/operations/reconcile.h"
#include "kms/operations/service_keys.h"
#include "tests/kms/operations_testing.h"
#include "tests/kms/softhsm_workers.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using std::chrono::days;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testlib::StatusIs;

constexpr std::string_view kThere = "eu-central-1";
const From from_there = {.region = kThere};

// Of the key store "there".
SoftHsmWorkers& TheWorkersThere() {
  static SoftHsmWorkers workers;
  return workers;
}

class KeyStoresTest : public OperationsTest {
 protected:
  static void SetUpTestSuite() {
    OperationsTest::SetUpTestSuite();
    TheWorkersThere();
  }

  KeyStoresTest() { AddThere(); }
  ~KeyStoresTest() override { there_->Stop(); }

  void AddThere() {
    testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
    there_ = std::make_unique<hsm::client::Client>(
        io(),
        hsm::client::ClientConfig{
            .key_store = "there",
            .supervisor_socket = TheWorkersThere().supervised.socket_path(),
            .workers = 2},
        clock_);
    testlib::Take(Run(there_->Start()));
    environment().key_stores.all().push_back({.name = "there",
                                              .hsm = *there_,
                                              .regions = {std::string(kThere)},
                                              .algorithm = algorithm_});
  }
  // As at a start whose configuration has one key store less, and calls the
  // first one `name`.
  void RestartWithoutThere(const std::string& name = "test") {
    there_->Stop();
    Restart();
    key_store().name = name;
    testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kRefuse)));
  }

  KeyStore& there() { return environment().key_stores.all().back(); }

  std::string NewKeyIn(std::string_view region, json input = json::object()) {
    return testlib::Take(
        Ask("CreateKey", input, {.region = region}))["KeyMetadata"]["KeyId"];
  }
  KeyMaterial MaterialOf(const std::string& row_id) {
    return testlib::Take(store().FindKey(row_id))->CurrentMaterial();
  }
  bool IsOn(KeyStore& key_store, const hsm::Locator& locator) {
    const auto listed =
        testlib::Take(Run(key_store.hsm.Call(hsm::ListKeysRequest{})));
    return std::ranges::any_of(listed.keys, [&](const hsm::ListedKey& key) {
      return std::ranges::equal(key.id, locator.bytes);
    });
  }
  std::string EncryptIn(std::string_view region, const std::string& key) {
    return testlib::Take(Ask(
        "Encrypt",
        {{"KeyId", key}, {"Plaintext", base::Base64Encode(base::AsBytes("x"))}},
        {.region = region}))["CiphertextBlob"];
  }
  base::Result<json> DecryptIn(std::string_view region,
                               const std::string& blob) {
    return Ask("Decrypt", {{"CiphertextBlob", blob}}, {.region = region});
  }

  std::unique_ptr<hsm::client::Client> there_;
};

TEST_F(KeyStoresTest, ARegionsKeysLiveInItsKeyStore) {
  const hsm::Locator here = MaterialOf(NewKeyIn(kRegion)).ref.locator;
  const std::string key = NewKeyIn(kThere);
  const KeyMaterial material = MaterialOf(key);
  EXPECT_EQ(material.key_store, "there");
  EXPECT_EQ(testlib::Take(store().FindKey(key))->key_store, "there");
  EXPECT_TRUE(IsOn(there(), material.ref.locator));
  EXPECT_FALSE(IsOn(key_store(), material.ref.locator));
  EXPECT_TRUE(IsOn(key_store(), here));
  EXPECT_FALSE(IsOn(there(), here));
  EXPECT_OK(DecryptIn(kThere, EncryptIn(kThere, key)));
}

TEST_F(KeyStoresTest, EveryKindOfKeyWorksInAnyKeyStore) {
  const std::string signs = NewKeyIn(
      kThere, {{"KeySpec", "ECC_NIST_P256"}, {"KeyUsage", "SIGN_VERIFY"}});
  const json message = {{"KeyId", signs},
                        {"Message", base::Base64Encode(base::AsBytes("m"))},
                        {"SigningAlgorithm", "ECDSA_SHA_256"}};
  EXPECT_OK(Ask("Sign", message, from_there));
  const std::string macs = NewKeyIn(
      kThere, {{"KeySpec", "HMAC_256"}, {"KeyUsage", "GENERATE_VERIFY_MAC"}});
  EXPECT_OK(Ask("GenerateMac",
                {{"KeyId", macs},
                 {"Message", base::Base64Encode(base::AsBytes("m"))},
                 {"MacAlgorithm", "HMAC_SHA_256"}},
                from_there));
  const std::string key = NewKeyIn(kThere);
  EXPECT_OK(Ask("GenerateDataKey", {{"KeyId", key}, {"KeySpec", "AES_256"}},
                from_there));
  EXPECT_OK(Ask("GenerateDataKeyPair",
                {{"KeyId", key}, {"KeyPairSpec", "ECC_NIST_P256"}},
                from_there));
}

TEST_F(KeyStoresTest, ARotationStaysInTheKeyStore) {
  const std::string key = NewKeyIn(kThere);
  const std::string old = EncryptIn(kThere, key);
  ASSERT_OK(Ask("RotateKeyOnDemand", {{"KeyId", key}}, from_there));
  EXPECT_EQ(MaterialOf(key).key_store, "there");
  EXPECT_TRUE(IsOn(there(), MaterialOf(key).ref.locator));
  EXPECT_OK(DecryptIn(kThere, old));
}

TEST_F(KeyStoresTest, AnIntentIsSettledOnItsOwnToken) {
  const auto announced =
      testlib::Take(Run(AnnounceKey(environment(), there(), "key")));
  hsm::GenerateKeyRequest request;
  request.key.locator = announced;
  testlib::Take(Run(there().hsm.Call(request)));
  const std::uint64_t later = store().info().epoch + 1;
  ASSERT_OK(Run(SettleIntents(environment(), key_store(), later)));
  EXPECT_TRUE(IsOn(there(), announced));
  ASSERT_OK(Run(SettleIntents(environment(), there(), later)));
  EXPECT_FALSE(IsOn(there(), announced));
  EXPECT_THAT(testlib::Take(store().ListIntents()), IsEmpty());
}

TEST_F(KeyStoresTest, EachTokenIsComparedWithItsOwnRows) {
  const hsm::Locator locator = MaterialOf(NewKeyIn(kThere)).ref.locator;
  const std::string id = base::HexEncode(locator.bytes);
  for (KeyStore* const token : {&key_store(), &there()}) {
    const auto difference =
        testlib::Take(Run(CompareToken(environment(), *token)));
    EXPECT_THAT(difference.missing, Not(testing::Contains(id)));
    EXPECT_THAT(difference.unknown, Not(testing::Contains(id)));
  }
}

TEST_F(KeyStoresTest, DestructionIsOnTheKeysOwnToken) {
  const std::string key = NewKeyIn(kThere);
  const hsm::Locator locator = MaterialOf(key).ref.locator;
  ASSERT_OK(Ask("ScheduleKeyDeletion",
                {{"KeyId", key}, {"PendingWindowInDays", 7}}, from_there));
  clock_.Advance(days(8));
  guard().Accept();
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(IsOn(there(), locator));
  EXPECT_THAT(store().FindKey(key), StatusIs(ErrorCode::kNotFound));
}

// What is there cannot be said to be destroyed, or used, by another token.
TEST_F(KeyStoresTest, WithoutItsKeyStoreAKeyIsUnavailableAndStays) {
  const std::string key = NewKeyIn(kThere);
  const std::string blob = EncryptIn(kThere, key);
  const hsm::Locator locator = MaterialOf(key).ref.locator;
  ASSERT_OK(Ask("ScheduleKeyDeletion",
                {{"KeyId", key}, {"PendingWindowInDays", 7}}, from_there));
  RestartWithoutThere();
  clock_.Advance(days(8));
  guard().Accept();
  EXPECT_THAT(
      Run(DestroyDueKeys(environment())),
      StatusIs(ErrorCode::kKeyUnavailable, HasSubstr("no key store 'there'")));
  EXPECT_OK(store().FindKey(key));
  AddThere();
  EXPECT_TRUE(IsOn(there(), locator));
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(IsOn(there(), locator));
}

TEST_F(KeyStoresTest, WithoutItsKeyStoreNothingIsDecrypted) {
  const std::string key = NewKeyIn(kThere);
  const std::string blob = EncryptIn(kThere, key);
  RestartWithoutThere();
  EXPECT_THAT(DecryptIn(kThere, blob), StatusIs(ErrorCode::kKeyUnavailable));
  AddThere();
  EXPECT_OK(DecryptIn(kThere, blob));
}

TEST_F(KeyStoresTest, TheFirstKeyStoreMayBeNamedAnew) {
  const std::string key = NewKeyIn(kRegion);
  const std::string blob = EncryptIn(kRegion, key);
  RestartWithoutThere("renamed");
  EXPECT_OK(DecryptIn(kRegion, blob));
  EXPECT_EQ(MaterialOf(NewKeyIn(kRegion)).key_store, "renamed");
  AddThere();
}

// Another token in its place would say that what is to be destroyed is gone.
TEST_F(KeyStoresTest, TheTokenOfAFurtherKeyStoreIsKnownByItsOwnKey) {
  ASSERT_OK(Run(CheckIdentity(environment(), there())));
  ASSERT_OK(Run(CheckIdentity(environment(), there())));
  const auto known =
      testlib::Take(FindServiceKey(environment(), ForIdentity("there")));
  EXPECT_TRUE(IsOn(there(), known.ref.locator));
  KeyStores swapped({{.name = "there", .hsm = hsm()}});
  std::swap(environment().key_stores, swapped);
  EXPECT_THAT(
      Run(CheckIdentity(environment(), key_store())),
      StatusIs(ErrorCode::kKeyUnavailable, HasSubstr("identity/there")));
  std::swap(environment().key_stores, swapped);
}

TEST_F(KeyStoresTest, AKeyStoreThatHasKeysIsNotGivenAnIdentity) {
  NewKeyIn(kThere);
  EXPECT_THAT(
      Run(CheckIdentity(environment(), there())),
      StatusIs(ErrorCode::kKeyUnavailable, HasSubstr("identity/there")));
}

// As of a configuration in which somebody has changed the order.
TEST_F(KeyStoresTest, TheKeyStoreThatTheStoreWasMadeWithStaysTheFirst) {
  const std::string first = key_store().name;
  KeyStores reordered(
      {{.name = "there", .hsm = there().hsm}, {.name = first, .hsm = hsm()}});
  std::swap(environment().key_stores, reordered);
  EXPECT_OK(Run(CheckServiceKeys(environment(), NewStore::kRefuse)));
  KeyStore& moved = *testlib::Take(environment().key_stores.Find(first));
  EXPECT_THAT(Run(CheckIdentity(environment(), moved)),
              StatusIs(ErrorCode::kKeyUnavailable,
                       HasSubstr("'" + first + "', which must be the first " +
                                 "[[key_store]] of the configuration: move " +
                                 "it before 'there'")));
  std::swap(environment().key_stores, reordered);
}

// What cannot be reached does not hold up what can.
TEST_F(KeyStoresTest, DestructionWaitsForItsOwnKeyStoreOnly) {
  const auto destroy = [this](KeyStore& key_store) {
    const auto locator =
        testlib::Take(Run(AnnounceKey(environment(), key_store, "key")));
    testlib::Take(
        store().WriteNow([&](store::Transaction& transaction) -> base::Status {
          RETURN_IF_ERROR(transaction.DeleteIntent(locator));
          return AnnounceDestruction(environment(), transaction, key_store.name,
                                     locator, kImportPair);
        }));
  };
  destroy(there());
  destroy(key_store());
  RestartWithoutThere();
  ASSERT_OK(Run(FinishDestructions(environment())));
  const auto waiting = testlib::Take(store().ListIntents());
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].key_store, "there");
  AddThere();
  ASSERT_OK(Run(FinishDestructions(environment())));
  EXPECT_THAT(testlib::Take(store().ListIntents()), IsEmpty());
}

TEST_F(KeyStoresTest, AKeyThatIsAnObjectHasNoReplicaInAnotherKeyStore) {
  const std::string key = NewKeyIn(kRegion, {{"MultiRegion", true}});
  const json there = {{"KeyId", key}, {"ReplicaRegion", kThere}};
  EXPECT_THAT(Ask("ReplicateKey", there),
              StatusIs(ErrorCode::kUnsupportedOperation,
                       HasSubstr("is an object of the token of key store "
                                 "'test', which never leaves it")));
  const json near = {{"KeyId", key}, {"ReplicaRegion", "us-west-2"}};
  EXPECT_OK(Ask("ReplicateKey", near));
}

TEST_F(KeyStoresTest, AReplicaNeedsTheWrappingKeyWhereItIs) {
  ASSERT_OK(
      Run(EnsureWrappingKey(environment(), key_store(), Placement::kWrapped)));
  const std::string key = NewKeyIn(kRegion, {{"MultiRegion", true}});
  const json there = {{"KeyId", key}, {"ReplicaRegion", kThere}};
  EXPECT_THAT(Ask("ReplicateKey", there),
              StatusIs(ErrorCode::kUnsupportedOperation,
                       HasSubstr("does not have the wrapping key of key store "
                                 "'test'. Pair the two tokens first")));
}

TEST_F(KeyStoresTest, PairingNamesKeyStoresThatThereAre) {
  From root = {.service = "Claviger", .door = Door::kUnix};
  root.caller.administrator = true;
  EXPECT_THAT(Ask("MakeTransportKey", {{"KeyStore", "nowhere"}}, root),
              StatusIs(ErrorCode::kValidation,
                       "KeyStore: this server has no key store 'nowhere'."));
  EXPECT_THAT(Ask("ShareWrappingKey",
                  {{"KeyStore", "test"}, {"TargetKeyStore", "test"}}, root),
              StatusIs(ErrorCode::kValidation, HasSubstr("another key store")));
  EXPECT_THAT(Ask("ShareWrappingKey",
                  {{"KeyStore", "there"}, {"TargetKeyStore", "test"}}, root),
              StatusIs(ErrorCode::kUnsupportedOperation,
                       HasSubstr("has no wrapping key")));
}

// The tokens of both key stores share the wrapping key of "there".
class PairedKeyStoresTest : public KeyStoresTest {
 protected:
  PairedKeyStoresTest() {
    root_.caller.administrator = true;
    testlib::Take(Run(EnsureWrappingKey(environment(), there(),
                                        Placement::kWrappedShareably)));
  }

  // What the security officer of "there" does.
  void TrustTransportKeyHere() {
    const json made =
        testlib::Take(Ask("MakeTransportKey", {{"KeyStore", "test"}}, root_));
    hsm::token::TokenConfig config = TheWorkersThere().token.Config();
    config.pin = base::Secret::CopyOf(fakes::SoftHsmToken::kSoPin);
    testlib::Take(hsm::token::TrustPublicKey(
        config, testlib::Take(base::Base64Decode(
                    made.at("PublicKey").get<std::string>()))));
  }
  base::Result<json> Share() {
    return Ask("ShareWrappingKey",
               {{"KeyStore", "there"}, {"TargetKeyStore", "test"}}, root_);
  }
  void Pair() {
    TrustTransportKeyHere();
    testlib::Take(Share());
  }
  // A multi-Region key of there with a replica here.
  std::string NewPairOfKeys(json input = json::object()) {
    input["MultiRegion"] = true;
    std::string key = NewKeyIn(kThere, input);
    testlib::Take(Ask("ReplicateKey",
                      {{"KeyId", key}, {"ReplicaRegion", kRegion}},
                      from_there));
    return key;
  }

  From root_ = {.service = "Claviger", .door = Door::kUnix};
};

TEST_F(PairedKeyStoresTest, TheWrappingKeyLeavesUnderATrustedKeyOnly) {
  const json made =
      testlib::Take(Ask("MakeTransportKey", {{"KeyStore", "test"}}, root_));
  EXPECT_EQ(CountEvents("MakeTransportKey"), 1);
  EXPECT_THAT(Share(), StatusIs(ErrorCode::kUnsupportedOperation,
                                HasSubstr("does not share its wrapping key")));
  Pair();
  const std::string log = LogText();
  const auto begun = log.rfind("\"ShareWrappingKeyStarted\"");
  const auto done = log.rfind("\"ShareWrappingKey\"");
  ASSERT_NE(begun, std::string::npos);
  ASSERT_NE(done, std::string::npos);
  EXPECT_LT(begun, done);
  EXPECT_THAT(log, HasSubstr("\"transportKeySha256\":\"" +
                             made.at("Sha256").get<std::string>() + "\""));
}

TEST_F(PairedKeyStoresTest, AReplicaIsUsedOnItsOwnToken) {
  Pair();
  const std::string key = NewPairOfKeys();
  const std::string blob = EncryptIn(kThere, key);
  there_->Stop();  // Its token is gone; the replica's is not.
  EXPECT_OK(DecryptIn(kRegion, blob));
  EXPECT_OK(DecryptIn(kRegion, EncryptIn(kRegion, key)));
  EXPECT_FALSE(DecryptIn(kThere, blob));
}

TEST_F(PairedKeyStoresTest, WhatTheNewPrimaryMakesTheOtherCanUse) {
  Pair();
  const std::string key = NewPairOfKeys();
  ASSERT_OK(Ask("RotateKeyOnDemand", {{"KeyId", key}}, from_there));
  const std::string blob = EncryptIn(kThere, key);
  EXPECT_OK(DecryptIn(kRegion, blob));
  ASSERT_OK(Ask("UpdatePrimaryRegion",
                {{"KeyId", key}, {"PrimaryRegion", kRegion}}, from_there));
  ASSERT_OK(Ask("RotateKeyOnDemand", {{"KeyId", key}}));
  EXPECT_OK(DecryptIn(kThere, EncryptIn(kRegion, key)));
  EXPECT_OK(DecryptIn(kRegion, blob));
}

TEST_F(PairedKeyStoresTest, AKeyOfTwoTokensIsNotMovedToOne) {
  Pair();
  const std::string key = NewPairOfKeys();
  From from = root_;
  from.caller.administrator = true;
  for (const std::string_view region : {kRegion, kThere}) {
    from.region = region;
    EXPECT_THAT(
        Ask("MoveKey", {{"KeyId", key}, {"Placement", "resident"}}, from),
        StatusIs(ErrorCode::kUnsupportedOperation,
                 HasSubstr("lives in key store")));
  }
  EXPECT_OK(DecryptIn(kRegion, EncryptIn(kThere, key)));
}

TEST_F(PairedKeyStoresTest, ADeletedKeyIsForgottenByBothTokens) {
  Pair();
  const std::string key = NewPairOfKeys();
  EncryptIn(kRegion, key);
  EncryptIn(kThere, key);
  const KeyMaterial material = MaterialOf(key + "/" + std::string(kThere));
  ASSERT_OK(
      Ask("ScheduleKeyDeletion", {{"KeyId", key}, {"PendingWindowInDays", 7}}));
  ASSERT_OK(Ask("ScheduleKeyDeletion",
                {{"KeyId", key}, {"PendingWindowInDays", 7}}, from_there));
  for (int round = 0; round < 2; ++round) {  // The replica, then the primary.
    clock_.Advance(days(8));
    guard().Accept();
    ASSERT_OK(Run(DestroyDueKeys(environment())));
  }
  for (KeyStore* const token : {&key_store(), &there()}) {
    hsm::EncryptRequest request;
    request.key = material.ref;
    EXPECT_FALSE(Run(token->hsm.Call(std::move(request))));
  }
}

TEST_F(PairedKeyStoresTest, WhatCannotBeWrappedIsRefusedWithTheReason) {
  Pair();
  const std::string key =
      NewKeyIn(kThere, {{"KeySpec", "ECC_NIST_EDWARDS25519"},
                        {"KeyUsage", "SIGN_VERIFY"},
                        {"MultiRegion", true}});
  EXPECT_THAT(
      Ask("ReplicateKey", {{"KeyId", key}, {"ReplicaRegion", kRegion}},
          from_there),
      StatusIs(ErrorCode::kUnsupportedOperation,
               HasSubstr("is an object of the token of key store 'there'")));
}

TEST_F(PairedKeyStoresTest, KeyPairsAndMacsAreShared) {
  Pair();
  const std::string macs = NewPairOfKeys(
      {{"KeySpec", "HMAC_256"}, {"KeyUsage", "GENERATE_VERIFY_MAC"}});
  json message = {{"KeyId", macs},
                  {"Message", base::Base64Encode(base::AsBytes("m"))},
                  {"MacAlgorithm", "HMAC_SHA_256"}};
  EXPECT_EQ(testlib::Take(Ask("GenerateMac", message)).at("Mac"),
            testlib::Take(Ask("GenerateMac", message, from_there)).at("Mac"));
  const std::string signs = NewPairOfKeys(
      {{"KeySpec", "ECC_NIST_P256"}, {"KeyUsage", "SIGN_VERIFY"}});
  message = {{"KeyId", signs},
             {"Message", message.at("Message")},
             {"SigningAlgorithm", "ECDSA_SHA_256"}};
  message["Signature"] =
      testlib::Take(Ask("Sign", message, from_there)).at("Signature");
  EXPECT_OK(Ask("Verify", message));
}

// The token that was given the key knows whose it is.
TEST_F(PairedKeyStoresTest, ASharedWrappingKeyIsNoStranger) {
  Pair();
  const auto wraps =
      testlib::Take(FindServiceKey(environment(), ForWrapping("there")));
  EXPECT_TRUE(IsOn(key_store(), wraps.ref.locator));
  const auto difference =
      testlib::Take(Run(CompareToken(environment(), key_store())));
  EXPECT_THAT(difference.unknown,
              Not(testing::Contains(base::HexEncode(wraps.ref.locator.bytes))));
  EXPECT_OK(Share());  // Again: it is there.
}

// The keys that guard the store, where other tokens are to use them.
class SharedServiceKeysTest : public OperationsTest {
 protected:
  void Start(NewStore new_store) {
    testlib::Take(Run(CheckServiceKeys(environment(), new_store,
                                       Placement::kWrappedShareably)));
  }
};

TEST_F(SharedServiceKeysTest, AreWrappedAndNoObjects) {
  Start(NewStore::kAllow);
  const auto keys = testlib::Take(store().ListServiceKeys());
  EXPECT_EQ(keys.size(), 6U);
  for (const store::ServiceKey& key : keys) {
    const bool wraps = key.ref.algorithm == hsm::Algorithm::kAesWrap;
    EXPECT_EQ(key.ref.wrapped == nullptr, wraps) << key.purpose;
    EXPECT_EQ(OnToken(key.ref.locator), wraps) << key.purpose;
  }
  const auto difference =
      testlib::Take(Run(CompareToken(environment(), key_store())));
  EXPECT_THAT(difference.missing, IsEmpty());
  EXPECT_THAT(testlib::Take(store().ListIntents()), IsEmpty());
  EXPECT_TRUE(key_store().shares_wrapping_key);
}

TEST_F(SharedServiceKeysTest, OpenAfterARestartWhatTheyHaveSealed) {
  Start(NewStore::kAllow);
  const hsm::Aad aad = ServiceAad(environment(), "test", "row");
  const auto key =
      testlib::Take(FindServiceKey(environment(), kForCredentials));
  auto sealed = testlib::Take(Run(SealUnder(
      environment(), key, aad, base::Secret::CopyOf("not a real secret"))));
  Restart();
  Start(NewStore::kRefuse);
  const auto opened = testlib::Take(Run(
      OpenUnder(environment(),
                testlib::Take(FindServiceKey(environment(), kForCredentials)),
                aad, std::move(sealed))));
  EXPECT_EQ(opened.RevealText(), "not a real secret");
}

TEST_F(SharedServiceKeysTest, AreRefusedWithoutWhatWrapsThem) {
  Start(NewStore::kAllow);
  const auto wraps =
      testlib::Take(FindServiceKey(environment(), ForWrapping("test")));
  testlib::Take(Run(hsm().Call(hsm::DestroyKeyRequest{wraps.ref.locator})));
  Restart();
  EXPECT_THAT(Run(CheckServiceKeys(environment(), NewStore::kRefuse,
                                   Placement::kWrappedShareably)),
              StatusIs(ErrorCode::kKeyUnavailable));
}

// The setting came too late: the key does not become shareable.
TEST_F(SharedServiceKeysTest, AreObjectsIfTheWrappingKeyMayNotBeShared) {
  testlib::Take(
      Run(EnsureWrappingKey(environment(), key_store(), Placement::kWrapped)));
  Restart();
  Start(NewStore::kAllow);
  EXPECT_FALSE(key_store().shares_wrapping_key);
  EXPECT_TRUE(key_store().wrapping_key.has_value());
  const auto key =
      testlib::Take(FindServiceKey(environment(), kForCredentials));
  EXPECT_EQ(key.ref.wrapped, nullptr);
}

// A store that was made with them as objects keeps them.
TEST_F(SharedServiceKeysTest, OfAnOlderStoreStayObjects) {
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  Restart();
  Start(NewStore::kRefuse);
  const auto key =
      testlib::Take(FindServiceKey(environment(), kForCredentials));
  EXPECT_EQ(key.ref.wrapped, nullptr);
  EXPECT_TRUE(OnToken(key.ref.locator));
}

}  // namespace
}  // namespace kms::operations
