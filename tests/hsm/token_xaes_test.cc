// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/gcm.h"
#include "hsm/token/xaes.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/token_fixture.h"

// XAES-256-GCM through SoftHSM, against the published vectors and against
// OpenSSL's CMAC.
namespace hsm::token {
namespace {

using Vector = std::map<std::string, base::Bytes>;

std::vector<Vector> ReadVectors() {
  std::ifstream file(CLAVIGER_VECTORS "/xaes/xaes_256_gcm.txt");
  std::vector<Vector> vectors;
  Vector vector;
  for (std::string line; std::getline(file, line);) {
    const auto equals = line.find(" =");
    if (line.starts_with('#') || equals == std::string::npos) {
      continue;
    }
    const std::string value = line.substr(std::min(line.size(), equals + 3));
    vector[line.substr(0, equals)] = base::HexDecode(value).value();
    if (vector.contains("ciphertext")) {
      vectors.push_back(std::move(vector));
      vector = {};
    }
  }
  return vectors;
}

class XaesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    connection_ = *std::move(connection);
    xaes_.emplace(sessions(), clock_, AttributeSupport{});
  }

  Sessions& sessions() { return connection_->sessions(); }

  // A session key with the product's attributes and a known value.
  ObjectHandle Import(base::ByteView value) {
    Template attributes = KeyTemplate(NewKey(), AttributeSupport{});
    attributes.Remove(CKA_VALUE_LEN)
        .Set(CKA_TOKEN, false)
        .Set(CKA_VALUE, value);
    auto made = sessions().anchor().CreateObject(attributes).Take();
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return made.value_or(ObjectHandle{0});
  }

  fakes::SoftHsmToken place_;
  base::FakeClock clock_{base::WallTime{}};
  std::unique_ptr<Connection> connection_;
  std::optional<Xaes> xaes_;
};

TEST_F(XaesTest, OpensThePublishedVectors) {
  const auto vectors = ReadVectors();
  ASSERT_EQ(vectors.size(), 2U);
  for (const Vector& vector : vectors) {
    const ObjectHandle key = Import(vector.at("key"));
    const auto k1 = DeriveK1(sessions(), key);
    ASSERT_OK(k1);
    Nonce nonce;
    std::ranges::copy(vector.at("nonce"), nonce.begin());
    const Template attributes = MessageKeyTemplate(AttributeSupport{});
    const auto message_key =
        DeriveMessageKey(sessions(), key, *k1, PrefixOf(nonce), attributes);
    ASSERT_OK(message_key);
    const auto sealed = SealGcm(sessions(), *message_key, IvOf(nonce),
                                vector.at("aad"), vector.at("plaintext"));
    ASSERT_OK(sealed);
    EXPECT_EQ(base::HexEncode(sealed->ciphertext),
              base::HexEncode(vector.at("ciphertext")));
  }
}

// AES-CMAC (NIST SP 800-38B) of one 16-byte block, by OpenSSL.
base::Bytes Cmac(base::ByteView key, base::ByteView block) {
  base::Bytes mac(16);
  std::size_t size = mac.size();
  EVP_Q_mac(nullptr, "CMAC", nullptr, "AES-256-CBC", nullptr, key.data(),
            key.size(), block.data(), block.size(), mac.data(), mac.size(),
            &size);
  return mac;
}

// The page docs/protocol/ciphertext.md in five lines: SP 800-108 in counter
// mode with CMAC, 'C' for the purpose and P = 0.
TEST_F(XaesTest, CheckValueIsTheCmacDerivationForC) {
  for (int i = 0; i < 16; ++i) {
    base::Bytes value(32);
    base::RandomBytes(value);
    base::Bytes expected;
    for (const std::uint8_t counter : {std::uint8_t{1}, std::uint8_t{2}}) {
      const Block block = {0, counter, 'C'};
      const auto half = Cmac(value, block);
      expected.insert(expected.end(), half.begin(), half.end());
    }
    const auto check_value = xaes_->SelfTest(Import(value));
    ASSERT_OK(check_value);
    EXPECT_TRUE(std::ranges::equal(*check_value, expected));
  }
}

TEST_F(XaesTest, MessagesOpenByOpenSslsDerivation) {
  base::Bytes value(32);
  base::RandomBytes(value);
  const ObjectHandle key = Import(value);
  const auto sealed =
      xaes_->Seal(NewKey().locator, key, SomeAad(), base::AsBytes("secret"));
  ASSERT_OK(sealed);
  base::Bytes message_key;
  for (const std::uint8_t counter : {std::uint8_t{1}, std::uint8_t{2}}) {
    Block block = {0, counter, 'X'};
    std::ranges::copy(PrefixOf(sealed->nonce), block.begin() + 4);
    const auto half = Cmac(value, block);
    message_key.insert(message_key.end(), half.begin(), half.end());
  }
  Template attributes = MessageKeyTemplate(AttributeSupport{});
  attributes.Remove(CKA_VALUE_LEN).Set(CKA_VALUE, message_key);
  const auto imported = sessions().anchor().CreateObject(attributes).Take();
  ASSERT_OK(imported);
  const auto opened = OpenGcm(sessions(), *imported, IvOf(sealed->nonce),
                              SomeAad(), sealed->ciphertext);
  ASSERT_OK(opened);
  EXPECT_EQ(opened->RevealText(), "secret");
}

