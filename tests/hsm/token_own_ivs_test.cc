// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/probe_token.h"
#include "tests/fakes/fake_token.h"
#include "tests/fakes/own_ivs_token.h"
#include "tests/hsm/token_fixture.h"

// Tokens that make the IVs of AES-GCM themselves, over SoftHSM's keys: what
// they make must open on SoftHSM itself.
namespace hsm::token {
namespace {

using fakes::OwnIvsToken;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

constexpr std::string_view kTried = "AES-256-GCM, known answer";
constexpr Algorithm kAlgorithms[] = {Algorithm::kXaes256Gcm,
                                     Algorithm::kAes256GcmCounter};

SealExternalRequest ToSeal(const KeyRef& key) {
  return {.key = key,
          .version = 1,
          .aad = {1, 2},
          .plaintext = base::Secret::CopyOf("secret"),
          .want_integrity = true};
}

class OwnIvsTest : public testing::TestWithParam<const char*> {
 protected:
  explicit OwnIvsTest(const char* mode) : place_(mode) {}
  OwnIvsTest() : OwnIvsTest("in place") {}

  void SetUp() override { Open(place_.Config()); }

  void Open(TokenConfig config) {
    token_.reset();
    auto token = Token::Open(std::move(config), clock_);
    ASSERT_OK(token);
    token_ = *std::move(token);
  }

  KeyRef Made(Algorithm algorithm) {
    KeyRef key = NewKey(algorithm);
    const auto made = token_->Execute(GenerateKeyRequest{key});
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return key;
  }

  Sealed Encrypted(const KeyRef& key, std::string_view text) {
    auto sealed = token_->Execute(ToEncrypt(key, text));
    EXPECT_TRUE(sealed.has_value()) << sealed.error().message;
    return sealed.value_or(Sealed());
  }

  void ExpectOpens(const KeyRef& key, const Sealed& sealed,
                   std::string_view text) {
    const auto opened = token_->Execute(ToDecrypt(key, sealed));
    ASSERT_OK(opened);
    EXPECT_EQ(opened->plaintext.RevealText(), text);
  }

  // That nothing leaves the worker, whatever asks for it.
  void ExpectNoCiphertext(const KeyRef& key) {
    const auto is_refused =
        AnyOf(base::ErrorCode::kCorrupt, base::ErrorCode::kHsmUnavailable);
    const auto sealed = token_->Execute(ToEncrypt(key, "secret"));
    ASSERT_FALSE(sealed.has_value());
    EXPECT_THAT(sealed.error().code, is_refused) << sealed.error().message;
    const auto external = token_->Execute(ToSeal(key));
    ASSERT_FALSE(external.has_value());
    EXPECT_THAT(external.error().code, is_refused);
    const auto data_key = token_->Execute(GenerateDataKeyRequest{
        .key = key, .counter = 1, .aad = SomeAad(), .size = 32});
    ASSERT_FALSE(data_key.has_value());
    EXPECT_THAT(data_key.error().code, is_refused);
  }

