// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/token.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "tests/fakes/softhsm_token.h"

// The requests, on SoftHSM.
namespace hsm::token {
namespace {

using base::ErrorCode;

KeyRef NewKey(Algorithm algorithm = Algorithm::kXaes256Gcm) {
  KeyRef key{.locator = {}, .algorithm = algorithm};
  base::RandomBytes(key.locator.bytes);
  return key;
}

EncryptRequest Plain(const KeyRef& key, std::string_view text,
                     Counter counter = 0) {
  EncryptRequest request;
  request.key = key;
  request.counter = counter;
  request.aad.fill(7);
  request.plaintext = base::Secret::CopyOf(text);
  return request;
}

DecryptRequest Open(const KeyRef& key, Sealed sealed) {
  DecryptRequest request;
  request.key = key;
  request.aad.fill(7);
  request.sealed = std::move(sealed);
  return request;
}

class TokenTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    token_.reset();
    auto token = Token::Open(softhsm_.Config(), clock_);
    ASSERT_TRUE(token.has_value()) << token.error().message;
    token_ = *std::move(token);
  }

  KeyRef Made(Algorithm algorithm = Algorithm::kXaes256Gcm) {
    const KeyRef key = NewKey(algorithm);
    const auto made = token_->Execute(GenerateKeyRequest{key});
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return key;
  }

  fakes::SoftHsmToken softhsm_;
  base::FakeClock clock_{base::WallTime{}};
  std::unique_ptr<Token> token_;
};

class TokenAlgorithmTest : public TokenTest,
                           public testing::WithParamInterface<Algorithm> {};

INSTANTIATE_TEST_SUITE_P(Both, TokenAlgorithmTest,
                         testing::Values(Algorithm::kXaes256Gcm,
                                         Algorithm::kAes256GcmCounter));

TEST_P(TokenAlgorithmTest, DecryptsWhatItEncryptedAlsoInTheNextProcess) {
  const KeyRef key = Made(GetParam());
  for (const std::string& text : {std::string(), std::string("secret"),
                                  std::string(kMaxPlaintext, 'x')}) {
    const auto sealed = token_->Execute(Plain(key, text, 1 + text.size()));
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
    EXPECT_EQ(sealed->ciphertext.size(), text.size() + kTagSize);
    Reopen();
    const auto opened = token_->Execute(Open(key, *sealed));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(opened->plaintext.RevealText(), text);
  }
}

TEST_P(TokenAlgorithmTest, CheckKeyGivesTheCheckValueOfTheCreation) {
  const KeyRef key = NewKey(GetParam());
  const auto made = token_->Execute(GenerateKeyRequest{key});
  ASSERT_TRUE(made.has_value()) << made.error().message;
  Reopen();
  const auto checked = token_->Execute(CheckKeyRequest{key});
  ASSERT_TRUE(checked.has_value()) << checked.error().message;
  EXPECT_EQ(checked->check_value, made->check_value);
  EXPECT_NE(checked->check_value, CheckValue{});
}

TEST_P(TokenAlgorithmTest, DestroyedKeyIsNotFound) {
  const KeyRef key = Made(GetParam());
  const auto sealed = token_->Execute(Plain(key, "secret", 1));
  ASSERT_TRUE(sealed.has_value());
  const auto destroyed = token_->Execute(DestroyKeyRequest{key.locator});
  ASSERT_TRUE(destroyed.has_value()) << destroyed.error().message;
  const auto opened = token_->Execute(Open(key, *sealed));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  const auto again = token_->Execute(DestroyKeyRequest{key.locator});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace hsm::token
