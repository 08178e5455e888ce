// SPDX-License-Identifier: Apache-2.0
// CreateKey of every key spec and usage, and which operation takes which.
#include <map>

#include "base/bytes.h"
#include "kms/ciphertext.h"
#include "kms/key_spec.h"
#include "tests/kms/openssl_key.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class KindsTest : public OperationsTest {
 protected:
  json Create(std::string_view spec, std::string_view usage) {
    return Take(Ask("CreateKey", {{"KeySpec", spec}, {"KeyUsage", usage}}))
        .at("KeyMetadata");
  }
};

std::set<std::string> MembersOf(const json& object) {
  std::set<std::string> names;
  for (const auto& [name, value] : object.items()) {
    names.insert(name);
  }
  return names;
}

// The reply is the one recorded from AWS, whatever the kind.
TEST_F(KindsTest, CreatesEveryKind) {
  for (const KeyKind& kind : KeyKinds()) {
    const std::string_view spec = KeySpecName(kind.spec);
    SCOPED_TRACE(testing::Message() << spec << KeyUsageName(kind.usage));
    const json metadata = Create(spec, KeyUsageName(kind.usage));
    const std::string list(AlgorithmListName(kind.usage));
    std::set<std::string> expected = {
        "AWSAccountId", "Arn",      "CreationDate", "CustomerMasterKeySpec",
        "Description",  "Enabled",  "KeyId",        "KeyManager",
        "KeySpec",      "KeyState", "KeyUsage",     "MultiRegion",
        "Origin",       list};
    if (kind.spec == KeySpec::kSymmetricDefault) {
      expected.insert("CurrentKeyMaterialId");
    }
    EXPECT_EQ(MembersOf(metadata), expected);
    EXPECT_EQ(metadata.at("KeySpec"), spec);
    EXPECT_EQ(metadata.at("CustomerMasterKeySpec"), spec);
    EXPECT_EQ(metadata.at("KeyUsage"), KeyUsageName(kind.usage));
    EXPECT_EQ(metadata.at(list).size(), kind.algorithms.size());

    Restart();
    const json again =
        Take(Ask("DescribeKey", {{"KeyId", metadata.at("KeyId")}}));
    EXPECT_EQ(again.at("KeyMetadata"), metadata);
  }
}

TEST_F(KindsTest, MaterialIdsAreOfThePublicKey) {
  const json metadata = Create("ECC_NIST_P256", "SIGN_VERIFY");
  const KeyPtr key =
      Take(store().FindKey(metadata.at("KeyId").get<std::string>()));
  const KeyMaterial& material = key->CurrentMaterial();
  base::Hasher& hasher = base::ThreadHasher();
  EXPECT_EQ(material.id,
            MakeMaterialId(*ParseKeyId(key->id),
                           hasher.Sha256(material.public_key), hasher));
  EXPECT_EQ(material.public_key,
            OpensslKey::FromSpki(material.public_key).Spki());
  EXPECT_TRUE(OnToken(material.ref.locator));
  EXPECT_THAT(store().ListIntents(), testlib::IsOkAndHolds(testing::IsEmpty()));
}

TEST_F(KindsTest, RefusesPairsThatDoNotGoTogether) {
  for (const auto& [spec, usage] :
       {std::pair{"RSA_2048", "KEY_AGREEMENT"},
        std::pair{"SYMMETRIC_DEFAULT", "SIGN_VERIFY"},
        std::pair{"ECC_SECG_P256K1", "KEY_AGREEMENT"},
        std::pair{"ECC_NIST_P256", "ENCRYPT_DECRYPT"},
        std::pair{"HMAC_256", "ENCRYPT_DECRYPT"},
        std::pair{"RSA_2048", "ENCAPSULATE_DECAPSULATE"}}) {
    EXPECT_THAT(
        Ask("CreateKey", {{"KeySpec", spec}, {"KeyUsage", usage}}),
        StatusIs(ErrorCode::kValidation,
                 "KeyUsage " + std::string(usage) +
                     " is not compatible with KeySpec " + std::string(spec)));
  }
}

