// SPDX-License-Identifier: Apache-2.0
// Encrypt, Decrypt and ReEncrypt with RSA keys.
#include "base/bytes.h"
#include "tests/kms/openssl_key.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::Bytes;
using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

constexpr const char* kSha1 = "RSAES_OAEP_SHA_1";
constexpr const char* kSha256 = "RSAES_OAEP_SHA_256";

class RsaTest : public OperationsTest {
 protected:
  RsaTest() : key_(Create()) {}

  std::string Create() {
    return Take(Ask("CreateKey",
                    {{"KeySpec", "RSA_2048"}, {"KeyUsage", "ENCRYPT_DECRYPT"}}))
        .at("KeyMetadata")
        .at("Arn");
  }
  base::Result<json> Encrypt(const char* algorithm, const Bytes& text) {
    return Ask("Encrypt", {{"KeyId", key_},
                           {"EncryptionAlgorithm", algorithm},
                           {"Plaintext", base::Base64Encode(text)}});
  }
  base::Result<json> Decrypt(const char* algorithm, const json& blob) {
    return Ask("Decrypt", {{"KeyId", key_},
                           {"EncryptionAlgorithm", algorithm},
                           {"CiphertextBlob", blob}});
  }
  OpensslKey PublicKey() {
    const json reply = Take(Ask("GetPublicKey", {{"KeyId", key_}}));
    const std::string text = reply.at("PublicKey");
    return OpensslKey::FromSpki(Take(base::Base64Decode(text)));
  }

  std::string key_;
};

TEST_F(RsaTest, DecryptsItsOwnAndOpensslsCiphertexts) {
  const OpensslKey openssl = PublicKey();
  for (const auto& [algorithm, maximum] :
       {std::pair{kSha1, 214U}, std::pair{kSha256, 190U}}) {
    SCOPED_TRACE(algorithm);
    const Bytes text(maximum, 0x42);
    const json made = Take(Encrypt(algorithm, text));
    EXPECT_EQ(made.size(), 3U);
    EXPECT_EQ(made.at("KeyId"), key_);
    EXPECT_EQ(made.at("EncryptionAlgorithm"), algorithm);
    const json expected = {{"KeyId", key_},
                           {"EncryptionAlgorithm", algorithm},
                           {"Plaintext", base::Base64Encode(text)}};
    EXPECT_EQ(Take(Decrypt(algorithm, made.at("CiphertextBlob"))), expected);
    const Bytes theirs = openssl.Encrypt(algorithm, text);
    EXPECT_EQ(Take(Decrypt(algorithm, base::Base64Encode(theirs))), expected);
    EXPECT_THAT(
        Encrypt(algorithm, Bytes(maximum + 1)),
        StatusIs(ErrorCode::kValidation,
                 "Algorithm " + std::string(algorithm) +
                     " and key spec RSA_2048 cannot encrypt data larger than " +
                     std::to_string(maximum) + " bytes."));
  }
}

TEST_F(RsaTest, EveryDefectIsTheSameError) {
  const json made = Take(Encrypt(kSha256, Bytes{1, 2, 3}));
  const json& blob = made.at("CiphertextBlob");
  EXPECT_THAT(Decrypt(kSha1, blob),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));
  const auto bytes = Take(base::Base64Decode(blob.get<std::string>()));
  for (const std::size_t position : {1U, 100U, 255U}) {
    Bytes bad = bytes;
    bad[position] ^= 1;
    EXPECT_THAT(Decrypt(kSha256, base::Base64Encode(bad)),
                StatusIs(ErrorCode::kInvalidCiphertext, ""));
  }
  for (const std::size_t size : {1U, 255U, 257U, 512U, 6144U}) {
    Bytes bad = bytes;
    bad.resize(size);
    EXPECT_THAT(Decrypt(kSha256, base::Base64Encode(bad)),
                StatusIs(ErrorCode::kInvalidCiphertext, ""));
  }
  EXPECT_THAT(Decrypt(kSha256, base::Base64Encode(Bytes(256, 0xFF))),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));
}

