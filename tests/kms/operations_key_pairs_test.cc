// SPDX-License-Identifier: Apache-2.0
// GetPublicKey and GenerateDataKeyPair.
#include "base/bytes.h"
#include "tests/kms/openssl_key.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::Bytes;
using base::ErrorCode;
using nlohmann::json;
using testlib::StatusIs;
using testlib::Take;

class KeyPairsTest : public OperationsTest {
 protected:
  std::string Create(std::string_view spec, std::string_view usage) {
    return Take(Ask("CreateKey", {{"KeySpec", spec}, {"KeyUsage", usage}}))
        .at("KeyMetadata")
        .at("Arn");
  }
  static Bytes Decoded(const json& text) {
    return Take(base::Base64Decode(text.get<std::string>()));
  }
};

TEST_F(KeyPairsTest, GetPublicKeyTellsWhatItIsFor) {
  const std::string arn = Create("ECC_NIST_P256", "KEY_AGREEMENT");
  json reply = Take(Ask("GetPublicKey", {{"KeyId", arn}}));
  const Bytes spki = Decoded(reply.at("PublicKey"));
  EXPECT_EQ(OpensslKey::FromSpki(spki).Spki(), spki);
  reply.erase("PublicKey");
  EXPECT_EQ(reply, json({{"KeyId", arn},
                         {"KeySpec", "ECC_NIST_P256"},
                         {"CustomerMasterKeySpec", "ECC_NIST_P256"},
                         {"KeyUsage", "KEY_AGREEMENT"},
                         {"KeyAgreementAlgorithms", {"ECDH"}}}));
}

TEST_F(KeyPairsTest, SecretKeysHaveNoPublicHalf) {
  for (const std::string& arn : {Create("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
                                 Create("HMAC_256", "GENERATE_VERIFY_MAC")}) {
    EXPECT_THAT(
        Ask("GetPublicKey", {{"KeyId", arn}}),
        StatusIs(ErrorCode::kUnsupportedOperation, testing::HasSubstr(arn)));
  }
}

// The private key works with the public one; Decrypt gives the same bytes.
TEST_F(KeyPairsTest, ADataKeyPairIsAPair) {
  const std::string key = NewKey();
  const json context = {{"tenant", "a"}};
  for (const auto& [spec, algorithm] :
       {std::pair{"RSA_2048", "RSASSA_PSS_SHA_256"},
        std::pair{"ECC_NIST_P256", "ECDSA_SHA_256"},
        std::pair{"ECC_NIST_P384", "ECDSA_SHA_384"},
        std::pair{"ECC_NIST_P521", "ECDSA_SHA_512"},
        std::pair{"ECC_SECG_P256K1", "ECDSA_SHA_256"},
        std::pair{"ECC_NIST_EDWARDS25519", "ED25519_SHA_512"}}) {
    SCOPED_TRACE(spec);
    const json reply =
        Take(Ask("GenerateDataKeyPair", {{"KeyId", key},
                                         {"KeyPairSpec", spec},
                                         {"EncryptionContext", context}}));
    EXPECT_EQ(reply.size(), 6U);
    EXPECT_EQ(reply.at("KeyPairSpec"), spec);
    const Bytes pkcs8 = Decoded(reply.at("PrivateKeyPlaintext"));
    const OpensslKey pair = OpensslKey::FromPkcs8(pkcs8);
    const Bytes spki = Decoded(reply.at("PublicKey"));
    EXPECT_EQ(pair.Spki(), spki);
    EXPECT_TRUE(OpensslKey::FromSpki(spki).Verifies(algorithm, "m",
                                                    pair.Sign(algorithm, "m")));
    const json& blob = reply.at("PrivateKeyCiphertextBlob");
    const json opened = Take(Ask(
        "Decrypt", {{"CiphertextBlob", blob}, {"EncryptionContext", context}}));
    EXPECT_EQ(opened.at("Plaintext"), reply.at("PrivateKeyPlaintext"));
    EXPECT_EQ(opened.at("KeyMaterialId"), reply.at("KeyMaterialId"));
    EXPECT_EQ(opened.at("KeyId"), reply.at("KeyId"));
    EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", blob}}),
                StatusIs(ErrorCode::kInvalidCiphertext, ""));
  }
}

TEST_F(KeyPairsTest, WithoutPlaintextThereIsNone) {
  const json reply =
      Take(Ask("GenerateDataKeyPairWithoutPlaintext",
               {{"KeyId", NewKey()}, {"KeyPairSpec", "ECC_NIST_P256"}}));
  EXPECT_EQ(reply.size(), 5U);
  EXPECT_FALSE(reply.contains("PrivateKeyPlaintext"));
  const json opened = Take(Ask(
      "Decrypt", {{"CiphertextBlob", reply.at("PrivateKeyCiphertextBlob")}}));
  EXPECT_EQ(OpensslKey::FromPkcs8(Decoded(opened.at("Plaintext"))).Spki(),
            Decoded(reply.at("PublicKey")));
}

TEST_F(KeyPairsTest, RefusesWhatItCannotMake) {
  const std::string key = NewKey();
  const auto make = [&](const json& more) {
    json input = {{"KeyId", key}, {"KeyPairSpec", "ECC_NIST_P256"}};
    input.update(more);
    return Ask("GenerateDataKeyPair", input);
  };
  EXPECT_THAT(make({{"KeyPairSpec", "ML_KEM_512"}}),
              StatusIs(ErrorCode::kUnsupportedOperation,
                       "KeyPairSpec ML_KEM_512 is not supported by this "
                       "server."));
  for (const char* spec : {"SM2", "SYMMETRIC_DEFAULT", "HMAC_256"}) {
    EXPECT_THAT(make({{"KeyPairSpec", spec}}),
                StatusIs(ErrorCode::kValidation,
                         testing::HasSubstr("at 'keyPairSpec' failed")));
  }
  EXPECT_THAT(make({{"Recipient", json::object()}}),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_THAT(make({{"DryRun", true}}), StatusIs(ErrorCode::kDryRun));
  const std::string rsa = Create("RSA_2048", "ENCRYPT_DECRYPT");
  EXPECT_THAT(make({{"KeyId", rsa}}),
              StatusIs(ErrorCode::kInvalidKeyUsage,
                       rsa + " key spec is RSA_2048 which is not valid for "
                             "GenerateDataKeyPair."));
}

TEST_F(KeyPairsTest, ThePrivateKeyReachesNoLog) {
  const json reply =
      Take(Ask("GenerateDataKeyPair",
               {{"KeyId", NewKey()}, {"KeyPairSpec", "ECC_NIST_P256"}}));
  const std::string text = LogText();
  for (const char* member :
       {"PrivateKeyPlaintext", "PrivateKeyCiphertextBlob"}) {
    EXPECT_THAT(
        text,
        testing::Not(testing::HasSubstr(reply.at(member).get<std::string>())));
  }
  EXPECT_EQ(Events()
                .back()
                .at("additionalEventData")
                .at("context")
                .at("kms:DataKeyPairSpec"),
            "ECC_NIST_P256");
}

}  // namespace
}  // namespace kms::operations
