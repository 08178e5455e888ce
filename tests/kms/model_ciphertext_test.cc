// SPDX-License-Identifier: Apache-2.0
// The ciphertext format against vectors that were made from its description
// alone (tests/golden/make_ciphertext.py), and on a token.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "kms/ciphertext.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/testlib/status.h"

namespace kms {
namespace {

using nlohmann::json;
using testlib::StatusIs;

json Vectors() {
  std::ifstream file(CLAVIGER_GOLDEN "/ciphertext.json");
  return json::parse(file);
}

json ExternalVectors() {
  std::ifstream file(CLAVIGER_GOLDEN "/ciphertext_external.json");
  return json::parse(file);
}

base::Bytes Field(const json& vector, const char* name) {
  return testlib::Take(base::HexDecode(vector.at(name).get<std::string>()));
}

template <std::size_t kSize>
std::array<std::uint8_t, kSize> ArrayOf(const base::Bytes& bytes) {
  std::array<std::uint8_t, kSize> out{};
  EXPECT_EQ(bytes.size(), kSize);
  std::copy_n(bytes.begin(), std::min(bytes.size(), kSize), out.begin());
  return out;
}

CiphertextHeader HeaderOf(const json& vector) {
  const auto key_id = ParseKeyId(vector.at("key_id").get<std::string>());
  EXPECT_TRUE(key_id.has_value());
  return {.algorithm = static_cast<CiphertextAlgorithm>(
              vector.at("algorithm").get<int>()),
          .key_id = key_id.value_or(KeyIdBytes()),
          .material = ArrayOf<32>(Field(vector, "material_id"))};
}

// The context as a request gives it: sorted by the bytes of the keys.
hsm::Aad AadOf(const json& vector) {
  const auto context =
      vector.at("context").get<std::map<std::string, std::string>>();
  const EncryptionContext pairs(context.begin(), context.end());
  return CiphertextAad(HeaderOf(vector), pairs, base::ThreadHasher());
}

TEST(CiphertextTest, IsWhatItsDescriptionSays) {
  const json vectors = Vectors();
  ASSERT_EQ(vectors.size(), 7U);
  for (const json& vector : vectors) {
    SCOPED_TRACE(vector.at("name"));
    const CiphertextHeader header = HeaderOf(vector);
    const base::Bytes blob = Field(vector, "blob");
    EXPECT_EQ(blob.size(), Field(vector, "plaintext").size() + 91);
    EXPECT_EQ(base::HexEncode(AadOf(vector)), vector.at("aad"));
    EXPECT_EQ(base::HexEncode(MakeMaterialId(
                  header.key_id, ArrayOf<32>(Field(vector, "check_value")),
                  base::ThreadHasher())),
              vector.at("material_id"));
    ASSERT_OK_AND_ASSIGN(const Ciphertext parsed, ParseCiphertext(blob));
    EXPECT_EQ(parsed.header.algorithm, header.algorithm);
    EXPECT_EQ(KeyIdText(parsed.header.key_id), vector.at("key_id"));
    EXPECT_EQ(parsed.header.material, header.material);
    EXPECT_EQ(base::HexEncode(parsed.sealed.nonce), vector.at("nonce"));
    EXPECT_EQ(SerializeCiphertext(header, parsed.sealed), blob);
  }
}

TEST(CiphertextTest, OfAnExternalKeyStoreIsWhatItsDescriptionSays) {
  const json vectors = ExternalVectors();
  ASSERT_EQ(vectors.size(), 3U);
  for (const json& vector : vectors) {
    SCOPED_TRACE(vector.at("name"));
    const CiphertextHeader header = HeaderOf(vector);
    const base::Bytes blob = Field(vector, "blob");
    EXPECT_EQ(base::HexEncode(AadOf(vector)), vector.at("aad"));
    ASSERT_OK_AND_ASSIGN(const Ciphertext parsed, ParseCiphertext(blob));
    EXPECT_EQ(parsed.header.algorithm, CiphertextAlgorithm::kExternalKeyStore);
    EXPECT_EQ(KeyIdText(parsed.header.key_id), vector.at("key_id"));
    EXPECT_EQ(parsed.header.material, header.material);
    EXPECT_EQ(base::HexEncode(parsed.outer.metadata), vector.at("metadata"));
    EXPECT_EQ(base::HexEncode(parsed.outer.iv), vector.at("iv"));
    EXPECT_EQ(base::HexEncode(parsed.outer.tag), vector.at("tag"));
    EXPECT_EQ(base::HexEncode(parsed.outer.ciphertext),
              vector.at("ciphertext"));
    EXPECT_EQ(base::HexEncode(parsed.sealed.nonce), vector.at("nonce"));
    EXPECT_EQ(SerializeCiphertext(header, parsed.sealed.nonce, parsed.outer),
              blob);
  }
}

TEST(CiphertextTest, RefusesOuterLayersThatAreNone) {
  const json vector = ExternalVectors().at(0);
  const base::Bytes good = Field(vector, "blob");
  constexpr std::size_t kLeast = 51 + 1 + 5 + 1 + 12 + 16 + 40;
  for (std::size_t size = 51; size < kLeast; ++size) {
    EXPECT_THAT(ParseCiphertext(base::ByteView(good).first(size)),
                StatusIs(base::ErrorCode::kInvalidCiphertext, ""));
  }
  EXPECT_OK(ParseCiphertext(base::ByteView(good).first(kLeast)));
  const auto sizes = [&](std::uint8_t metadata, std::uint8_t iv) {
    base::Bytes blob(good.begin(), good.begin() + 51);
    blob.push_back(metadata);
    blob.insert(blob.end(), metadata, 1);
    blob.push_back(iv);
    blob.insert(blob.end(), iv, 2);
    blob.insert(blob.end(), 16 + 40, 3);
    return ParseCiphertext(blob);
  };
  for (const int metadata : {0, 5, 20}) {
    for (const int iv : {12, 16}) {
      EXPECT_OK(sizes(static_cast<std::uint8_t>(metadata),
                      static_cast<std::uint8_t>(iv)));
    }
  }
  for (const auto& [metadata, iv] :
       {std::pair{21, 12}, std::pair{255, 12}, std::pair{0, 0},
        std::pair{0, 11}, std::pair{0, 13}, std::pair{0, 17}}) {
    EXPECT_THAT(sizes(static_cast<std::uint8_t>(metadata),
                      static_cast<std::uint8_t>(iv)),
                StatusIs(base::ErrorCode::kInvalidCiphertext, ""));
  }
}

TEST(CiphertextTest, AnotherHeaderHasAnotherAad) {
  const json vector = Vectors().at(1);
  const CiphertextHeader header = HeaderOf(vector);
  const auto aad = [](const CiphertextHeader& changed) {
    return CiphertextAad(changed, {}, base::ThreadHasher());
  };
  CiphertextHeader algorithm = header;
  algorithm.algorithm = CiphertextAlgorithm::kAes256GcmCounter;
  CiphertextHeader kind = header;
  kind.key_id.kind = KeyIdKind::kMultiRegion;
  CiphertextHeader key = header;
  key.key_id.bytes[15] ^= 1;
  CiphertextHeader material = header;
  material.material[0] ^= 1;
  for (const CiphertextHeader& changed : {algorithm, kind, key, material}) {
    EXPECT_NE(aad(changed), aad(header));
  }
}

TEST(CiphertextTest, ABoundaryInTheContextCannotBeShifted) {
  const CiphertextHeader header = HeaderOf(Vectors().at(0));
  const auto aad = [&](const EncryptionContext& context) {
    return CiphertextAad(header, context, base::ThreadHasher());
  };
  EXPECT_NE(aad({{"ab", "c"}}), aad({{"a", "bc"}}));
  EXPECT_NE(aad({{"a", "b"}, {"c", "d"}}), aad({{"a", "b"}}));
  EXPECT_NE(aad({{"", ""}}), aad({}));
}

TEST(CiphertextTest, RefusesWhatIsNoneWithoutAMessage) {
  const base::Bytes good = Field(Vectors().at(2), "blob");
  const auto refused = [](const base::Bytes& blob) {
    EXPECT_THAT(ParseCiphertext(blob),
                StatusIs(base::ErrorCode::kInvalidCiphertext, ""));
  };
  for (std::size_t size = 0; size < 91; ++size) {
    SCOPED_TRACE(size);
    refused(base::Bytes(good.data(), good.data() + size));
  }
  for (const int version : {0, 2, 255}) {
    base::Bytes blob = good;
    blob[0] = static_cast<std::uint8_t>(version);
    refused(blob);
  }
  for (const std::size_t at : {1U, 2U}) {  // Algorithm and kind.
    for (const int value : {0, at == 1U ? 4 : 3, 255}) {
      base::Bytes blob = good;
      blob[at] = static_cast<std::uint8_t>(value);
      refused(blob);
    }
  }
  EXPECT_OK(ParseCiphertext(base::ByteView(good).first(91)));
}

// A key with a known value among the product's own, found by its locator.
void PutKey(const fakes::SoftHsmToken& place, const hsm::KeyRef& key,
            base::ByteView value) {
  using hsm::token::AttributeSupport;
  using hsm::token::Connection;
  using hsm::token::KeyTemplate;
  using hsm::token::Template;
  auto connection = testlib::Take(Connection::Open(place.Config()));
  Template attributes = KeyTemplate(key, AttributeSupport{});
  attributes.Remove(CKA_VALUE_LEN).Set(CKA_TOKEN, true).Set(CKA_VALUE, value);
  testlib::Take(
      connection->sessions().anchor().CreateObject(attributes).Take());
}

TEST(CiphertextTest, OpensOnATokenThatHasTheKey) {
  const fakes::SoftHsmToken place;
  const json vectors = Vectors();
  std::vector<hsm::KeyRef> keys;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    hsm::KeyRef key;
    key.locator.bytes.fill(static_cast<std::uint8_t>(i + 1));
    key.algorithm = static_cast<hsm::Algorithm>(HeaderOf(vectors[i]).algorithm);
    PutKey(place, key, Field(vectors[i], "aes_key"));
    keys.push_back(key);
  }
  const base::FakeClock clock{base::WallTime{}};
  ASSERT_OK_AND_ASSIGN(const auto token,
                       hsm::token::Token::Open(place.Config(), clock));
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const json& vector = vectors[i];
    SCOPED_TRACE(vector.at("name"));
    ASSERT_OK_AND_ASSIGN(const Ciphertext parsed,
                         ParseCiphertext(Field(vector, "blob")));
    const hsm::DecryptRequest request = {
        .key = keys[i], .aad = AadOf(vector), .sealed = parsed.sealed};
    ASSERT_OK_AND_ASSIGN(const auto opened, token->Execute(request));
    EXPECT_EQ(base::HexEncode(opened.plaintext.Reveal()),
              vector.at("plaintext"));
    const hsm::CheckKeyRequest check = {keys[i]};
    ASSERT_OK_AND_ASSIGN(const auto checked, token->Execute(check));
    EXPECT_EQ(base::HexEncode(checked.check_value), vector.at("check_value"));
  }
}

}  // namespace
}  // namespace kms
