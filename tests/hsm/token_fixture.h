// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_TOKEN_FIXTURE_H_
#define TESTS_HSM_TOKEN_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "hsm/token/token.h"

// What the tests of hsm/token have in common.
namespace hsm::token {

inline KeyRef NewKey(Algorithm algorithm = Algorithm::kXaes256Gcm) {
  KeyRef key{.locator = {}, .algorithm = algorithm};
  base::RandomBytes(key.locator.bytes);
  return key;
}

inline Aad SomeAad() {
  Aad aad;
  aad.fill(7);
  return aad;
}

inline EncryptRequest ToEncrypt(const KeyRef& key, std::string_view text,
                                Counter counter = 1) {
  return {.key = key,
          .counter = counter,
          .aad = SomeAad(),
          .plaintext = base::Secret::CopyOf(text)};
}

// `key` as its row has it, once it was `made` under a wrapping key.
inline KeyRef AsWrapped(KeyRef key, const Locator& wrapping_key,
                        const GenerateWrappedKeyReply& made) {
  key.wrapped = std::make_shared<const WrappedKey>(
      WrappedKey{.wrapping_key = wrapping_key,
                 .bytes = made.wrapped,
                 .check_value = made.check_value,
                 .public_key = made.public_key});
  return key;
}

inline DecryptRequest ToDecrypt(const KeyRef& key, Sealed sealed) {
  return {.key = key, .aad = SomeAad(), .sealed = std::move(sealed)};
}

// Expects `result`, a Result, to have failed with `code`.
#define EXPECT_ERROR(result, expected)                         \
  do {                                                         \
    const auto& result_ = (result);                            \
    ASSERT_FALSE(result_.has_value());                         \
    EXPECT_EQ(result_.error().code, base::ErrorCode::expected) \
        << result_.error().message;                            \
  } while (false)

#define ASSERT_OK(result)                                        \
  do {                                                           \
    const auto& result_ = (result);                              \
    ASSERT_TRUE(result_.has_value()) << result_.error().message; \
  } while (false)

// A token of `Place` (fakes::SoftHsmToken, fakes::FakeToken), open.
template <typename Place>
class OpenTokenTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    token_.reset();
    auto token = Token::Open(place_.Config(), clock_);
    ASSERT_OK(token);
    token_ = *std::move(token);
  }

  // A key that works.
  KeyRef Made(Algorithm algorithm = Algorithm::kXaes256Gcm) {
    KeyRef key = NewKey(algorithm);
    const auto made = token_->Execute(GenerateKeyRequest{key});
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return key;
  }

  Sealed Encrypted(const KeyRef& key, std::string_view text,
                   Counter counter = 1) {
    auto sealed = token_->Execute(ToEncrypt(key, text, counter));
    EXPECT_TRUE(sealed.has_value()) << sealed.error().message;
    return sealed.value_or(Sealed());
  }

  Place place_;
  base::FakeClock clock_{base::WallTime{}};
  std::unique_ptr<Token> token_;
};

}  // namespace hsm::token

#endif  // TESTS_HSM_TOKEN_FIXTURE_H_
