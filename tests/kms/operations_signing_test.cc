// SPDX-License-Identifier: Apache-2.0
// Sign and Verify, with OpenSSL as the second opinion.
#include "base/bytes.h"
#include "kms/key_spec.h"
#include "kms/public_key.h"
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

constexpr std::string_view kMessage = "the message";

std::string Base64(std::string_view text) {
  return base::Base64Encode(base::AsBytes(text));
}

class SigningTest : public OperationsTest {
 protected:
  std::string Create(std::string_view spec) {
    return Take(Ask("CreateKey",
                    {{"KeySpec", spec}, {"KeyUsage", "SIGN_VERIFY"}}))
        .at("KeyMetadata")
        .at("Arn");
  }
  Bytes PublicKeyOf(const std::string& key) {
    const json reply = Take(Ask("GetPublicKey", {{"KeyId", key}}));
    return Take(base::Base64Decode(reply.at("PublicKey").get<std::string>()));
  }
  static json Input(const std::string& key, std::string_view algorithm,
                    const json& more = json::object()) {
    json input = {{"KeyId", key},
                  {"Message", Base64(kMessage)},
                  {"SigningAlgorithm", algorithm}};
    input.update(more);
    return input;
  }
  static json Digest(hsm::Hash hash) {
    const base::Secret digest = HashOf(hash, base::AsBytes(kMessage));
    return {{"Message", base::Base64Encode(digest.Reveal())},
            {"MessageType", "DIGEST"}};
  }
};

// RSA 3072 differs from the others in size only.
TEST_F(SigningTest, OpensslVerifiesEveryAlgorithm) {
  for (const KeyKind& kind : KeyKinds()) {
    const bool tried =
        kind.usage == KeyUsage::kSignVerify && kind.spec != KeySpec::kRsa3072;
    if (!tried) {
      continue;
    }
    const std::string key = Create(KeySpecName(kind.spec));
    const OpensslKey openssl = OpensslKey::FromSpki(PublicKeyOf(key));
    for (const std::string_view algorithm : kind.algorithms) {
      SCOPED_TRACE(testing::Message()
                   << KeySpecName(kind.spec) << " " << algorithm);
      const json made = Take(Ask("Sign", Input(key, algorithm)));
      EXPECT_EQ(made.size(), 3U);
      EXPECT_EQ(made.at("KeyId"), key);
      EXPECT_EQ(made.at("SigningAlgorithm"), algorithm);
      const json& signature = made.at("Signature");
      EXPECT_TRUE(openssl.Verifies(
          algorithm, kMessage,
          Take(base::Base64Decode(signature.get<std::string>()))));
      const json verified = Take(
          Ask("Verify", Input(key, algorithm, {{"Signature", signature}})));
      EXPECT_EQ(verified, json({{"KeyId", key},
                                {"SignatureValid", true},
                                {"SigningAlgorithm", algorithm}}));
    }
  }
}

TEST_F(SigningTest, AMessageAndItsDigestAreTheSame) {
  const std::string key = Create("ECC_NIST_P384");
  const json digest = Digest(hsm::Hash::kSha384);
  const json made = Take(Ask("Sign", Input(key, "ECDSA_SHA_384", digest)));
  const json signature = {{"Signature", made.at("Signature")}};
  EXPECT_OK(Ask("Verify", Input(key, "ECDSA_SHA_384", signature)));
  json both = digest;
  both.update(signature);
  EXPECT_OK(Ask("Verify", Input(key, "ECDSA_SHA_384", both)));
  both["MessageType"] = "RAW";
  EXPECT_THAT(Ask("Verify", Input(key, "ECDSA_SHA_384", both)),
              StatusIs(ErrorCode::kSignatureMismatch, ""));
}

TEST_F(SigningTest, EveryBitOfASignatureCounts) {
  const std::string key = Create("ECC_NIST_EDWARDS25519");
  const json made = Take(Ask("Sign", Input(key, "ED25519_SHA_512")));
  const auto good =
      Take(base::Base64Decode(made.at("Signature").get<std::string>()));
  ASSERT_EQ(good.size(), 64U);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x10;
    const json signature = {{"Signature", base::Base64Encode(bad)}};
    EXPECT_THAT(Ask("Verify", Input(key, "ED25519_SHA_512", signature)),
                StatusIs(ErrorCode::kSignatureMismatch, ""));
  }
}

TEST_F(SigningTest, AnotherKeysSignatureIsNone) {
  const std::string key = Create("ECC_NIST_P256");
  const json made =
      Take(Ask("Sign", Input(Create("ECC_NIST_P256"), "ECDSA_SHA_256")));
  EXPECT_THAT(Ask("Verify", Input(key, "ECDSA_SHA_256",
                                  {{"Signature", made.at("Signature")}})),
              StatusIs(ErrorCode::kSignatureMismatch, ""));
}