  OwnIvsToken place_;
  base::FakeClock clock_{base::WallTime{}};
  std::unique_ptr<Token> token_;
};

// In each way that is served.
class EachOwnIvsTest : public OwnIvsTest {
 protected:
  EachOwnIvsTest() : OwnIvsTest(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(Modes, EachOwnIvsTest,
                         testing::Values("in place", "overwrites",
                                         "appends 12"),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::erase(name, ' ');
                           return name;
                         });

TEST_P(EachOwnIvsTest, EveryMessageHasAnotherIvAndOpensOnSoftHsm) {
  for (const Algorithm algorithm : kAlgorithms) {
    Open(place_.Config());
    const KeyRef key = Made(algorithm);
    std::vector<std::pair<Sealed, std::string>> all;
    for (const std::size_t size : {0, 1, 32, 4096, 4096}) {
      std::string text(size, 'x');
      all.emplace_back(Encrypted(key, text), text);
      EXPECT_EQ(all.back().first.ciphertext.size(), size + kTagSize);
    }
    EXPECT_NE(all[3].first.nonce, all[4].first.nonce);
    EXPECT_NE(all[3].first.ciphertext, all[4].first.ciphertext);
    for (const auto& [sealed, text] : all) {
      ExpectOpens(key, sealed, text);
    }
    Open(place_.SoftHsm());
    for (const auto& [sealed, text] : all) {
      ExpectOpens(key, sealed, text);
    }
  }
}

TEST_P(EachOwnIvsTest, OpensWhatSoftHsmMade) {
  for (const Algorithm algorithm : kAlgorithms) {
    Open(place_.Config());
    const KeyRef key = Made(algorithm);
    Open(place_.SoftHsm());
    const Sealed sealed = Encrypted(key, "secret");
    Open(place_.Config());
    ExpectOpens(key, sealed, "secret");
  }
}

TEST_P(EachOwnIvsTest, EveryByteIsProved) {
  for (const Algorithm algorithm : kAlgorithms) {
    const KeyRef key = Made(algorithm);
    const Sealed sealed = Encrypted(key, "secret");
    for (std::size_t i = 0; i < sealed.nonce.size(); ++i) {
      Sealed forged = sealed;
      forged.nonce[i] ^= 1;
      EXPECT_ERROR(token_->Execute(ToDecrypt(key, forged)), kInvalidCiphertext);
    }
    for (std::size_t i = 0; i < sealed.ciphertext.size(); ++i) {
      Sealed forged = sealed;
      forged.ciphertext[i] ^= 1;
      EXPECT_ERROR(token_->Execute(ToDecrypt(key, forged)), kInvalidCiphertext);
      forged = sealed;
      forged.ciphertext.resize(i);
      EXPECT_ERROR(token_->Execute(ToDecrypt(key, forged)), kInvalidCiphertext);
    }
  }
}

TEST_P(EachOwnIvsTest, KeysHaveTheSameIdAsOnSoftHsm) {
  for (const Algorithm algorithm : kAlgorithms) {
    Open(place_.Config());
    const KeyRef key = Made(algorithm);
    const auto here = token_->Execute(CheckKeyRequest{key});
    ASSERT_OK(here);
    Open(place_.SoftHsm());
    const auto there = token_->Execute(CheckKeyRequest{key});
    ASSERT_OK(there);
    EXPECT_EQ(here->check_value, there->check_value);
  }
}

TEST_P(EachOwnIvsTest, ExternalCiphertextsOpenOnSoftHsm) {
  for (const Algorithm algorithm : kAlgorithms) {
    Open(place_.Config());
    const KeyRef key = Made(algorithm);
    const auto one = token_->Execute(ToSeal(key));
    const auto other = token_->Execute(ToSeal(key));
    ASSERT_OK(one);
    ASSERT_OK(other);
    EXPECT_EQ(one->sealed.iv.size(), 12U);
    EXPECT_NE(one->sealed.iv, other->sealed.iv);
    Open(place_.SoftHsm());
    for (const auto& reply : {one, other}) {
      const auto opened = token_->Execute(OpenExternalRequest{
          .key = key, .aad = {1, 2}, .sealed = reply->sealed});
      ASSERT_OK(opened);
      EXPECT_EQ(opened->plaintext.RevealText(), "secret");
    }
  }
}

// The counter is the store's count of messages, and no IV.
TEST_P(EachOwnIvsTest, CountedKeysHaveRandomIvsAndNeedTheCounterAllTheSame) {
  const KeyRef key = Made(Algorithm::kAes256GcmCounter);
  const Sealed one = Encrypted(key, "secret");
  const Sealed other = Encrypted(key, "secret");
  EXPECT_NE(one.nonce, other.nonce);
  for (const Nonce& nonce : {one.nonce, other.nonce}) {
    EXPECT_TRUE(std::all_of(nonce.begin(), nonce.begin() + 12,
                            [](std::uint8_t byte) { return byte == 0; }));
  }
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret", 0)), kInvalidArgument);
}

TEST_P(EachOwnIvsTest, LivesAndGivesDataKeys) {
  ASSERT_OK(token_->Execute(HealthRequest{}));
  for (const Algorithm algorithm : kAlgorithms) {
    const KeyRef key = Made(algorithm);
    const auto made = token_->Execute(GenerateDataKeyRequest{
        .key = key, .counter = 1, .aad = SomeAad(), .size = 32});
    ASSERT_OK(made);
    ExpectOpens(key, made->sealed, made->plaintext.RevealText());
  }
  ASSERT_OK(token_->Execute(HealthRequest{}));
}

TEST_P(EachOwnIvsTest, WithoutDerivationItsKeysAreCounted) {
  OwnIvsToken::ForgetDerivation();
  Open(place_.Config());
  const auto found = token_->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_EQ(found->algorithm, Algorithm::kAes256GcmCounter);
  EXPECT_THAT(found->notes, ElementsAre(HasSubstr("IVs of the token")));
  const KeyRef key = Made(Algorithm::kAes256GcmCounter);
  ExpectOpens(key, Encrypted(key, "secret"), "secret");
}

TEST_P(EachOwnIvsTest, WrappedKeysEncryptToo) {
  const KeyRef wrapping = Made(Algorithm::kAesWrap);
  for (const Algorithm algorithm : kAlgorithms) {
    Open(place_.Config());
    KeyRef key = NewKey(algorithm);
    const auto made =
        token_->Execute(GenerateWrappedKeyRequest{key, wrapping.locator});
    ASSERT_OK(made);
    key = AsWrapped(key, wrapping.locator, *made);
    const Sealed sealed = Encrypted(key, "secret");
    ExpectOpens(key, sealed, "secret");
    Open(place_.SoftHsm());
    ExpectOpens(key, sealed, "secret");
  }
}

TEST_F(OwnIvsTest, ProbeTellsWhoMakesTheIv) {
  token_.reset();
  const std::pair<const char*, const char*> outcomes[] = {
      {"caller", "right; the caller makes the IV"},
      {"in place",
       "right; the token makes the IV, and writes it over the "
       "caller's"},
      {"overwrites",
       "right; the token makes the IV, and writes it over the "
       "caller's"},
      {"appends 12",
       "right; the token makes the IV, and appends it to the "
       "ciphertext"},
  };
  for (const auto& [mode, outcome] : outcomes) {
    OwnIvsToken::Become(mode);
    const auto report = ProbeToken(place_.Config());
    ASSERT_OK(report);
    EXPECT_EQ(report->refusal, "");
    EXPECT_THAT(report->findings,
                Contains(testing::AllOf(Field(&Finding::tried, kTried),
                                        Field(&Finding::outcome, outcome))));
  }
}

TEST_F(OwnIvsTest, ProbeRefusesWhatCannotBeServed) {
  token_.reset();
  const std::pair<const char*, const char*> reasons[] = {
      {"appends 16", "an IV of 16 bytes"},
      {"keeps quiet", "CKR_MECHANISM_PARAM_INVALID"},
      {"repeats", "the same IV twice"},
  };
  for (const auto& [mode, reason] : reasons) {
    OwnIvsToken::Become(mode);
    const auto report = ProbeToken(place_.Config());
    ASSERT_OK(report);
    EXPECT_THAT(report->refusal, HasSubstr(kTried));
    EXPECT_THAT(report->refusal, HasSubstr(reason));
    EXPECT_ERROR(Token::Open(place_.Config(), clock_), kUnsupportedOperation);
  }
  OwnIvsToken::Become("appends 16");
  const auto luna = ProbeToken(place_.Config());
  ASSERT_OK(luna);
  EXPECT_THAT(luna->refusal, HasSubstr("HSM policy 12"));
}

// After the probe.
TEST_F(OwnIvsTest, NoCiphertextLeavesWithAnIvOfZeros) {
  for (const Algorithm algorithm : kAlgorithms) {
    OwnIvsToken::Become("in place");
    const KeyRef key = Made(algorithm);
    OwnIvsToken::Become("keeps quiet");
    ExpectNoCiphertext(key);
    EXPECT_ERROR(token_->Execute(HealthRequest{}), kHsmUnavailable);
  }
}

TEST_F(OwnIvsTest, NoKeyHasAnIvTwice) {
  for (const Algorithm algorithm : kAlgorithms) {
    OwnIvsToken::Become("in place");
    Open(place_.Config());
    const KeyRef key = Made(algorithm);
    OwnIvsToken::Become("repeats");
    const Sealed once = Encrypted(key, "secret");
    // The canary's only IV.
    ASSERT_OK(token_->Execute(HealthRequest{}));
    ExpectNoCiphertext(key);
    EXPECT_ERROR(token_->Execute(HealthRequest{}), kHsmUnavailable);
    ExpectOpens(key, once, "secret");
  }
}

TEST_F(OwnIvsTest, TokenThatChangesItsWaysGivesNoCiphertext) {
  const std::pair<const char*, const char*> changes[] = {
      {"caller", "overwrites"},     {"caller", "in place"},
      {"caller", "appends 12"},     {"in place", "caller"},
      {"in place", "appends 12"},   {"in place", "appends 16"},
      {"appends 12", "in place"},   {"appends 12", "appends 16"},
      {"appends 12", "keeps quiet"}};
  for (const auto& [before, after] : changes) {
    for (const Algorithm algorithm : kAlgorithms) {
      OwnIvsToken::Become(before);
      Open(place_.Config());
      const KeyRef key = Made(algorithm);
      OwnIvsToken::Become(after);
      SCOPED_TRACE(std::string(before) + ", then " + after);
      ExpectNoCiphertext(key);
    }
  }
}

// CKM_AES_ECB makes the check value of a key that takes no IV.
TEST_F(OwnIvsTest, OnlyCountedKeysMayDoMoreThanElsewhere) {
  const std::pair<Algorithm, std::vector<CK_MECHANISM_TYPE>> expected[] = {
      {Algorithm::kXaes256Gcm, {CKM_AES_ECB_ENCRYPT_DATA}},
      {Algorithm::kAes256GcmCounter, {CKM_AES_GCM, CKM_AES_ECB}}};
  std::vector<KeyRef> keys;
  for (const auto& [algorithm, mechanisms] : expected) {
    keys.push_back(Made(algorithm));
  }
  token_.reset();
  const auto connection = Connection::Open(place_.SoftHsm());
  ASSERT_OK(connection);
  Session& session = (*connection)->sessions().anchor();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = session.FindObjects(ObjectsWithId(keys[i].locator));
    ASSERT_EQ(found.value.size(), 1U);
    const auto read =
        session.ReadAttribute(found.value[0], CKA_ALLOWED_MECHANISMS).value;
    std::vector<CK_MECHANISM_TYPE> allowed(read.size() /
                                           sizeof(CK_MECHANISM_TYPE));
    std::memcpy(allowed.data(), read.data(), read.size());
    EXPECT_THAT(allowed,
                testing::UnorderedElementsAreArray(expected[i].second));
  }
}

// The fake token writes its IV in C_EncryptInit, and has no CKM_AES_ECB.
TEST(OwnIvsOfTheFakeTest, WithoutEcbThereAreNoCountedKeys) {
  const fakes::FakeToken place;
  const base::FakeClock clock{base::WallTime{}};
  place.Tell("iv-in-place");
  {
    const auto token = Token::Open(place.Config(), clock);
    ASSERT_OK(token);
    const KeyRef derives = NewKey();
    ASSERT_OK((*token)->Execute(GenerateKeyRequest{derives}));
    const auto sealed = (*token)->Execute(ToEncrypt(derives, "secret"));
    ASSERT_OK(sealed);
    ASSERT_OK((*token)->Execute(ToDecrypt(derives, *sealed)));
    EXPECT_ERROR((*token)->Execute(
                     GenerateKeyRequest{NewKey(Algorithm::kAes256GcmCounter)}),
                 kUnsupportedOperation);
  }
  place.Tell("iv-in-place\nno-derive");
  const auto neither = ProbeToken(place.Config());
  ASSERT_OK(neither);
  EXPECT_THAT(neither->refusal, HasSubstr("CKM_AES_ECB"));
}

}  // namespace
}  // namespace hsm::token
