// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "hsm/token/connection.h"
#include "hsm/token/import.h"
#include "hsm/token/key_pairs.h"
#include "hsm/token/mac.h"
#include "tests/hsm/import_fixture.h"

// Imports on a token that can do less than SoftHSM, which is one whose profile
// says so; and Project Wycheproof's vectors (tests/vectors/wycheproof).
namespace hsm::token {
namespace {

using nlohmann::json;
using enum WrappingAlgorithm;
using enum ImportRoute;

class ImportPathTest : public testing::Test {
 protected:
  void SetUp() override {
    auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    connection_ = *std::move(connection);
    index_.emplace(connection_->sessions());
    profile_.oaep_sha1 = true;  // And nothing else.
    cipher_.emplace(connection_->sessions(), clock_, profile_);
    wrapping_ = NewKey(Algorithm::kRsa2048Unwrap);
    const auto made = MakeKeyPair(Here(), wrapping_);
    ASSERT_OK(made);
    public_key_ = *made;
  }

  Workshop Here() { return {*connection_, profile_, *index_, *cipher_}; }

  base::Result<ImportKeyReply> Import(const KeyRef& key,
                                      WrappingAlgorithm wrapping,
                                      base::Bytes wrapped) {
    const ImportKeyRequest request{.key = key,
                                   .wrapping_key = wrapping_,
                                   .wrapping = wrapping,
                                   .wrapped = std::move(wrapped),
                                   .strict = false};
    WrappedKeys wrapped_keys(Here());
    return ImportKey(Here(), wrapped_keys, *index_->Known(wrapping_.locator),
                     request);
  }

  fakes::SoftHsmToken place_;
  base::FakeClock clock_{base::WallTime{}};
  std::unique_ptr<Connection> connection_;
  Profile profile_;
  std::optional<ObjectIndex> index_;
  std::optional<KeyCipher> cipher_;
  KeyRef wrapping_;
  base::Bytes public_key_;
};

TEST_F(ImportPathTest, ATokenThatUnwrapsNothingGetsEveryKeyFromTheWorker) {
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kHmacSha384, Algorithm::kRsa2048Sign,
        Algorithm::kRsa2048Decrypt, Algorithm::kP256Sign, Algorithm::kP384Agree,
        Algorithm::kSecp256k1Sign, Algorithm::kEd25519Sign}) {
    const Material material = MaterialFor(algorithm);
    for (const WrappingAlgorithm wrapping : {kRsaAesSha1, kRsaAesSha256}) {
      const auto imported =
          Import(NewKey(algorithm), wrapping,
                 Wrapped(public_key_, wrapping, material.bytes));
      ASSERT_OK(imported);
      EXPECT_EQ(imported->route, kInWorker);
      EXPECT_EQ(imported->public_key, material.public_key);
    }
  }
}

TEST_F(ImportPathTest, WhatATokenCanDecidesTheRoute) {
  const AlgorithmRow& aes = *FindAlgorithm(Algorithm::kXaes256Gcm);
  const AlgorithmRow& rsa = *FindAlgorithm(Algorithm::kRsa2048Sign);
  const AlgorithmRow& ec = *FindAlgorithm(Algorithm::kP256Sign);
  Profile profile;
  profile.unwraps_oaep_sha1 = profile.unwraps_oaep_sha256 = true;
  EXPECT_EQ(RouteOf(profile, kOaepSha256, aes), kInWorker)
      << "nothing measures its length";
  profile.rfc5649 = CKM_AES_KEY_WRAP_PAD;
  EXPECT_EQ(RouteOf(profile, kOaepSha256, aes), kInside);
  EXPECT_EQ(RouteOf(profile, kRsaAesSha256, rsa), kInWorker);
  profile.unwraps_rsa = true;
  EXPECT_EQ(RouteOf(profile, kRsaAesSha256, rsa), kInside);
  EXPECT_EQ(RouteOf(profile, kRsaAesSha256, ec), kInWorker);
  profile.unwraps_oaep_sha256 = false;
  EXPECT_EQ(RouteOf(profile, kRsaAesSha256, rsa), kWrappingKeyInWorker);
  EXPECT_EQ(RouteOf(profile, kOaepSha256, aes), kInWorker);
  EXPECT_EQ(RouteOf(profile, kOaepSha1, aes), kInside);
}

json Vectors(const std::string& file) {
  std::ifstream in(std::string(CLAVIGER_VECTORS) + "/wycheproof/" + file);
  return json::parse(in);
}
base::Bytes Hex(const json& hex) {
  return *base::HexDecode(hex.get<std::string>());
}