TEST_F(KindsTest, RefusesWhatIsMissingDoubleUnknownOrUnsupported) {
  EXPECT_THAT(
      Ask("CreateKey", {{"KeySpec", "HMAC_224"}}),
      StatusIs(ErrorCode::kValidation,
               "You must specify a KeyUsage value for all KMS keys except for "
               "symmetric encryption keys."));
  EXPECT_THAT(Ask("CreateKey", {{"KeySpec", "RSA_2048"},
                                {"CustomerMasterKeySpec", "RSA_2048"},
                                {"KeyUsage", "SIGN_VERIFY"}}),
              StatusIs(ErrorCode::kValidation,
                       HasSubstr("CustomerMasterKeySpec is deprecated.")));
  EXPECT_THAT(
      Ask("CreateKey", {{"KeySpec", "SM2"}, {"KeyUsage", "SIGN_VERIFY"}}),
      StatusIs(ErrorCode::kValidation,
               HasSubstr("'SM2' at 'keySpec' failed to satisfy")));
  for (const auto& [spec, usage] :
       {std::pair{"ML_DSA_44", "SIGN_VERIFY"},
        std::pair{"ML_KEM_768", "ENCAPSULATE_DECAPSULATE"}}) {
    EXPECT_THAT(Ask("CreateKey", {{"KeySpec", spec}, {"KeyUsage", usage}}),
                StatusIs(ErrorCode::kUnsupportedOperation,
                         "KeySpec " + std::string(spec) +
                             " is not supported by this server."));
  }
}

TEST_F(KindsTest, TheOldMemberStillWorks) {
  const json metadata =
      Take(Ask("CreateKey", {{"CustomerMasterKeySpec", "ECC_NIST_P384"},
                             {"KeyUsage", "KEY_AGREEMENT"}}))
          .at("KeyMetadata");
  EXPECT_EQ(metadata.at("KeySpec"), "ECC_NIST_P384");
  EXPECT_EQ(metadata.at("KeyAgreementAlgorithms"), json::array({"ECDH"}));
}

// Inputs that are good but for the key; the operation's name in AWS's sentence
// where it is another.
struct Use {
  std::string_view operation;
  std::string_view usage;
  json input;
  std::string_view name = operation;
};