TEST_F(RsaTest, TheKeyAndTheAlgorithmMustBeNamed) {
  const json made = Take(Encrypt(kSha256, Bytes{1}));
  const json& blob = made.at("CiphertextBlob");
  EXPECT_THAT(Ask("Decrypt",
                  {{"CiphertextBlob", blob}, {"EncryptionAlgorithm", kSha256}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("KeyId")));
  EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", blob}, {"KeyId", key_}}),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));
  EXPECT_THAT(
      Ask("Encrypt", {{"KeyId", key_}, {"Plaintext", "YQ=="}}),
      StatusIs(ErrorCode::kInvalidKeyUsage,
               "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec "
               "RSA_2048."));
  EXPECT_THAT(Ask("Encrypt", {{"KeyId", NewKey()},
                              {"Plaintext", "YQ=="},
                              {"EncryptionAlgorithm", kSha1}}),
              StatusIs(ErrorCode::kInvalidKeyUsage,
                       "Algorithm RSAES_OAEP_SHA_1 is incompatible with key "
                       "spec SYMMETRIC_DEFAULT."));
}

TEST_F(RsaTest, RefusesAnEncryptionContext) {
  json input = {{"KeyId", key_},
                {"Plaintext", "YQ=="},
                {"EncryptionAlgorithm", kSha256},
                {"EncryptionContext", {{"a", "b"}}}};
  EXPECT_THAT(Ask("Encrypt", input), StatusIs(ErrorCode::kValidation));
  input["EncryptionContext"] = json::object();
  EXPECT_OK(Ask("Encrypt", input));
}

TEST_F(RsaTest, DataKeysNeedASymmetricKey) {
  EXPECT_THAT(Ask("GenerateDataKey", {{"KeyId", key_}, {"NumberOfBytes", 1}}),
              StatusIs(ErrorCode::kInvalidKeyUsage,
                       key_ + " key spec is RSA_2048 which is not valid for "
                              "GenerateDataKey."));
}

TEST_F(RsaTest, ReEncryptsBetweenKinds) {
  const std::string symmetric = NewKey();
  const std::string sealed = Encrypted(symmetric, "secret");
  const json to_rsa =
      Take(Ask("ReEncrypt", {{"CiphertextBlob", sealed},
                             {"DestinationKeyId", key_},
                             {"DestinationEncryptionAlgorithm", kSha256}}));
  EXPECT_TRUE(to_rsa.contains("SourceKeyMaterialId"));
  EXPECT_FALSE(to_rsa.contains("DestinationKeyMaterialId"));
  EXPECT_EQ(to_rsa.at("SourceEncryptionAlgorithm"), "SYMMETRIC_DEFAULT");
  EXPECT_EQ(to_rsa.at("DestinationEncryptionAlgorithm"), kSha256);
  EXPECT_EQ(to_rsa.at("KeyId"), key_);

  const std::string other = Create();
  const json to_other =
      Take(Ask("ReEncrypt", {{"CiphertextBlob", to_rsa.at("CiphertextBlob")},
                             {"SourceKeyId", key_},
                             {"SourceEncryptionAlgorithm", kSha256},
                             {"DestinationKeyId", other},
                             {"DestinationEncryptionAlgorithm", kSha1}}));
  EXPECT_EQ(to_other.size(), 5U);

  const json context = {{"a", "b"}};
  const json back =
      Take(Ask("ReEncrypt", {{"CiphertextBlob", to_other.at("CiphertextBlob")},
                             {"SourceKeyId", other},
                             {"SourceEncryptionAlgorithm", kSha1},
                             {"DestinationKeyId", symmetric},
                             {"DestinationEncryptionContext", context}}));
  EXPECT_FALSE(back.contains("SourceKeyMaterialId"));
  EXPECT_TRUE(back.contains("DestinationKeyMaterialId"));
  const json opened =
      Take(Ask("Decrypt", {{"CiphertextBlob", back.at("CiphertextBlob")},
                           {"EncryptionContext", context}}));
  EXPECT_EQ(opened.at("Plaintext"),
            base::Base64Encode(base::AsBytes("secret")));
}

TEST_F(RsaTest, ReEncryptChecksBothSides) {
  const std::string symmetric = NewKey();
  json input = {{"CiphertextBlob", Encrypted(symmetric, "x")},
                {"DestinationKeyId", key_}};
  EXPECT_THAT(Ask("ReEncrypt", input),
              StatusIs(ErrorCode::kInvalidKeyUsage,
                       "Algorithm SYMMETRIC_DEFAULT is incompatible with key "
                       "spec RSA_2048."));
  input["DestinationEncryptionAlgorithm"] = kSha256;
  input["DestinationEncryptionContext"] = {{"a", "b"}};
  EXPECT_THAT(Ask("ReEncrypt", input), StatusIs(ErrorCode::kValidation));
  input.erase("DestinationEncryptionContext");
  input["CiphertextBlob"] = Encrypted(symmetric, std::string(191, 'x'));
  EXPECT_THAT(Ask("ReEncrypt", input),
              StatusIs(ErrorCode::kValidation,
                       HasSubstr("cannot encrypt data larger than 190")));
  EXPECT_THAT(Ask("ReEncrypt", {{"CiphertextBlob", "YQ=="},
                                {"SourceEncryptionAlgorithm", kSha256},
                                {"DestinationKeyId", symmetric}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("SourceKeyId")));
}

TEST_F(RsaTest, PoliciesSeeTheAlgorithmInUse) {
  Take(Encrypt(kSha1, Bytes{1}));
  const auto algorithm = [this] {
    return Events()
        .back()
        .at("additionalEventData")
        .at("context")
        .at("kms:EncryptionAlgorithm");
  };
  EXPECT_EQ(algorithm(), kSha1);
  Encrypted(NewKey(), "x");
  EXPECT_EQ(algorithm(), "SYMMETRIC_DEFAULT");
}

}  // namespace
}  // namespace kms::operations
