// SPDX-License-Identifier: Apache-2.0
// The tables of key specs against AWS KMS Developer Guide, "Key spec
// reference", copied here by hand.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hsm/algorithms.h"
#include "kms/key_spec.h"

namespace kms {
namespace {

constexpr std::string_view kReference =
    "SYMMETRIC_DEFAULT ENCRYPT_DECRYPT EncryptionAlgorithms SYMMETRIC_DEFAULT\n"
    "RSA_2048 ENCRYPT_DECRYPT EncryptionAlgorithms RSAES_OAEP_SHA_1 "
    "RSAES_OAEP_SHA_256\n"
    "RSA_2048 SIGN_VERIFY SigningAlgorithms RSASSA_PKCS1_V1_5_SHA_256 "
    "RSASSA_PKCS1_V1_5_SHA_384 RSASSA_PKCS1_V1_5_SHA_512 RSASSA_PSS_SHA_256 "
    "RSASSA_PSS_SHA_384 RSASSA_PSS_SHA_512\n"
    "RSA_3072 ENCRYPT_DECRYPT EncryptionAlgorithms RSAES_OAEP_SHA_1 "
    "RSAES_OAEP_SHA_256\n"
    "RSA_3072 SIGN_VERIFY SigningAlgorithms RSASSA_PKCS1_V1_5_SHA_256 "
    "RSASSA_PKCS1_V1_5_SHA_384 RSASSA_PKCS1_V1_5_SHA_512 RSASSA_PSS_SHA_256 "
    "RSASSA_PSS_SHA_384 RSASSA_PSS_SHA_512\n"
    "RSA_4096 ENCRYPT_DECRYPT EncryptionAlgorithms RSAES_OAEP_SHA_1 "
    "RSAES_OAEP_SHA_256\n"
    "RSA_4096 SIGN_VERIFY SigningAlgorithms RSASSA_PKCS1_V1_5_SHA_256 "
    "RSASSA_PKCS1_V1_5_SHA_384 RSASSA_PKCS1_V1_5_SHA_512 RSASSA_PSS_SHA_256 "
    "RSASSA_PSS_SHA_384 RSASSA_PSS_SHA_512\n"
    "ECC_NIST_P256 SIGN_VERIFY SigningAlgorithms ECDSA_SHA_256\n"
    "ECC_NIST_P256 KEY_AGREEMENT KeyAgreementAlgorithms ECDH\n"
    "ECC_NIST_P384 SIGN_VERIFY SigningAlgorithms ECDSA_SHA_384\n"
    "ECC_NIST_P384 KEY_AGREEMENT KeyAgreementAlgorithms ECDH\n"
    "ECC_NIST_P521 SIGN_VERIFY SigningAlgorithms ECDSA_SHA_512\n"
    "ECC_NIST_P521 KEY_AGREEMENT KeyAgreementAlgorithms ECDH\n"
    "ECC_SECG_P256K1 SIGN_VERIFY SigningAlgorithms ECDSA_SHA_256\n"
    "ECC_NIST_EDWARDS25519 SIGN_VERIFY SigningAlgorithms ED25519_SHA_512\n"
    "HMAC_224 GENERATE_VERIFY_MAC MacAlgorithms HMAC_SHA_224\n"
    "HMAC_256 GENERATE_VERIFY_MAC MacAlgorithms HMAC_SHA_256\n"
    "HMAC_384 GENERATE_VERIFY_MAC MacAlgorithms HMAC_SHA_384\n"
    "HMAC_512 GENERATE_VERIFY_MAC MacAlgorithms HMAC_SHA_512\n";

TEST(KeySpecTest, KindsAreAwsOnes) {
  std::string text;
  for (const KeyKind& kind : KeyKinds()) {
    text += fmt::format("{} {} {} {}\n", KeySpecName(kind.spec),
                        KeyUsageName(kind.usage), AlgorithmListName(kind.usage),
                        fmt::join(kind.algorithms, " "));
  }
  EXPECT_EQ(text, kReference);
}

TEST(KeySpecTest, FindsAKindByBothNames) {
  for (const KeyKind& kind : KeyKinds()) {
    EXPECT_EQ(FindKeyKind(kind.spec, kind.usage), &kind);
    EXPECT_EQ(ParseKeySpec(KeySpecName(kind.spec)), kind.spec);
    EXPECT_EQ(ParseKeyUsage(KeyUsageName(kind.usage)), kind.usage);
  }
  EXPECT_EQ(FindKeyKind(KeySpec::kRsa2048, KeyUsage::kKeyAgreement), nullptr);
  EXPECT_EQ(FindKeyKind(KeySpec::kEccSecgP256k1, KeyUsage::kKeyAgreement),
            nullptr);
  EXPECT_EQ(FindKeyKind(KeySpec::kHmac512, KeyUsage::kKeyAgreement), nullptr);
}

// Two kinds with one token algorithm could not be told apart in the store.
TEST(KeySpecTest, TokenAlgorithmsFitOneKindEach) {
  std::set<hsm::Algorithm> seen;
  for (const KeyKind& kind : KeyKinds()) {
    const hsm::AlgorithmRow* const row = hsm::FindAlgorithm(kind.algorithm);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(hsm::IsKeyPair(row->kind), IsKeyPair(kind.spec));
    EXPECT_TRUE(seen.insert(kind.algorithm).second);
    EXPECT_TRUE(FitsKind(kind, kind.algorithm));
    EXPECT_EQ(FitsKind(kind, hsm::Algorithm::kAes256GcmCounter),
              kind.spec == KeySpec::kSymmetricDefault);
    EXPECT_EQ(FitsKind(kind, hsm::Algorithm::kP256Sign),
              kind.algorithm == hsm::Algorithm::kP256Sign);
  }
  // No KMS key has those that guard others; and there is the counter.
  const auto guarding = static_cast<std::size_t>(std::ranges::count_if(
      hsm::kAlgorithmRows,
      [](const auto& row) { return !hsm::IsImported(row.use); }));
  EXPECT_EQ(guarding, 4U);
  EXPECT_EQ(seen.size() + 1 + guarding, hsm::kAlgorithmRows.size());
}

TEST(KeySpecTest, EveryReportedSigningAlgorithmIsKnown) {
  for (const KeyKind& kind : KeyKinds()) {
    for (const std::string_view name : kind.algorithms) {
      const SigningAlgorithm* const found = FindSigningAlgorithm(name);
      ASSERT_EQ(found != nullptr, kind.usage == KeyUsage::kSignVerify) << name;
      if (found == nullptr) {
        continue;
      }
      EXPECT_TRUE(name.ends_with(std::to_string(8 * HashSize(found->hash))))
          << name;
    }
  }
  for (const char* name : {"ED25519_PH_SHA_512", "ML_DSA_SHAKE_256", "SM2DSA",
                           "", "ecdsa_sha_256"}) {
    EXPECT_EQ(FindSigningAlgorithm(name), nullptr) << name;
  }
}

TEST(KeySpecTest, OaepMaximaAreAwsOnes) {
  struct Maximum {
    KeySpec spec;
    std::size_t sha1, sha256;
  };
  for (const Maximum& row : {Maximum{KeySpec::kRsa2048, 214, 190},
                             Maximum{KeySpec::kRsa3072, 342, 318},
                             Maximum{KeySpec::kRsa4096, 470, 446}}) {
    EXPECT_EQ(OaepMaximum(row.spec, *OaepHash("RSAES_OAEP_SHA_1")), row.sha1);
    EXPECT_EQ(OaepMaximum(row.spec, *OaepHash("RSAES_OAEP_SHA_256")),
              row.sha256);
  }
  EXPECT_EQ(OaepHash("SYMMETRIC_DEFAULT"), std::nullopt);
  EXPECT_EQ(ModulusSize(KeySpec::kEccNistP256), 0U);
}

TEST(KeySpecTest, DataKeyPairsArePairs) {
  EXPECT_EQ(DataKeyPairAlgorithm(KeySpec::kSymmetricDefault), std::nullopt);
  EXPECT_EQ(DataKeyPairAlgorithm(KeySpec::kHmac256), std::nullopt);
  for (const KeyKind& kind : KeyKinds()) {
    EXPECT_EQ(DataKeyPairAlgorithm(kind.spec).has_value(),
              IsKeyPair(kind.spec));
  }
  EXPECT_EQ(DataKeyPairAlgorithm(KeySpec::kEccNistEdwards25519),
            hsm::Algorithm::kEd25519Sign);
}

}  // namespace
}  // namespace kms
