// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "tests/hsm/contract_fixture.h"

// Key pairs, made on the token and imported; OpenSSL has the other half.
namespace hsm::token {
namespace {

struct Scheme {
  SignatureScheme scheme;
  Hash hash;
};

std::vector<Scheme> SchemesOf(Algorithm algorithm) {
  switch (FindAlgorithm(algorithm)->kind) {
    case KeyKind::kRsa:
      return {{SignatureScheme::kPss, Hash::kSha256},
              {SignatureScheme::kPss, Hash::kSha512},
              {SignatureScheme::kPkcs1, Hash::kSha256},
              {SignatureScheme::kPkcs1, Hash::kSha384}};
    case KeyKind::kEc:
      return {{SignatureScheme::kEcdsa, Hash::kSha256},
              {SignatureScheme::kEcdsa, Hash::kSha512}};
    case KeyKind::kEdwards:
      return {{SignatureScheme::kEd25519, Hash::kSha512}};
    default:
      return {};
  }
}

class ContractPairsTest : public ContractTest {
 protected:
  // Signs with `key` by everything that it can, and asks OpenSSL.
  void ExpectSigns(const KeyRef& key, const base::Bytes& public_key) {
    const PkeyOwner verifier = ParsePublic(public_key);
    for (const auto& [scheme, hash] : SchemesOf(key.algorithm)) {
      const auto made =
          token_->Execute(ToSign(key, scheme, hash, "the message"));
      ASSERT_OK(made);
      EXPECT_TRUE(VerifiesMessage(verifier, scheme, hash, "the message",
                                  made->signature));
      EXPECT_FALSE(VerifiesMessage(verifier, scheme, hash, "another message",
                                   made->signature));
    }
  }
};
CLAVIGER_CONTRACT(ContractPairsTest);

TEST_P(ContractPairsTest, SignaturesOfEachSpecVerify) {
  for (const Algorithm algorithm : Those(KeyUse::kSign)) {
    const auto [key, public_key] = MadeOf(algorithm);
    ExpectSigns(key, public_key);
    Reopen();
    ExpectSigns(key, public_key);
    ASSERT_OK(token_->Execute(CheckKeyRequest{key}));
  }
}

TEST_P(ContractPairsTest, BothSidesAgree) {
  if (Those(KeyUse::kAgree).empty()) {
    for (const Algorithm algorithm : Every(KeyUse::kAgree)) {
      EXPECT_ERROR(token_->Execute(AgreeRequest{.key = NewKey(algorithm),
                                                .public_key = {}}),
                   kUnsupportedOperation);
    }
    GTEST_SKIP() << GetParam().name << " has no elliptic curves";
  }
  for (const Algorithm algorithm : Those(KeyUse::kAgree)) {
    const auto [key, public_key] = MadeOf(algorithm);
    const PkeyOwner own = ParsePublic(public_key);
    const int bits = FindAlgorithm(algorithm)->bits;
    const PkeyOwner peer(EVP_EC_gen(bits == 256   ? "P-256"
                                    : bits == 384 ? "P-384"
                                                  : "P-521"));
    const auto agreed =
        token_->Execute(AgreeRequest{.key = key, .public_key = DerOf(peer)});
    ASSERT_OK(agreed);
    const PkeyContext context(EVP_PKEY_CTX_new(peer.get(), nullptr));
    std::size_t size = 128;
    base::Bytes secret(size);
    ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_derive_set_peer(context.get(), own.get()), 1);
    ASSERT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &size), 1);
    secret.resize(size);
    const auto bytes = agreed->plaintext.Reveal();
    EXPECT_EQ(base::Bytes(bytes.begin(), bytes.end()), secret);
    EXPECT_ERROR(token_->Execute(AgreeRequest{.key = key, .public_key = {}}),
                 kInvalidArgument);
    const PkeyOwner other(EVP_EC_gen("secp256k1"));
    EXPECT_ERROR(
        token_->Execute(AgreeRequest{.key = key, .public_key = DerOf(other)}),
        kInvalidArgument);
  }
}

TEST_P(ContractPairsTest, OpensWhatWasEncryptedToIt) {
  const auto [key, public_key] = MadeOf(Algorithm::kRsa2048Decrypt);
  const base::Bytes secret = RandomOf(100);
  for (const auto& [hash, digest] : {std::pair{Hash::kSha1, EVP_sha1()},
                                     std::pair{Hash::kSha256, EVP_sha256()}}) {
    RsaDecryptRequest request{.key = key,
                              .hash = hash,
                              .ciphertext = OaepOf(public_key, digest, secret)};
    const auto opened = token_->Execute(request);
    ASSERT_OK(opened);
    const auto bytes = opened->plaintext.Reveal();
    EXPECT_EQ(base::Bytes(bytes.begin(), bytes.end()), secret);
    request.ciphertext[100] ^= 1;
    EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
    request.ciphertext.pop_back();
    EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
    request.ciphertext.assign(256, 0xff);  // More than the modulus.
    EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
  }
}