std::vector<Use> Uses(const std::string& symmetric_key,
                      const std::string& blob) {
  const json context = json::object();
  return {
      {"Encrypt", "ENCRYPT_DECRYPT", {{"Plaintext", "YQ=="}}},
      {"GenerateDataKey", "ENCRYPT_DECRYPT", {{"NumberOfBytes", 1}}},
      {"GenerateDataKeyWithoutPlaintext",
       "ENCRYPT_DECRYPT",
       {{"NumberOfBytes", 1}}},
      {"GenerateDataKeyPair",
       "ENCRYPT_DECRYPT",
       {{"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GenerateDataKeyPairWithoutPlaintext",
       "ENCRYPT_DECRYPT",
       {{"KeyPairSpec", "ECC_NIST_P256"}}},
      {"Decrypt",
       "ENCRYPT_DECRYPT",
       {{"CiphertextBlob", "YQ=="},
        {"EncryptionAlgorithm", "RSAES_OAEP_SHA_256"}}},
      {"ReEncrypt",
       "ENCRYPT_DECRYPT",
       {{"CiphertextBlob", "YQ=="},
        {"SourceEncryptionAlgorithm", "RSAES_OAEP_SHA_256"},
        {"DestinationKeyId", symmetric_key}},
       "ReEncryptFrom"},
      {"ReEncrypt",
       "ENCRYPT_DECRYPT",
       {{"CiphertextBlob", blob}},
       "ReEncryptTo"},
      {"Sign",
       "SIGN_VERIFY",
       {{"Message", "YQ=="}, {"SigningAlgorithm", "ECDSA_SHA_256"}}},
      {"Verify",
       "SIGN_VERIFY",
       {{"Message", "YQ=="},
        {"Signature", "YQ=="},
        {"SigningAlgorithm", "ECDSA_SHA_256"}}},
      {"GenerateMac",
       "GENERATE_VERIFY_MAC",
       {{"Message", "YQ=="}, {"MacAlgorithm", "HMAC_SHA_256"}}},
      {"VerifyMac",
       "GENERATE_VERIFY_MAC",
       {{"Message", "YQ=="},
        {"Mac", "YQ=="},
        {"MacAlgorithm", "HMAC_SHA_256"}}},
      {"DeriveSharedSecret",
       "KEY_AGREEMENT",
       {{"PublicKey", "YQ=="}, {"KeyAgreementAlgorithm", "ECDH"}}},
      {"Encapsulate",
       "ENCAPSULATE_DECAPSULATE",
       {{"EncapsulationAlgorithm", "ML_KEM"}}},
      {"Decapsulate",
       "ENCAPSULATE_DECAPSULATE",
       {{"SharedSecretCiphertextBlob", "YQ=="},
        {"EncapsulationAlgorithm", "ML_KEM"}}},
  };
}

TEST_F(KindsTest, EveryOperationRefusesKeysOfAnotherUsage) {
  const std::string symmetric = NewKey();
  const std::string blob = Encrypted(symmetric, "x");
  std::map<std::string_view, json> keys;
  keys["ENCRYPT_DECRYPT"] = Create("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  keys["SIGN_VERIFY"] = Create("ECC_NIST_P256", "SIGN_VERIFY");
  keys["GENERATE_VERIFY_MAC"] = Create("HMAC_256", "GENERATE_VERIFY_MAC");
  keys["KEY_AGREEMENT"] = Create("ECC_NIST_P256", "KEY_AGREEMENT");
  for (const Use& use : Uses(symmetric, blob)) {
    for (const auto& [usage, key] : keys) {
      if (usage == use.usage) {
        continue;
      }
      SCOPED_TRACE(testing::Message() << use.operation << " with " << usage);
      json input = use.input;
      const bool from = use.name == "ReEncryptFrom";
      const bool to = use.name == "ReEncryptTo";
      input[from ? "SourceKeyId"
            : to ? "DestinationKeyId"
                 : "KeyId"] = key.at("KeyId");
      EXPECT_THAT(Ask(use.operation, input),
                  StatusIs(ErrorCode::kInvalidKeyUsage,
                           key.at("Arn").get<std::string>() + " key usage is " +
                               std::string(usage) + " which is not valid for " +
                               std::string(use.name) + "."));
      // The state comes first.
      Take(Ask("DisableKey", {{"KeyId", key.at("KeyId")}}));
      EXPECT_THAT(Ask(use.operation, input),
                  StatusIs(ErrorCode::kDisabled,
                           key.at("Arn").get<std::string>() + " is disabled."));
      Take(Ask("EnableKey", {{"KeyId", key.at("KeyId")}}));
    }
  }
}

// The owner of a ciphertext comes before the usage of the key that is named.
TEST_F(KindsTest, ASymmetricCiphertextIsNotOfAnotherKindOfKey) {
  const std::string blob = Encrypted(NewKey(), "x");
  for (const auto& [spec, usage] :
       {std::pair{"HMAC_256", "GENERATE_VERIFY_MAC"},
        std::pair{"ECC_NIST_P256", "SIGN_VERIFY"}}) {
    const json key = Create(spec, usage).at("KeyId");
    EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", blob}, {"KeyId", key}}),
                StatusIs(ErrorCode::kIncorrectKey,
                         "The key ID in the request does not identify a CMK "
                         "that can perform this operation."));
    EXPECT_THAT(Ask("ReEncrypt", {{"CiphertextBlob", blob},
                                  {"SourceKeyId", key},
                                  {"DestinationKeyId", NewKey()}}),
                StatusIs(ErrorCode::kIncorrectKey));
  }
}

// Somebody writes the id of a key pair into a ciphertext.
TEST_F(KindsTest, AForgedHeaderReachesNoKeyPair) {
  const json metadata = Create("ECC_NIST_P256", "SIGN_VERIFY");
  auto bytes = Take(base::Base64Decode(Encrypted(NewKey(), "x")));
  const auto id = ParseKeyId(metadata.at("KeyId").get<std::string>());
  std::ranges::copy(id->bytes, bytes.begin() + 3);
  EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", base::Base64Encode(bytes)}}),
              StatusIs(ErrorCode::kInvalidKeyUsage, HasSubstr("for Decrypt.")));
}

TEST_F(KindsTest, DestroysKeyPairsToo) {
  const json metadata = Create("ECC_NIST_P256", "SIGN_VERIFY");
  const std::string id = metadata.at("KeyId");
  const hsm::Locator locator =
      Take(store().FindKey(id))->CurrentMaterial().ref.locator;
  Take(Ask("ScheduleKeyDeletion", {{"KeyId", id}, {"PendingWindowInDays", 7}}));
  clock_.Advance(std::chrono::days(7));
  ASSERT_OK(Run(DestroyDueKeys(environment())));
  EXPECT_FALSE(OnToken(locator));
}

}  // namespace
}  // namespace kms::operations