TEST(KeyWrap, AgreesWithWycheproof) {
  const json vectors = Vectors("aes_kwp_test.json");
  int valid = 0;
  for (const json& group : vectors.at("testGroups")) {
    for (const json& test : group.at("tests")) {
      const auto opened =
          UnwrapRfc5649(Hex(test.at("key")), Hex(test.at("ct")));
      if (test.at("result") == "invalid") {
        EXPECT_ERROR(opened, kInvalidCiphertext);
        continue;
      }
      if (test.at("result") == "acceptable" && !opened.has_value()) {
        continue;
      }
      ASSERT_OK(opened);
      EXPECT_EQ(base::HexEncode(opened->Reveal()), test.at("msg"));
      ++valid;
    }
  }
  EXPECT_GT(valid, 50);
}

// As HMAC keys, on each route: what is valid and long enough is taken, nothing
// that is invalid.
TEST_F(ImportPathTest, WycheproofsKeyWrapsAsAClientSendsThem) {
  profile_.rfc5649 = CKM_AES_KEY_WRAP_PAD;
  const json vectors = Vectors("aes_kwp_test.json");
  int taken = 0;
  for (const bool inside : {true, false}) {
    profile_.unwraps_oaep_sha1 = inside;
    for (const json& group : vectors.at("testGroups")) {
      for (const json& test : group.at("tests")) {
        const base::Bytes secret = Hex(test.at("msg"));
        base::Bytes wrapped =
            OaepOf(public_key_, EVP_sha1(), Hex(test.at("key")));
        const base::Bytes rest = Hex(test.at("ct"));
        wrapped.insert(wrapped.end(), rest.begin(), rest.end());
        const KeyRef key = NewKey(Algorithm::kHmacSha224);
        const auto imported = Import(key, kRsaAesSha1, wrapped);
        if (test.at("result") == "invalid" || secret.size() < 28 ||
            secret.size() > 64) {
          EXPECT_ERROR(imported, kInvalidCiphertext);
          continue;
        }
        ASSERT_OK(imported);
        EXPECT_EQ(imported->route, inside ? kInside : kWrappingKeyInWorker);
        ++taken;
      }
    }
  }
  EXPECT_EQ(taken, 18);
}

void ExpectMacs(Sessions& sessions, const json& test, Algorithm algorithm,
                ObjectHandle object) {
  const base::Bytes message = Hex(test.at("msg"));
  if (message.empty()) {
    return;  // The API has no empty messages.
  }
  const auto mac = Mac(sessions, algorithm, object, message);
  ASSERT_OK(mac);
  EXPECT_EQ(base::HexEncode(*mac) == test.at("tag"),
            test.at("result") == "valid")
      << test.at("comment");
}

TEST_F(ImportPathTest, WycheproofsHmacKeys) {
  profile_.rfc5649 = CKM_AES_KEY_WRAP_PAD;
  profile_.unwraps_oaep_sha1 = true;
  constexpr struct {
    Algorithm algorithm;
    const char* file;
  } kFiles[] = {{Algorithm::kHmacSha224, "hmac_sha224_test.json"},
                {Algorithm::kHmacSha256, "hmac_sha256_test.json"},
                {Algorithm::kHmacSha384, "hmac_sha384_test.json"},
                {Algorithm::kHmacSha512, "hmac_sha512_test.json"}};
  int taken = 0;
  int round = 0;
  for (const auto& [algorithm, file] : kFiles) {
    const json vectors = Vectors(file);
    const std::size_t whole = FindMac(algorithm)->mac_size * 8;
    for (const json& group : vectors.at("testGroups")) {
      if (group.at("tagSize") != whole) {
        continue;  // The API has no cut MACs.
      }
      for (const json& test : group.at("tests")) {
        const base::Bytes secret = Hex(test.at("key"));
        const auto [min, max] = ImportedSize(algorithm);
        const KeyRef key = NewKey(algorithm);
        const WrappingAlgorithm wrapping =
            ++round % 2 == 0 ? kOaepSha1 : kOaepSha256;
        const auto imported =
            Import(key, wrapping, Wrapped(public_key_, wrapping, secret));
        if (secret.size() < min || secret.size() > max) {
          EXPECT_ERROR(imported, kInvalidCiphertext);
          continue;
        }
        ASSERT_OK(imported);
        ExpectMacs(connection_->sessions(), test, algorithm,
                   *index_->Known(key.locator));
        ASSERT_OK(DestroyKey(Here(), key.locator));
        ++taken;
      }
    }
  }
  EXPECT_GT(taken, 300);
}

}  // namespace
}  // namespace hsm::token
