// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>

#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/token_fixture.h"

// Every request, good and bad, on SoftHSM.
namespace hsm::token {
namespace {

class TokenRequestsTest : public OpenTokenTest<fakes::SoftHsmToken> {};

class TokenAlgorithmTest : public TokenRequestsTest,
                           public testing::WithParamInterface<Algorithm> {};

INSTANTIATE_TEST_SUITE_P(Both, TokenAlgorithmTest,
                         testing::Values(Algorithm::kXaes256Gcm,
                                         Algorithm::kAes256GcmCounter));

TEST_P(TokenAlgorithmTest, DecryptsWhatItEncryptedAlsoInTheNextProcess) {
  const KeyRef key = Made(GetParam());
  for (const std::string& text : {std::string(), std::string("secret"),
                                  std::string(kMaxPlaintext, 'x')}) {
    const Sealed sealed = Encrypted(key, text, 1 + text.size());
    EXPECT_EQ(sealed.ciphertext.size(), text.size() + kTagSize);
    Reopen();
    const auto opened = token_->Execute(ToDecrypt(key, sealed));
    ASSERT_OK(opened);
    EXPECT_EQ(opened->plaintext.RevealText(), text);
  }
}

TEST_P(TokenAlgorithmTest, PlaintextIsLimited) {
  const KeyRef key = Made(GetParam());
  EXPECT_ERROR(
      token_->Execute(ToEncrypt(key, std::string(kMaxPlaintext + 1, 'x'))),
      kInvalidArgument);
}

TEST_P(TokenAlgorithmTest, CheckKeyGivesTheCheckValueOfTheCreation) {
  const KeyRef key = NewKey(GetParam());
  const auto made = token_->Execute(GenerateKeyRequest{key});
  ASSERT_OK(made);
  Reopen();
  const auto checked = token_->Execute(CheckKeyRequest{key});
  ASSERT_OK(checked);
  EXPECT_EQ(checked->check_value, made->check_value);
  const auto other = token_->Execute(GenerateKeyRequest{NewKey(GetParam())});
  ASSERT_OK(other);
  EXPECT_NE(other->check_value, made->check_value);
}

TEST_P(TokenAlgorithmTest, DestroyedKeyIsNotFound) {
  const KeyRef key = Made(GetParam());
  const Sealed sealed = Encrypted(key, "secret");
  ASSERT_OK(token_->Execute(DestroyKeyRequest{key.locator}));
  EXPECT_ERROR(token_->Execute(ToDecrypt(key, sealed)), kNotFound);
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")), kNotFound);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kNotFound);
  EXPECT_ERROR(token_->Execute(DestroyKeyRequest{key.locator}), kNotFound);
  Reopen();
  EXPECT_ERROR(token_->Execute(ToDecrypt(key, sealed)), kNotFound);
}

TEST_P(TokenAlgorithmTest, EveryFlippedBitIsInvalidCiphertext) {
  const KeyRef key = Made(GetParam());
  const Sealed sealed = Encrypted(key, "secret");
  for (std::size_t i = 0; i < 8 * sealed.ciphertext.size(); ++i) {
    Sealed forged = sealed;
    forged.ciphertext[i / 8] ^= static_cast<std::uint8_t>(1 << i % 8);
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, forged)), kInvalidCiphertext);
  }
  for (std::size_t i = 0; i < sealed.nonce.size(); ++i) {
    Sealed forged = sealed;
    forged.nonce[i] ^= 1;
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, forged)), kInvalidCiphertext);
  }
  for (std::size_t i = 0; i < Aad().size(); ++i) {
    DecryptRequest request = ToDecrypt(key, sealed);
    request.aad[i] ^= 1;
    EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
  }
  ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
}