class ContractImportTest : public ContractPairsTest {
 protected:
  void SetUp() override {
    ContractPairsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    wrapping_ = MadeOf(Algorithm::kRsa2048Unwrap);
  }

  ImportKeyRequest ToImport(Algorithm algorithm, WrappingAlgorithm wrapping,
                            base::ByteView material) const {
    return {.key = NewKey(algorithm),
            .wrapping_key = wrapping_.key,
            .wrapping = wrapping,
            .wrapped = Wrapped(wrapping_.public_key, wrapping, material)};
  }

  std::size_t Objects() {
    const auto listed = token_->Execute(ListKeysRequest{});
    EXPECT_TRUE(listed.has_value());
    return listed.has_value() ? listed->keys.size() : 0;
  }

  // A secret of 32 bytes: what such a token encrypts with, or an HMAC key.
  static Algorithm Secret() {
    return GetParam().Encrypts() ? Algorithm::kXaes256Gcm
                                 : Algorithm::kHmacSha256;
  }

  MadePair wrapping_;
};
CLAVIGER_CONTRACT(ContractImportTest);

constexpr WrappingAlgorithm kWrappings[] = {
    WrappingAlgorithm::kOaepSha1, WrappingAlgorithm::kOaepSha256,
    WrappingAlgorithm::kRsaAesSha1, WrappingAlgorithm::kRsaAesSha256};

TEST_P(ContractImportTest, SameMaterialIsTheSameKeyHoweverItIsWrapped) {
  const base::Bytes material = RandomOf(32);
  CheckValue first{};
  for (const WrappingAlgorithm wrapping : kWrappings) {
    const auto request = ToImport(Secret(), wrapping, material);
    const auto imported = token_->Execute(request);
    ASSERT_OK(imported);
    if (wrapping == kWrappings[0]) {
      first = imported->check_value;
    }
    EXPECT_EQ(imported->check_value, first);
    const auto route = token_->Execute(
        ImportRouteRequest{.algorithm = Secret(), .wrapping = wrapping});
    ASSERT_OK(route);
    EXPECT_EQ(imported->route, route->route);
    ASSERT_OK(token_->Execute(CheckKeyRequest{request.key}));
    if (GetParam().Encrypts()) {
      const Sealed sealed = Encrypted(request.key, "secret");
      ASSERT_OK(token_->Execute(ToDecrypt(request.key, sealed)));
    } else {
      EXPECT_ERROR(
          token_->Execute(ToImport(Algorithm::kXaes256Gcm, wrapping, material)),
          kUnsupportedOperation);
    }
  }
}

TEST_P(ContractImportTest, ImportedPairsSignAsTheirPublicKeySays) {
  for (const Algorithm algorithm : Every(KeyUse::kSign)) {
    const Material material = MaterialFor(algorithm);
    const auto request =
        ToImport(algorithm, WrappingAlgorithm::kRsaAesSha256, material.bytes);
    const auto imported = token_->Execute(request);
    if (!GetParam().Has(algorithm)) {
      EXPECT_ERROR(imported, kUnsupportedOperation);
      continue;
    }
    ASSERT_OK(imported);
    EXPECT_EQ(imported->public_key, material.public_key);
    ExpectSigns(request.key, material.public_key);
    Reopen();
    ExpectSigns(request.key, material.public_key);
  }
}

TEST_P(ContractImportTest, WhatIsWrongIsInvalidAndLeavesNothing) {
  for (const WrappingAlgorithm wrapping : kWrappings) {
    for (const std::size_t size :
         {std::size_t{16}, std::size_t{31}, ImportedSize(Secret()).max + 1}) {
      EXPECT_ERROR(
          token_->Execute(ToImport(Secret(), wrapping, RandomOf(size))),
          kInvalidCiphertext);
    }
    auto forged = ToImport(Secret(), wrapping, RandomOf(32));
    forged.wrapped.back() ^= 1;
    EXPECT_ERROR(token_->Execute(forged), kInvalidCiphertext);
    forged.wrapped.resize(100);
    EXPECT_ERROR(token_->Execute(forged), kInvalidCiphertext);
  }
  EXPECT_ERROR(token_->Execute(ToImport(
                   Signing(), WrappingAlgorithm::kRsaAesSha256, RandomOf(138))),
               kInvalidCiphertext);
  EXPECT_EQ(Objects(), 1U) << "the wrapping pair";
}

}  // namespace
}  // namespace hsm::token