// NIST SP 800-38B appendix D.3, AES-256: L = E_K(0) and K1.
TEST(XaesDerivationTest, DoublesAsTheStandardSays) {
  const std::map<std::string, std::string> cases = {
      {"e568f68194cf76d6174d4cc04310a854", "cad1ed03299eedac2e9a99808621502f"},
      {"cad1ed03299eedac2e9a99808621502f", "95a3da06533ddb585d3533010c42a0d9"},
      {"00000000000000000000000000000000", "00000000000000000000000000000000"},
      {"80000000000000000000000000000000", "00000000000000000000000000000087"}};
  for (const auto& [before, after] : cases) {
    base::Bytes block = base::HexDecode(before).value();
    Double(std::span(block).first<16>());
    EXPECT_EQ(base::HexEncode(block), after);
  }
}

TEST_F(XaesTest, NoncesAreDistinct) {
  const ObjectHandle key = Import(base::Bytes(32, 1));
  const Locator locator = NewKey().locator;
  std::set<Nonce> nonces;
  std::set<P12> prefixes;
  for (int i = 0; i < 10'000; ++i) {
    const auto sealed = xaes_->Seal(locator, key, SomeAad(), {});
    ASSERT_OK(sealed);
    EXPECT_NE(IvOf(sealed->nonce), Iv{});
    nonces.insert(sealed->nonce);
    prefixes.insert(PrefixOf(sealed->nonce));
  }
  EXPECT_EQ(nonces.size(), 10'000U);
  EXPECT_EQ(prefixes.size(), 1U);
}

TEST_F(XaesTest, PrefixLivesForSixtySecondsAndNoLonger) {
  const ObjectHandle key = Import(base::Bytes(32, 1));
  const Locator locator = NewKey().locator;
  const auto prefix = [&] {
    return PrefixOf(xaes_->Seal(locator, key, SomeAad(), {}).value().nonce);
  };
  const P12 first = prefix();
  clock_.Advance(std::chrono::microseconds(59'999'999));
  EXPECT_EQ(prefix(), first);
  clock_.Advance(std::chrono::microseconds(1));
  const P12 second = prefix();
  EXPECT_NE(second, first);
  clock_.JumpTo(base::WallTime{std::chrono::hours(100'000)});
  EXPECT_EQ(prefix(), second) << "the time of day does not matter";
}

TEST_F(XaesTest, PrefixServesTwoToTheSixteenMessages) {
  const ObjectHandle key = Import(base::Bytes(32, 1));
  const Locator locator = NewKey().locator;
  std::map<P12, std::uint32_t> messages;
  for (std::uint32_t i = 0; i < Xaes::kMessagesPerP + 1; ++i) {
    const auto sealed = xaes_->Seal(locator, key, SomeAad(), {});
    ASSERT_OK(sealed);
    ++messages[PrefixOf(sealed->nonce)];
  }
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(std::max(messages.begin()->second, messages.rbegin()->second),
            Xaes::kMessagesPerP);
}

TEST_F(XaesTest, KeysAndWorkersHavePrefixesOfTheirOwn) {
  const ObjectHandle key = Import(base::Bytes(32, 1));
  const Locator locator = NewKey().locator;
  Xaes next_worker(sessions(), clock_, AttributeSupport{});
  const auto here = xaes_->Seal(locator, key, SomeAad(), {});
  const auto there = next_worker.Seal(locator, key, SomeAad(), {});
  const auto other = xaes_->Seal(NewKey().locator, key, SomeAad(), {});
  EXPECT_NE(PrefixOf(here->nonce), PrefixOf(there->nonce));
  EXPECT_NE(PrefixOf(here->nonce), PrefixOf(other->nonce));
  ASSERT_OK(next_worker.Open(locator, key, SomeAad(), *here));
  ASSERT_OK(xaes_->Open(locator, key, SomeAad(), *there));
  EXPECT_EQ(xaes_->message_keys(), 3U);
}

TEST_F(XaesTest, MessageKeysAreBounded) {
  const ObjectHandle key = Import(base::Bytes(32, 1));
  const Locator locator = NewKey().locator;
  std::optional<Sealed> first;
  for (std::size_t i = 0; i < Xaes::kMaxMessageKeys + 2; ++i) {
    const auto sealed = xaes_->Seal(locator, key, SomeAad(), {});
    ASSERT_OK(sealed);
    first = first ? first : *sealed;
    clock_.Advance(Xaes::kLifeOfP);
  }
  EXPECT_EQ(xaes_->message_keys(), Xaes::kMaxMessageKeys);
  ASSERT_OK(xaes_->Open(locator, key, SomeAad(), *first));
  EXPECT_EQ(xaes_->message_keys(), Xaes::kMaxMessageKeys);
  ASSERT_OK(xaes_->Forget(locator));
  EXPECT_EQ(xaes_->message_keys(), 0U);
}

}  // namespace
}  // namespace hsm::token
