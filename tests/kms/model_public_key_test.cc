// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "kms/key_spec.h"
#include "kms/public_key.h"
#include "tests/kms/openssl_key.h"
#include "tests/testlib/status.h"

namespace kms {
namespace {

using base::Bytes;
using base::ErrorCode;
using testlib::StatusIs;
using testlib::Take;

constexpr std::string_view kMessage = "the message";

base::Secret WhatIsSigned(const SigningAlgorithm& algorithm,
                          std::string_view message) {
  return algorithm.scheme == hsm::SignatureScheme::kEd25519
             ? base::Secret::CopyOf(message)
             : HashOf(algorithm.hash, base::AsBytes(message));
}

base::Status Verify(const PublicKey& key, std::string_view algorithm,
                    std::string_view message, const Bytes& signature) {
  const SigningAlgorithm& row = *FindSigningAlgorithm(algorithm);
  return key.Verify(row.scheme, row.hash, WhatIsSigned(row, message).Reveal(),
                    signature);
}

// Every algorithm of every spec; OpenSSL signs, we verify.
TEST(PublicKeyTest, VerifiesWhatOpensslSigned) {
  for (const KeyKind& kind : KeyKinds()) {
    const bool tried = kind.usage == KeyUsage::kSignVerify &&
                       kind.spec != KeySpec::kRsa3072 &&
                       kind.spec != KeySpec::kRsa4096;  // Slow, nothing new.
    if (!tried) {
      continue;
    }
    const OpensslKey pair = OpensslKey::Generate(KeySpecName(kind.spec));
    const PublicKey key = Take(PublicKey::Parse(pair.Spki()));
    for (const std::string_view algorithm : kind.algorithms) {
      SCOPED_TRACE(testing::Message()
                   << KeySpecName(kind.spec) << " " << algorithm);
      Bytes signature = pair.Sign(algorithm, kMessage);
      EXPECT_OK(Verify(key, algorithm, kMessage, signature));
      EXPECT_THAT(Verify(key, algorithm, "another", signature),
                  StatusIs(ErrorCode::kSignatureMismatch, ""));
      signature.back() ^= 1;
      EXPECT_THAT(Verify(key, algorithm, kMessage, signature),
                  StatusIs(ErrorCode::kSignatureMismatch, ""));
      signature.pop_back();
      EXPECT_THAT(Verify(key, algorithm, kMessage, signature),
                  StatusIs(ErrorCode::kSignatureMismatch, ""));
    }
  }
}

TEST(PublicKeyTest, TellsPaddingsAndHashesApart) {
  const OpensslKey pair = OpensslKey::Generate("RSA_2048");
  const PublicKey key = Take(PublicKey::Parse(pair.Spki()));
  const auto kind = FindKeyKind(KeySpec::kRsa2048, KeyUsage::kSignVerify);
  for (const std::string_view made : kind->algorithms) {
    const Bytes signature = pair.Sign(made, kMessage);
    for (const std::string_view asked : kind->algorithms) {
      EXPECT_EQ(Verify(key, asked, kMessage, signature).has_value(),
                made == asked)
          << made << " as " << asked;
    }
  }
}

TEST(PublicKeyTest, GarbageIsNoSignature) {
  for (const char* spec :
       {"RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"}) {
    const PublicKey key =
        Take(PublicKey::Parse(OpensslKey::Generate(spec).Spki()));
    const std::string_view algorithm =
        FindKeyKind(*ParseKeySpec(spec), KeyUsage::kSignVerify)->algorithms[0];
    for (const std::size_t size : {1U, 64U, 70U, 72U, 256U, 6144U}) {
      EXPECT_THAT(Verify(key, algorithm, kMessage, Bytes(size, 0x30)),
                  StatusIs(ErrorCode::kSignatureMismatch, ""));
    }
  }
}

TEST(PublicKeyTest, EncryptsWhatOpensslDecrypts) {
  const OpensslKey pair = OpensslKey::Generate("RSA_2048");
  const PublicKey key = Take(PublicKey::Parse(pair.Spki()));
  for (const char* algorithm : {"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"}) {
    const hsm::Hash hash = *OaepHash(algorithm);
    for (const std::size_t size :
         {std::size_t{1}, OaepMaximum(KeySpec::kRsa2048, hash)}) {
      const Bytes text(size, 0x5A);
      ASSERT_OK_AND_ASSIGN(const Bytes blob, key.EncryptOaep(hash, text));
      EXPECT_EQ(blob.size(), 256U);
      EXPECT_EQ(pair.Decrypt(algorithm, blob), text);
    }
    const Bytes too_long(OaepMaximum(KeySpec::kRsa2048, hash) + 1);
    EXPECT_THAT(key.EncryptOaep(hash, too_long),
                StatusIs(ErrorCode::kInternal));
  }
}

TEST(PublicKeyTest, TakesExactlyOneKey) {
  for (const char* spec :
       {"RSA_2048", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519"}) {
    const Bytes spki = OpensslKey::Generate(spec).Spki();
    EXPECT_EQ(Take(Take(PublicKey::Parse(spki)).Encode()), spki);
    Bytes longer = spki;
    longer.push_back(0);
    EXPECT_THAT(PublicKey::Parse(longer), StatusIs(ErrorCode::kCorrupt));
    for (std::size_t size = 0; size < spki.size(); ++size) {
      const base::ByteView shorter(spki.data(), size);
      EXPECT_FALSE(PublicKey::Parse(shorter).has_value()) << size;
    }
  }
}

TEST(PublicKeyTest, APointMustBeOnItsCurve) {
  Bytes spki = OpensslKey::Generate("ECC_NIST_P256").Spki();
  spki.back() ^= 1;
  EXPECT_THAT(PublicKey::Parse(spki), StatusIs(ErrorCode::kCorrupt));
}

TEST(PublicKeyTest, WritesCompressedPointsOut) {
  const OpensslKey pair = OpensslKey::Generate("ECC_NIST_P256");
  const Bytes compressed = pair.CompressedSpki();
  EXPECT_LT(compressed.size(), pair.Spki().size());
  EXPECT_EQ(Take(Take(PublicKey::Parse(compressed)).Encode()), pair.Spki());
}

TEST(PublicKeyTest, RefusesExplicitCurves) {
  const Bytes spki = OpensslKey::Generate("ECC_NIST_P256").ExplicitSpki();
  EXPECT_THAT(PublicKey::Parse(spki), StatusIs(ErrorCode::kCorrupt));
}

TEST(PublicKeyTest, ComparesCurves) {
  const auto key = [](const char* spec) {
    return Take(PublicKey::Parse(OpensslKey::Generate(spec).Spki()));
  };
  const PublicKey p256 = key("ECC_NIST_P256");
  EXPECT_TRUE(p256.IsOnCurveOf(key("ECC_NIST_P256")));
  for (const char* spec : {"ECC_NIST_P384", "ECC_SECG_P256K1", "RSA_2048",
                           "ECC_NIST_EDWARDS25519"}) {
    EXPECT_FALSE(p256.IsOnCurveOf(key(spec))) << spec;
    EXPECT_FALSE(key(spec).IsOnCurveOf(p256)) << spec;
  }
}

}  // namespace
}  // namespace kms