TEST_P(TokenAlgorithmTest, EveryWrongLengthIsInvalidCiphertext) {
  const KeyRef key = Made(GetParam());
  const Sealed sealed = Encrypted(key, "secret");
  for (std::size_t size = 0; size < sealed.ciphertext.size(); ++size) {
    Sealed cut = sealed;
    cut.ciphertext.resize(size);
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, cut)), kInvalidCiphertext);
  }
  for (const std::size_t size :
       {sealed.ciphertext.size() + 1, kMaxPlaintext + kTagSize + 1}) {
    Sealed longer = sealed;
    longer.ciphertext.resize(size);
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, longer)), kInvalidCiphertext);
  }
}

TEST_P(TokenAlgorithmTest, AnotherKeysCiphertextIsInvalid) {
  const KeyRef key = Made(GetParam());
  const KeyRef other = Made(GetParam());
  EXPECT_ERROR(token_->Execute(ToDecrypt(other, Encrypted(key, "secret"))),
               kInvalidCiphertext);
}

// A key made for one algorithm must not serve the other: derive-only keys
// cannot encrypt, and the others cannot derive.
TEST_P(TokenAlgorithmTest, KeyServesItsOwnAlgorithmOnly) {
  KeyRef key = Made(GetParam());
  key.algorithm = GetParam() == Algorithm::kXaes256Gcm
                      ? Algorithm::kAes256GcmCounter
                      : Algorithm::kXaes256Gcm;
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")), kCorrupt);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kCorrupt);
}

TEST_P(TokenAlgorithmTest, TakenLocatorIsRefusedAndTheKeyStays) {
  const KeyRef key = Made(GetParam());
  const Sealed sealed = Encrypted(key, "secret");
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{key}), kAlreadyExists);
  ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
  const auto listed = token_->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  EXPECT_EQ(listed->keys.size(), 1U);
}

TEST_F(TokenRequestsTest, CounterMakesTheNonceAndMayNotBeZero) {
  const KeyRef key = Made(Algorithm::kAes256GcmCounter);
  const Sealed sealed = Encrypted(key, "secret", 0x0102030405060708);
  Nonce expected{};
  for (std::uint8_t i = 1; i <= 8; ++i) {
    expected[15 + i] = i;
  }
  EXPECT_EQ(sealed.nonce, expected);
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret", 0)), kInvalidArgument);
  EXPECT_ERROR(token_->Execute(ToDecrypt(
                   key, Sealed{.nonce = {}, .ciphertext = sealed.ciphertext})),
               kInvalidCiphertext);
}

TEST_F(TokenRequestsTest, UnknownAlgorithmIsRefused) {
  const KeyRef key = NewKey(static_cast<Algorithm>(3));
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{key}), kInvalidArgument);
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")), kInvalidArgument);
}

TEST_F(TokenRequestsTest, DataKeyDecryptsToItsPlaintext) {
  const KeyRef key = Made();
  GenerateDataKeyRequest request{.key = key, .aad = SomeAad(), .size = 32};
  const auto made = token_->Execute(request);
  ASSERT_OK(made);
  EXPECT_EQ(made->plaintext.size(), 32U);
  const auto opened = token_->Execute(ToDecrypt(key, made->sealed));
  ASSERT_OK(opened);
  EXPECT_TRUE(base::ConstantTimeEqual(opened->plaintext.Reveal(),
                                      made->plaintext.Reveal()));
  request.want_plaintext = false;
  request.size = 1024;
  const auto without = token_->Execute(request);
  ASSERT_OK(without);
  EXPECT_TRUE(without->plaintext.empty());
  EXPECT_EQ(without->sealed.ciphertext.size(), 1024 + kTagSize);
}

TEST_F(TokenRequestsTest, RandomSizesAreLimited) {
  const KeyRef key = Made();
  for (const std::uint16_t size : std::array<std::uint16_t, 2>{0, 1025}) {
    EXPECT_ERROR(token_->Execute(RandomRequest{size}), kInvalidArgument);
    EXPECT_ERROR(token_->Execute(GenerateDataKeyRequest{
                     .key = key, .aad = SomeAad(), .size = size}),
                 kInvalidArgument);
  }
  const auto one = token_->Execute(RandomRequest{1024});
  const auto two = token_->Execute(RandomRequest{1024});
  ASSERT_OK(one);
  ASSERT_OK(two);
  EXPECT_EQ(one->plaintext.size(), 1024U);
  EXPECT_FALSE(base::ConstantTimeEqual(one->plaintext.Reveal(),
                                       two->plaintext.Reveal()));
}