TEST_F(SigningTest, ADigestHasTheLengthOfItsHash) {
  const std::string key = Create("ECC_NIST_P256");
  for (const json& input :
       {json{{"MessageType", "DIGEST"}}, Digest(hsm::Hash::kSha512)}) {
    const json whole = Input(key, "ECDSA_SHA_256", {{"MessageType", "DIGEST"}});
    json bad = whole;
    bad.update(input);
    EXPECT_THAT(
        Ask("Sign", bad),
        StatusIs(ErrorCode::kValidation,
                 "Digest is invalid length for algorithm ECDSA_SHA_256."));
    bad["Signature"] = "YQ==";
    EXPECT_THAT(
        Ask("Verify", bad),
        StatusIs(ErrorCode::kValidation,
                 "Digest is invalid length for algorithm ECDSA_SHA_256."));
  }
}

TEST_F(SigningTest, Ed25519SignsMessagesOnly) {
  const std::string key = Create("ECC_NIST_EDWARDS25519");
  EXPECT_THAT(
      Ask("Sign", Input(key, "ED25519_SHA_512", Digest(hsm::Hash::kSha512))),
      StatusIs(ErrorCode::kValidation,
               "MessageType DIGEST is not valid for algorithm "
               "ED25519_SHA_512."));
  EXPECT_THAT(
      Ask("Sign", Input(key, "ED25519_PH_SHA_512", Digest(hsm::Hash::kSha512))),
      StatusIs(ErrorCode::kUnsupportedOperation,
               HasSubstr("ED25519_PH_SHA_512 is not supported")));
  const std::string longest(4096, 'x');
  EXPECT_OK(Ask("Sign",
                Input(key, "ED25519_SHA_512", {{"Message", Base64(longest)}})));
}

TEST_F(SigningTest, ExternalMuIsOfMlDsaOnly) {
  const json mu = {{"MessageType", "EXTERNAL_MU"},
                   {"Message", Base64(std::string(64, 'm'))}};
  for (const auto& [spec, algorithm] :
       {std::pair{"ECC_NIST_P256", "ECDSA_SHA_256"},
        std::pair{"ECC_NIST_EDWARDS25519", "ED25519_SHA_512"}}) {
    EXPECT_THAT(Ask("Sign", Input(Create(spec), algorithm, mu)),
                StatusIs(ErrorCode::kValidation,
                         HasSubstr("MessageType EXTERNAL_MU is not valid")));
  }
}

TEST_F(SigningTest, AnAlgorithmOfAnotherSpecIsIncompatible) {
  const std::string key = Create("ECC_NIST_P256");
  for (const char* algorithm :
       {"ECDSA_SHA_384", "RSASSA_PSS_SHA_256", "ML_DSA_SHAKE_256",
        "ED25519_SHA_512", "ED25519_PH_SHA_512"}) {
    const std::string text = "Algorithm " + std::string(algorithm) +
                             " is incompatible with key spec ECC_NIST_P256.";
    EXPECT_THAT(Ask("Sign", Input(key, algorithm)),
                StatusIs(ErrorCode::kInvalidKeyUsage, text));
    EXPECT_THAT(Ask("Verify", Input(key, algorithm, {{"Signature", "YQ=="}})),
                StatusIs(ErrorCode::kInvalidKeyUsage, text));
  }
  EXPECT_THAT(Ask("Sign", Input(key, "SM2DSA")),
              StatusIs(ErrorCode::kValidation,
                       HasSubstr("at 'signingAlgorithm' failed")));
}

TEST_F(SigningTest, MessagesAreOneToFourKibibytes) {
  const std::string key = Create("ECC_NIST_P256");
  for (const std::size_t size : {0U, 4097U}) {
    EXPECT_THAT(
        Ask("Sign", Input(key, "ECDSA_SHA_256",
                          {{"Message", Base64(std::string(size, 'x'))}})),
        StatusIs(ErrorCode::kValidation,
                 HasSubstr("Value at 'message' failed")));
  }
}

TEST_F(SigningTest, ADryRunNeverSucceeds) {
  const std::string key = Create("ECC_NIST_P256");
  const json made = Take(Ask("Sign", Input(key, "ECDSA_SHA_256")));
  EXPECT_THAT(Ask("Sign", Input(key, "ECDSA_SHA_256", {{"DryRun", true}})),
              StatusIs(ErrorCode::kDryRun));
  json input = {{"DryRun", true}, {"Signature", made.at("Signature")}};
  EXPECT_THAT(Ask("Verify", Input(key, "ECDSA_SHA_256", input)),
              StatusIs(ErrorCode::kDryRun));
  input["Signature"] = "YQ==";
  EXPECT_THAT(Ask("Verify", Input(key, "ECDSA_SHA_256", input)),
              StatusIs(ErrorCode::kSignatureMismatch, ""));
}

TEST_F(SigningTest, PoliciesSeeAlgorithmAndMessageType) {
  const std::string key = Create("ECC_NIST_P256");
  Take(Ask("Sign", Input(key, "ECDSA_SHA_256")));
  const json context = Events().back().at("additionalEventData").at("context");
  EXPECT_EQ(context.at("kms:SigningAlgorithm"), "ECDSA_SHA_256");
  EXPECT_EQ(context.at("kms:MessageType"), "RAW");
  EXPECT_EQ(context.at("kms:KeySpec"), "ECC_NIST_P256");
  EXPECT_EQ(context.at("kms:KeyUsage"), "SIGN_VERIFY");
  EXPECT_FALSE(context.contains("kms:EncryptionAlgorithm"));
}

}  // namespace
}  // namespace kms::operations
