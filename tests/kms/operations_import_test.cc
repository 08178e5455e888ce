// SPDX-License-Identifier: Apache-2.0
// Imported key material: parameters, tokens, imports and what they refuse.
#include "kms/operations/identities.h"
#include "kms/operations/import_token.h"
#include "tests/kms/operations_import_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using hsm::token::MaterialFor;
using hsm::token::RandomOf;
using nlohmann::json;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using testlib::StatusIs;

TEST_F(ImportTest, AKeyWithoutMaterialIsPendingImport) {
  const std::string key = NewExternal();
  const json metadata = Metadata(key);
  EXPECT_EQ(metadata.at("KeyState"), "PendingImport");
  EXPECT_EQ(metadata.at("Enabled"), false);
  EXPECT_EQ(metadata.at("Origin"), "EXTERNAL");
  for (const char* absent :
       {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"}) {
    EXPECT_FALSE(metadata.contains(absent)) << absent;
  }
  EXPECT_THAT(
      Ask("Encrypt", {{"KeyId", key}, {"Plaintext", "YQ=="}}),
      StatusIs(ErrorCode::kInvalidState, Arn(key) + " is pending import."));
  EXPECT_EQ(Rotations(key), json::array());
  Restart();
  EXPECT_EQ(State(key), "PendingImport");
  testlib::Take(Ask("ScheduleKeyDeletion", {{"KeyId", key}}));
  testlib::Take(Ask("CancelKeyDeletion", {{"KeyId", key}}));
  EXPECT_EQ(State(key), "PendingImport");
}

TEST_F(ImportTest, ImportsAndEncrypts) {
  const std::string key = NewExternal();
  ASSERT_OK_AND_ASSIGN(const json parameters, AskParameters(key));
  EXPECT_EQ(parameters.at("KeyId"), Arn(key));
  EXPECT_EQ(parameters.at("ParametersValidTo"),
            Seconds(clock_.Now() + hours(24)));
  ASSERT_OK_AND_ASSIGN(
      const json reply,
      Ask("ImportKeyMaterial", InputOf(key, parameters, RandomOf(32))));
  EXPECT_EQ(reply.at("KeyId"), Arn(key));
  const json metadata = Metadata(key);
  EXPECT_EQ(metadata.at("KeyState"), "Enabled");
  EXPECT_EQ(metadata.at("CurrentKeyMaterialId"), reply.at("KeyMaterialId"));
  EXPECT_EQ(metadata.at("ExpirationModel"), "KEY_MATERIAL_DOES_NOT_EXPIRE");
  EXPECT_FALSE(metadata.contains("ValidTo"));
  const std::string blob = Encrypted(key, "secret");
  Restart();
  ExpectOpens(blob, "secret");
  ExpectNoIntents();
  EXPECT_EQ(CountEvents("ImportKeyMaterial"), 1);
  EXPECT_THAT(
      LogText(),
      testing::Not(HasSubstr(parameters.at("ImportToken").get<std::string>())));
}

TEST_F(ImportTest, EveryKindOfKeyIsImported) {
  constexpr struct {
    const char* spec;
    const char* usage;
    hsm::Algorithm algorithm;
  } kKinds[] = {
      {"HMAC_224", "GENERATE_VERIFY_MAC", hsm::Algorithm::kHmacSha224},
      {"HMAC_512", "GENERATE_VERIFY_MAC", hsm::Algorithm::kHmacSha512},
      {"RSA_2048", "SIGN_VERIFY", hsm::Algorithm::kRsa2048Sign},
      {"RSA_2048", "ENCRYPT_DECRYPT", hsm::Algorithm::kRsa2048Decrypt},
      {"ECC_NIST_P256", "SIGN_VERIFY", hsm::Algorithm::kP256Sign},
      {"ECC_NIST_P521", "KEY_AGREEMENT", hsm::Algorithm::kP521Agree},
      {"ECC_SECG_P256K1", "SIGN_VERIFY", hsm::Algorithm::kSecp256k1Sign},
      {"ECC_NIST_EDWARDS25519", "SIGN_VERIFY", hsm::Algorithm::kEd25519Sign}};
  for (const auto& kind : kKinds) {
    const std::string key = NewExternal(kind.spec, kind.usage);
    const auto material = MaterialFor(kind.algorithm);
    for (const char* wrapping :
         {"RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1"}) {
      ASSERT_OK(TryImport(key, material.bytes, {}, wrapping)) << kind.spec;
    }
    EXPECT_EQ(State(key), "Enabled");
    if (!material.public_key.empty()) {
      ASSERT_OK_AND_ASSIGN(const json reply,
                           Ask("GetPublicKey", {{"KeyId", key}}));
      EXPECT_EQ(reply.at("PublicKey"), base::Base64Encode(material.public_key));
    }
    EXPECT_FALSE(Metadata(key).contains("CurrentKeyMaterialId"));
    // Such a key keeps its first material for ever.
    EXPECT_THAT(TryImport(key, MaterialFor(kind.algorithm).bytes, {},
                          "RSA_AES_KEY_WRAP_SHA_256"),
                StatusIs(ErrorCode::kIncorrectKeyMaterial));
    EXPECT_THAT(TryImport(key, MaterialFor(kind.algorithm).bytes,
                          {{"ImportType", "NEW_KEY_MATERIAL"}},
                          "RSA_AES_KEY_WRAP_SHA_256"),
                StatusIs(ErrorCode::kValidation));
  }
  ExpectNoIntents();
}

// Whatever has not yet been destroyed.
TEST_F(ImportTest, ModulesAreNotShownAPublicKeyThatHasExpired) {
  const std::string key = NewExternal("ECC_NIST_P256", "SIGN_VERIFY");
  ASSERT_OK(TryImport(key, MaterialFor(hsm::Algorithm::kP256Sign).bytes,
                      ExpiringIn(std::chrono::hours(1)),
                      "RSA_AES_KEY_WRAP_SHA_256"));
  const auto listed = [this] {
    const json reply = testlib::Take(Ask(
        "ListPkcs11Objects", json::object(),
        {.caller = identity::Administrator(kAccount), .service = "Claviger"}));
    return reply.at("Keys").at(0);
  };
  EXPECT_TRUE(listed().contains("PublicKey"));
  clock_.Advance(std::chrono::hours(1));
  EXPECT_FALSE(listed().contains("PublicKey"));
}

TEST_F(ImportTest, OnlyWhatFitsIsGivenParameters) {
  const std::string rsa = NewExternal("RSA_2048", "SIGN_VERIFY");
  const std::string p521 = NewExternal("ECC_NIST_P521", "SIGN_VERIFY");
  for (const char* oaep : {"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"}) {
    EXPECT_THAT(AskParameters(rsa, oaep, "RSA_4096"),
                StatusIs(ErrorCode::kUnsupportedOperation));
    EXPECT_THAT(AskParameters(p521, oaep),
                StatusIs(ErrorCode::kUnsupportedOperation));
  }
  EXPECT_OK(AskParameters(p521, "RSAES_OAEP_SHA_256", "RSA_3072"));
  const std::string key = NewExternal();
  EXPECT_THAT(AskParameters(key, "RSAES_PKCS1_V1_5"),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_THAT(AskParameters(key, "SM2PKE"), StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(AskParameters(key, "RSAES_OAEP_SHA_256", "SM2"),
              StatusIs(ErrorCode::kValidation));
}

TEST_F(ImportTest, KeysOfAnotherOriginTakeNoMaterial) {
  const std::string key = NewKey();
  const std::string text =
      Arn(key) + " origin is AWS_KMS which is not valid for this operation.";
  EXPECT_THAT(AskParameters(key),
              StatusIs(ErrorCode::kUnsupportedOperation, text));
  EXPECT_THAT(Ask("ImportKeyMaterial",
                  {{"KeyId", key},
                   {"ImportToken", "YQ=="},
                   {"EncryptedKeyMaterial", "YQ=="},
                   {"ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE"}}),
              StatusIs(ErrorCode::kUnsupportedOperation, text));
  EXPECT_THAT(Ask("DeleteImportedKeyMaterial", {{"KeyId", key}}),
              StatusIs(ErrorCode::kUnsupportedOperation, text));
  EXPECT_EQ(Stored(key)->state, KeyState::kEnabled);
}

TEST_F(ImportTest, AnImportSaysWhenItEnds) {
  const std::string key = NewExternal();
  const base::Bytes material = RandomOf(32);
  const auto refused = [&](const json& more) {
    return TryImport(key, material, more);
  };
  const json expires = {{"ExpirationModel", "KEY_MATERIAL_EXPIRES"}};
  const std::string needed =
      "A validTo date must be set if the ExpirationModel is "
      "KEY_MATERIAL_EXPIRES";
  EXPECT_THAT(refused(expires), StatusIs(ErrorCode::kValidation, needed));
  EXPECT_THAT(refused({{"ExpirationModel", nullptr}}),
              StatusIs(ErrorCode::kValidation, needed));
  EXPECT_THAT(refused({{"ValidTo", Seconds(clock_.Now() + hours(1))}}),
              StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(refused(ExpiringIn(seconds(0))),
              StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(refused(ExpiringIn(hours(365 * 24) + seconds(1))),
              StatusIs(ErrorCode::kValidation));
  for (const double absurd : {1e300, -1e300, 1e18}) {
    EXPECT_THAT(refused({{"ExpirationModel", "KEY_MATERIAL_EXPIRES"},
                         {"ValidTo", absurd}}),
                StatusIs(ErrorCode::kValidation));
  }
  EXPECT_EQ(State(key), "PendingImport");
  const json longest = ExpiringIn(hours(365 * 24));
  ASSERT_OK(refused(longest));
  EXPECT_EQ(Metadata(key).at("ValidTo"), longest.at("ValidTo"));
  EXPECT_EQ(Metadata(key).at("ExpirationModel"), "KEY_MATERIAL_EXPIRES");
}

class TokenTest : public ImportTest {
 protected:
  TokenTest()
      : key_(NewExternal()),
        parameters_(testlib::Take(AskParameters(key_))),
        input_(InputOf(key_, parameters_, RandomOf(32))) {}

  base::Result<json> ImportWith(const base::Bytes& token) {
    json input = input_;
    input["ImportToken"] = base::Base64Encode(token);
    return Ask("ImportKeyMaterial", input);
  }
  base::Bytes Token() const {
    return testlib::Take(
        base::Base64Decode(parameters_.at("ImportToken").get<std::string>()));
  }

  std::string key_;
  json parameters_;
  json input_;
};

TEST_F(TokenTest, EveryChangedByteIsRefused) {
  const base::Bytes token = Token();
  ASSERT_EQ(token.size(), 66U) << "docs/protocol/import_token.md";
  for (std::size_t i = 0; i < token.size(); ++i) {
    base::Bytes changed = token;
    changed[i] ^= 1;
    EXPECT_THAT(ImportWith(changed), StatusIs(ErrorCode::kInvalidImportToken));
  }
  for (const std::size_t size : {token.size() - 1, token.size() + 1}) {
    base::Bytes changed = token;
    changed.resize(size);
    EXPECT_THAT(ImportWith(changed), StatusIs(ErrorCode::kInvalidImportToken));
  }
  EXPECT_OK(ImportWith(token));
}

TEST_F(TokenTest, IsOfOneKeyAndOnePair) {
  const std::string other = NewExternal();
  const json others = testlib::Take(AskParameters(other));
  json input = input_;
  input["KeyId"] = other;
  EXPECT_THAT(Ask("ImportKeyMaterial", input),
              StatusIs(ErrorCode::kInvalidImportToken));
  // Another pair's token of the same key: the material does not unwrap.
  const json newer = testlib::Take(AskParameters(key_));
  EXPECT_NE(newer.at("PublicKey"), parameters_.at("PublicKey"));
  input = input_;
  input["ImportToken"] = newer.at("ImportToken");
  EXPECT_THAT(Ask("ImportKeyMaterial", input),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));
  // Nor does it by another algorithm than that of the token.
  const json sha1 = testlib::Take(AskParameters(key_, "RSAES_OAEP_SHA_1"));
  EXPECT_THAT(Ask("ImportKeyMaterial", InputOf(key_, sha1, RandomOf(32))),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));
  EXPECT_OK(Ask("ImportKeyMaterial", input_));
  ExpectNoIntents();
}

TEST_F(TokenTest, ServesAgainForADay) {
  json broken = input_;
  broken["EncryptedKeyMaterial"] = base::Base64Encode(base::Bytes(256));
  EXPECT_THAT(Ask("ImportKeyMaterial", broken),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));
  clock_.Advance(hours(24) - seconds(1));
  EXPECT_OK(Ask("ImportKeyMaterial", input_));
  EXPECT_OK(Ask("ImportKeyMaterial", input_));
  clock_.Advance(seconds(1));
  EXPECT_THAT(Ask("ImportKeyMaterial", input_),
              StatusIs(ErrorCode::kExpiredImportToken));
}

TEST_F(TokenTest, TheSixthEndsTheFirst) {
  const auto first = testlib::Take(store().ListImportPairStock("test"));
  ASSERT_EQ(first.size(), 1U);
  for (int i = 0; i < 4; ++i) {
    clock_.Advance(seconds(1));
    testlib::Take(AskParameters(key_));
  }
  EXPECT_OK(Ask("ImportKeyMaterial", input_));
  clock_.Advance(seconds(1));
  testlib::Take(AskParameters(key_));
  EXPECT_THAT(Ask("ImportKeyMaterial", input_),
              StatusIs(ErrorCode::kInvalidImportToken));
  ASSERT_OK_AND_ASSIGN(const auto intents, store().ListIntents());
  ASSERT_EQ(intents.size(), 1U);
  EXPECT_TRUE(OnToken(intents.front().locator));
  ASSERT_OK(Run(FinishDestructions(environment())));
  EXPECT_FALSE(OnToken(intents.front().locator));
  ExpectNoIntents();
  EXPECT_EQ(testlib::Take(store().ListImportPairStock("test")).front().open,
            5U);
}

TEST_F(TokenTest, ItsPairGoesWithTheDay) {
  clock_.Advance(hours(24));
  ASSERT_OK(Run(RetireExpiredPairs(environment())));
  ASSERT_OK_AND_ASSIGN(const auto intents, store().ListIntents());
  ASSERT_EQ(intents.size(), 1U);
  Restart();  // As after a crash in between.
  ASSERT_OK(Run(FinishDestructions(environment())));
  EXPECT_FALSE(OnToken(intents.front().locator));
  ExpectNoIntents();
}

TEST_F(TokenTest, PairsAreMadeInAdvanceWhereTheyAreAskedFor) {
  for (const std::uint64_t waiting : {1, 2, 2}) {
    ASSERT_OK(Run(RefillImportPairs(environment())));
    const auto stock = testlib::Take(store().ListImportPairStock("test"));
    ASSERT_EQ(stock.size(), 1U);
    EXPECT_EQ(stock.front().algorithm, hsm::Algorithm::kRsa2048Unwrap);
    EXPECT_EQ(stock.front().waiting, waiting);
  }
  testlib::Take(AskParameters(key_));
  EXPECT_EQ(testlib::Take(store().ListImportPairStock("test")).front().waiting,
            1U);
  ExpectNoIntents();
}

TEST_F(ImportTest, ACrashDuringAnImportLeavesNothing) {
  const std::string key = NewExternal();
  const json parameters = testlib::Take(AskParameters(key));
  const json input = InputOf(key, parameters, RandomOf(32));
  log().refuses = true;  // After the commit, before the answer.
  EXPECT_FALSE(Ask("ImportKeyMaterial", input).has_value());
  log().refuses = false;
  Restart();
  EXPECT_EQ(State(key), "Enabled");
  ExpectNoIntents();
  // A material that was made and never committed.
  const hsm::Locator locator =
      testlib::Take(Run(AnnounceKey(environment(), key_store(), key)));
  hsm::GenerateKeyRequest request;
  request.key = {locator, hsm::Algorithm::kXaes256Gcm};
  testlib::Take(Run(hsm().Call(request)));
  Restart();
  ASSERT_OK(
      Run(SettleIntents(environment(), key_store(), store().info().epoch)));
  EXPECT_FALSE(OnToken(locator));
  ExpectNoIntents();
}

TEST_F(ImportTest, AStrictBoundaryRefusesWhatAWorkerWouldSee) {
  environment().strict_boundary = true;
  const std::string key = NewExternal();
  const std::string rsa = NewExternal("RSA_2048", "SIGN_VERIFY");
  EXPECT_THAT(AskParameters(key, "RSAES_OAEP_SHA_256"),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_THAT(AskParameters(rsa, "RSA_AES_KEY_WRAP_SHA_256"),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_OK(TryImport(key, RandomOf(32), {}, "RSAES_OAEP_SHA_1"));
  EXPECT_OK(TryImport(rsa, MaterialFor(hsm::Algorithm::kRsa2048Sign).bytes, {},
                      "RSA_AES_KEY_WRAP_SHA_1"));
  // Parameters that were given out before it was set.
  environment().strict_boundary = false;
  const std::string other = NewExternal();
  const json parameters = testlib::Take(AskParameters(other));
  environment().strict_boundary = true;
  EXPECT_THAT(
      Ask("ImportKeyMaterial", InputOf(other, parameters, RandomOf(32))),
      StatusIs(ErrorCode::kUnsupportedOperation));
}

}  // namespace
}  // namespace kms::operations
