// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "hsm/token/agree.h"
#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/rsa_decrypt.h"
#include "tests/hsm/pair_fixture.h"

// Project Wycheproof's vectors (tests/vectors/wycheproof), with their private
// keys put into a SoftHSM token as session objects.
namespace hsm::token {
namespace {

using nlohmann::json;

json Vectors(const std::string& file) {
  std::ifstream in(std::string(CLAVIGER_VECTORS) + "/wycheproof/" + file);
  return json::parse(in);
}

// Of a number, without leading zeros; of bytes, as they are.
base::Bytes Number(const json& hex) {
  std::string text = hex.get<std::string>();
  while (text.starts_with("00")) {
    text.erase(0, 2);
  }
  return *base::HexDecode(text);
}
base::Bytes Hex(const json& hex) {
  return *base::HexDecode(hex.get<std::string>());
}

class WycheproofTest : public testing::Test {
 protected:
  void SetUp() override {
    auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    connection_ = *std::move(connection);
  }
  Sessions& sessions() { return connection_->sessions(); }

  base::Result<ObjectHandle> ImportRsa(const json& key) {
    Template made = SessionPrivateTemplate(NewKey(Algorithm::kRsa2048Decrypt),
                                           AttributeSupport{});
    for (const auto& [type, name] :
         {std::pair{CKA_MODULUS, "modulus"},
          std::pair{CKA_PUBLIC_EXPONENT, "publicExponent"},
          std::pair{CKA_PRIVATE_EXPONENT, "privateExponent"},
          std::pair{CKA_PRIME_1, "prime1"}, std::pair{CKA_PRIME_2, "prime2"},
          std::pair{CKA_EXPONENT_1, "exponent1"},
          std::pair{CKA_EXPONENT_2, "exponent2"},
          std::pair{CKA_COEFFICIENT, "coefficient"}}) {
      made.Set(type, Number(key.at(name)));
    }
    return sessions().anchor().CreateObject(made).Take();
  }

  base::Result<ObjectHandle> ImportP256(base::Bytes value) {
    Template made = SessionPrivateTemplate(NewKey(Algorithm::kP256Agree),
                                           AttributeSupport{});
    made.Set(CKA_EC_PARAMS, *base::HexDecode(kP256.oid)).Set(CKA_VALUE, value);
    return sessions().anchor().CreateObject(made).Take();
  }

  void DecryptAll(const std::string& file, Hash hash, const Profile& profile) {
    const json vectors = Vectors(file);
    for (const json& group : vectors.at("testGroups")) {
      const auto key = ImportRsa(group.at("privateKey"));
      ASSERT_OK(key);
      for (const json& test : group.at("tests")) {
        RsaDecryptRequest request;
        request.key.algorithm = Algorithm::kRsa2048Decrypt;
        request.hash = hash;
        request.ciphertext = Hex(test.at("ct"));
        const auto opened = RsaDecrypt(sessions(), profile, *key, request);
        // We have no labels.
        if (test.at("result") == "valid" && test.at("label") == "") {
          ASSERT_OK(opened);
          EXPECT_EQ(base::HexEncode(opened->Reveal()), test.at("msg"));
        } else {
          ASSERT_FALSE(opened.has_value()) << test.at("comment");
          EXPECT_EQ(opened.error().code, base::ErrorCode::kInvalidCiphertext)
              << test.at("comment") << opened.error().message;
        }
      }
    }
  }

  fakes::SoftHsmToken place_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(WycheproofTest, OaepWithSha1ByTheToken) {
  Profile profile;
  profile.oaep_sha1 = true;
  DecryptAll("rsa_oaep_2048_sha1_mgf1sha1_test.json", Hash::kSha1, profile);
}

TEST_F(WycheproofTest, OaepUnpaddedHere) {
  DecryptAll("rsa_oaep_2048_sha1_mgf1sha1_test.json", Hash::kSha1, Profile());
  DecryptAll("rsa_oaep_2048_sha256_mgf1sha256_test.json", Hash::kSha256,
             Profile());
}

// Among them: points of other curves, of none, and curves made for an attack.
TEST_F(WycheproofTest, EcdhWithP256) {
  const json vectors = Vectors("ecdh_secp256r1_test.json");
  int agreed = 0;
  for (const json& test : vectors.at("testGroups").at(0).at("tests")) {
    const auto peer = PublicKey::OfPeer(kP256, Hex(test.at("public")));
    if (!peer.has_value()) {
      EXPECT_EQ(peer.error().code, base::ErrorCode::kInvalidArgument);
      EXPECT_NE(test.at("result"), "valid") << test.at("comment");
      continue;
    }
    EXPECT_NE(test.at("result"), "invalid") << test.at("comment");
    const auto key = ImportP256(Number(test.at("private")));
    ASSERT_OK(key);
    const auto secret = Agree(sessions(), Algorithm::kP256Agree, *key, *peer);
    ASSERT_OK(secret);
    EXPECT_EQ(base::HexEncode(secret->Reveal()), test.at("shared"))
        << test.at("comment");
    ++agreed;
  }
  EXPECT_GE(agreed, 330) << "of 612, 330 are valid";
}

}  // namespace
}  // namespace hsm::token