TEST_F(TokenRequestsTest, ReEncryptMovesThePlaintextToAnotherKeyAndContext) {
  const KeyRef from = Made(Algorithm::kAes256GcmCounter);
  const KeyRef to = Made();
  ReEncryptRequest request{.from = from,
                           .from_aad = SomeAad(),
                           .sealed = Encrypted(from, "secret"),
                           .to = to,
                           .to_aad = {}};
  const auto moved = token_->Execute(request);
  ASSERT_OK(moved);
  const auto opened =
      token_->Execute(DecryptRequest{.key = to, .aad = {}, .sealed = *moved});
  ASSERT_OK(opened);
  EXPECT_EQ(opened->plaintext.RevealText(), "secret");
  request.from_aad = {};
  EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
}

TEST_F(TokenRequestsTest, EvictedKeyIsFoundAgain) {
  const KeyRef key = Made();
  const Sealed sealed = Encrypted(key, "secret");
  ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
  ASSERT_OK(token_->Execute(EvictKeyRequest{NewKey().locator}));
  ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
  EXPECT_NE(Encrypted(key, "secret").nonce, sealed.nonce);
}

TEST_F(TokenRequestsTest, HealthAndCapabilitiesDescribeTheToken) {
  ASSERT_OK(token_->Execute(HealthRequest{}));
  const auto found = token_->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_EQ(found->token_label, fakes::SoftHsmToken::kLabel);
  EXPECT_EQ(found->manufacturer, "SoftHSM project");
  EXPECT_EQ(found->token_serial.size(), 16U);
  EXPECT_EQ(found->algorithm, Algorithm::kXaes256Gcm);
  EXPECT_THAT(found->notes, testing::IsEmpty());
}

// SoftHSM does not see its objects again when their files are back: only
// another process does.
TEST_F(TokenRequestsTest, ATokenWhoseFilesWereAwayIsUnavailable) {
  const KeyRef used = Made();
  const KeyRef unused = Made();
  Reopen();
  Encrypted(used, "secret");
  const std::string tokens = place_.TokensDirectory();
  const auto expect_unavailable = [&] {
    EXPECT_ERROR(token_->Execute(CheckKeyRequest{unused}), kHsmUnavailable);
    EXPECT_ERROR(token_->Execute(ToEncrypt(unused, "secret")), kHsmUnavailable);
    EXPECT_ERROR(token_->Execute(GenerateKeyRequest{NewKey()}),
                 kHsmUnavailable);
    EXPECT_ERROR(token_->Execute(DestroyKeyRequest{unused.locator}),
                 kHsmUnavailable);
  };
  std::filesystem::rename(tokens, tokens + ".away");
  expect_unavailable();
  std::filesystem::rename(tokens + ".away", tokens);
  expect_unavailable();
  Reopen();
  Encrypted(unused, "secret");
  Encrypted(Made(), "secret");
}

// Nothing but the new key is missed.
TEST_F(TokenRequestsTest, CreationFindsThatTheFilesOfAnEmptyTokenWereAway) {
  const std::string tokens = place_.TokensDirectory();
  std::filesystem::rename(tokens, tokens + ".away");
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{NewKey()}), kHsmUnavailable);
  std::filesystem::rename(tokens + ".away", tokens);
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{NewKey()}), kHsmUnavailable);
  Reopen();
  Encrypted(Made(), "secret");
}

// Opens the place's token beside our Token classes, to see what they made.
class TokenObjectsTest : public testing::Test {
 protected:
  fakes::SoftHsmToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

TEST_F(TokenObjectsTest, KeysHaveTheFewestPowers) {
  const KeyRef xaes = NewKey(Algorithm::kXaes256Gcm);
  const KeyRef counted = NewKey(Algorithm::kAes256GcmCounter);
  {
    const auto token = Token::Open(place_.Config(), clock_);
    ASSERT_OK(token);
    ASSERT_OK((*token)->Execute(GenerateKeyRequest{xaes}));
    ASSERT_OK((*token)->Execute(GenerateKeyRequest{counted}));
  }
  const auto connection = Connection::Open(place_.Config());
  ASSERT_OK(connection);
  Session& session = (*connection)->sessions().anchor();
  for (const KeyRef& key : {xaes, counted}) {
    const auto found = session.FindObjects(ObjectsWithId(key.locator));
    ASSERT_EQ(found.value.size(), 1U);
    const bool derives = key.algorithm == Algorithm::kXaes256Gcm;
    const std::map<CK_ATTRIBUTE_TYPE, bool> expected = {
        {CKA_TOKEN, true},       {CKA_PRIVATE, true},
        {CKA_SENSITIVE, true},   {CKA_EXTRACTABLE, false},
        {CKA_MODIFIABLE, false}, {CKA_COPYABLE, false},
        {CKA_ENCRYPT, !derives}, {CKA_DECRYPT, !derives},
        {CKA_DERIVE, derives},   {CKA_WRAP, false},
        {CKA_UNWRAP, false},     {CKA_SIGN, false},
        {CKA_VERIFY, false},     {CKA_ALWAYS_SENSITIVE, true},
        {CKA_LOCAL, true},       {CKA_NEVER_EXTRACTABLE, true}};
    for (const auto& [type, value] : expected) {
      EXPECT_EQ(session.ReadAttribute(found.value[0], type).value,
                base::Bytes{value})
          << std::hex << type;
    }
    const CK_MECHANISM_TYPE allowed =
        derives ? CKM_AES_ECB_ENCRYPT_DATA : CKM_AES_GCM;
    const auto mechanisms =
        session.ReadAttribute(found.value[0], CKA_ALLOWED_MECHANISMS).value;
    ASSERT_EQ(mechanisms.size(), sizeof(allowed));
    EXPECT_EQ(std::memcmp(mechanisms.data(), &allowed, sizeof(allowed)), 0);
    EXPECT_EQ(session.ReadAttribute(found.value[0], CKA_LABEL).value,
              base::Bytes({'c', 'l', 'a', 'v', 'i', 'g', 'e', 'r'}));
    EXPECT_EQ(session.ReadSecret(found.value[0]).rv, CKR_ATTRIBUTE_SENSITIVE);
  }
}

TEST_F(TokenObjectsTest, ListShowsForeignKeysAndNoSessionObjects) {
  const KeyRef key = NewKey();
  {
    const auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    Template foreign = KeyTemplate(key, AttributeSupport{});
    const base::Bytes id = {1, 2};
    foreign.Set(CKA_ID, id).Set(CKA_LABEL, base::AsBytes("theirs"));
    ASSERT_OK((*connection)
                  ->sessions()
                  .anchor()
                  .GenerateKey(CKM_AES_KEY_GEN, foreign)
                  .Take());
  }
  const auto token = Token::Open(place_.Config(), clock_);
  ASSERT_OK(token);
  ASSERT_OK((*token)->Execute(GenerateKeyRequest{key}));
  ASSERT_OK((*token)->Execute(ToEncrypt(key, "secret")));
  auto listed = (*token)->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  std::ranges::sort(listed->keys, {}, &ListedKey::label);
  ASSERT_EQ(listed->keys.size(), 2U);
  EXPECT_EQ(listed->keys[0].label, "claviger");
  EXPECT_TRUE(std::ranges::equal(listed->keys[0].id, key.locator.bytes));
  EXPECT_EQ(listed->keys[1].label, "theirs");
  EXPECT_EQ(listed->keys[1].id, base::Bytes({1, 2}));
  EXPECT_TRUE(listed->keys[1].readable);
}

}  // namespace
}  // namespace hsm::token
