// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "tests/hsm/contract_fixture.h"

// Keys as objects: made, found, listed, forgotten, destroyed.
namespace hsm::token {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ContractKeysTest : public ContractTest {
 protected:
  std::vector<base::Bytes> Listed() {
    const auto listed = token_->Execute(ListKeysRequest{});
    EXPECT_TRUE(listed.has_value());
    std::vector<base::Bytes> ids;
    for (const ListedKey& key : listed.value_or(ListKeysReply()).keys) {
      EXPECT_TRUE(key.readable);
      ids.push_back(key.id);
    }
    return ids;
  }

  static base::Bytes IdOf(const KeyRef& key) {
    return {key.locator.bytes.begin(), key.locator.bytes.end()};
  }

  base::Status Make(const KeyRef& key) {
    if (IsKeyPair(FindAlgorithm(key.algorithm)->kind)) {
      RETURN_IF_ERROR(token_->Execute(GenerateKeyPairRequest{key}));
    } else {
      RETURN_IF_ERROR(token_->Execute(GenerateKeyRequest{key}));
    }
    return {};
  }

  // One of each kind of key.
  static std::vector<Algorithm> Some() {
    return Those({Algorithm::kXaes256Gcm, Algorithm::kAes256GcmCounter,
                  Algorithm::kHmacSha256, Algorithm::kP256Sign,
                  Algorithm::kP256Agree, Algorithm::kRsa2048Decrypt});
  }

  static std::vector<Algorithm> Those(std::vector<Algorithm> of) {
    std::erase_if(of, [](Algorithm each) { return !GetParam().Has(each); });
    return of;
  }
};
CLAVIGER_CONTRACT(ContractKeysTest);

TEST_P(ContractKeysTest, KnowsItself) {
  const auto found = token_->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_EQ(found->algorithm, Algorithm::kXaes256Gcm);
  EXPECT_NE(found->token_label, "");
  EXPECT_NE(found->manufacturer, "");
  EXPECT_NE(found->model, "");
  EXPECT_EQ(std::ranges::any_of(found->notes,
                                [](const std::string& note) {
                                  return note.starts_with("no AES-GCM: ");
                                }),
            !GetParam().Encrypts());
  ASSERT_OK(token_->Execute(HealthRequest{}));
}

TEST_P(ContractKeysTest, NewTokenHasNoKeysAndTheProbeLeavesNone) {
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_P(ContractKeysTest, KeyLivesUntilItIsDestroyed) {
  for (const Algorithm algorithm : Some()) {
    const KeyRef key = NewKey(algorithm);
    ASSERT_OK(Make(key));
    EXPECT_THAT(Listed(), testing::ElementsAre(IdOf(key)));
    const auto checked = token_->Execute(CheckKeyRequest{key});
    ASSERT_OK(checked);
    Reopen();
    const auto again = token_->Execute(CheckKeyRequest{key});
    ASSERT_OK(again);
    EXPECT_EQ(again->check_value, checked->check_value);
    ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
    ASSERT_OK(token_->Execute(CheckKeyRequest{key}));
    ASSERT_OK(token_->Execute(DestroyKeyRequest{key.locator}));
    EXPECT_THAT(Listed(), IsEmpty());
    EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kNotFound);
    EXPECT_ERROR(token_->Execute(DestroyKeyRequest{key.locator}), kNotFound);
    Reopen();
    EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kNotFound);
  }
}

TEST_P(ContractKeysTest, CheckValuesTellSecretsApart) {
  for (const Algorithm algorithm :
       Those({Algorithm::kXaes256Gcm, Algorithm::kAes256GcmCounter,
              Algorithm::kHmacSha512})) {
    const KeyRef key = NewKey(algorithm);
    const auto one = token_->Execute(GenerateKeyRequest{key});
    const auto other = token_->Execute(GenerateKeyRequest{NewKey(algorithm)});
    ASSERT_OK(one);
    ASSERT_OK(other);
    EXPECT_NE(one->check_value, other->check_value);
    const auto checked = token_->Execute(CheckKeyRequest{key});
    ASSERT_OK(checked);
    EXPECT_EQ(checked->check_value, one->check_value);
  }
}

TEST_P(ContractKeysTest, LocatorIsTakenOnce) {
  const KeyRef key = Made(Algorithm::kHmacSha256);
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{key}), kAlreadyExists);
  KeyRef pair = key;
  pair.algorithm = Signing();
  EXPECT_ERROR(token_->Execute(GenerateKeyPairRequest{pair}), kAlreadyExists);
  ASSERT_OK(token_->Execute(CheckKeyRequest{key}));
}

TEST_P(ContractKeysTest, UnknownLocatorIsNotFound) {
  for (const Algorithm algorithm : ContractTest::Those(KeyUse::kEncrypt)) {
    EXPECT_ERROR(token_->Execute(ToEncrypt(NewKey(algorithm), "secret")),
                 kNotFound);
  }
  const KeyRef key = NewKey(Algorithm::kHmacSha256);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kNotFound);
  EXPECT_ERROR(token_->Execute(DestroyKeyRequest{key.locator}), kNotFound);
  EXPECT_ERROR(
      token_->Execute(ToSign(NewKey(Signing()), Scheme(), Hash::kSha256, "x")),
      kNotFound);
  ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
}

TEST_P(ContractKeysTest, WhatTheTokenLacksIsUnsupportedAndLeavesNothing) {
  for (const Algorithm algorithm : GetParam().lacks) {
    EXPECT_EQ(Make(NewKey(algorithm)).error().code,
              base::ErrorCode::kUnsupportedOperation);
    EXPECT_ERROR(token_->Execute(CheckKeyRequest{NewKey(algorithm)}),
                 kUnsupportedOperation);
  }
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_P(ContractKeysTest, WrappedKeysAreThereOrUnsupported) {
  const KeyRef wrapping = NewKey(Algorithm::kAesWrap);
  if (!GetParam().wraps) {
    EXPECT_ERROR(token_->Execute(GenerateKeyRequest{wrapping}),
                 kUnsupportedOperation);
    EXPECT_ERROR(
        token_->Execute(GenerateWrappedKeyRequest{NewKey(), wrapping.locator}),
        kUnsupportedOperation);
    EXPECT_THAT(Listed(), IsEmpty());
    return;
  }
  ASSERT_OK(token_->Execute(GenerateKeyRequest{wrapping}));
  KeyRef key = NewKey();
  const auto made =
      token_->Execute(GenerateWrappedKeyRequest{key, wrapping.locator});
  ASSERT_OK(made);
  key = AsWrapped(key, wrapping.locator, *made);
  const Sealed sealed = Encrypted(key, "secret");
  Reopen();
  const auto opened = token_->Execute(ToDecrypt(key, sealed));
  ASSERT_OK(opened);
  EXPECT_EQ(opened->plaintext.RevealText(), "secret");
  EXPECT_THAT(Listed(), testing::ElementsAre(IdOf(wrapping)));
}

TEST_P(ContractKeysTest, KeyIsUsedForNothingElse) {
  const KeyRef mac = Made(Algorithm::kHmacSha256);
  EXPECT_ERROR(token_->Execute(ToEncrypt(mac, "secret")), kInvalidArgument);
  for (const Algorithm algorithm : ContractTest::Those(KeyUse::kEncrypt)) {
    EXPECT_ERROR(
        token_->Execute(ToSign(Made(algorithm), Scheme(), Hash::kSha256, "x")),
        kInvalidArgument);
  }
  EXPECT_ERROR(token_->Execute(ToSign(mac, Scheme(), Hash::kSha256, "x")),
               kInvalidArgument);
  const KeyRef pair = MadeOf(Signing()).key;
  EXPECT_ERROR(token_->Execute(AgreeRequest{.key = pair, .public_key = {}}),
               kInvalidArgument);
}

TEST_P(ContractKeysTest, WrongPinIsRefusedAndNotTriedAgain) {
  token_.reset();
  TokenConfig config = place_.Config();
  config.pin = base::Secret::CopyOf("4321");
  EXPECT_ERROR(Token::Open(std::move(config), clock_), kAccessDenied);
  Reopen();
}

// And the token itself is not asked: it would lock itself.
TEST_P(ContractKeysTest, PinIsComparedTenTimes) {
  const auto is_right = [this](std::string_view pin) {
    const auto checked =
        token_->Execute(CheckPinRequest{base::Secret::CopyOf(pin)});
    EXPECT_TRUE(checked.has_value());
    return checked.value_or(CheckPinReply()).is_right;
  };
  const base::Secret pin = place_.Config().pin;
  const std::string right(pin.RevealText());
  EXPECT_TRUE(is_right(right));
  for (const std::string& wrong :
       {std::string(), right + "1", right.substr(1), std::string(8192, '1')}) {
    EXPECT_FALSE(is_right(wrong));
  }
  EXPECT_TRUE(is_right(right));
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(is_right("wrong"));
  }
  EXPECT_ERROR(token_->Execute(CheckPinRequest{base::Secret::CopyOf(right)}),
               kLimitExceeded);
  Reopen();
  EXPECT_TRUE(is_right(right));
}

TEST_P(ContractKeysTest, RiskThatTheTokenDoesNotHaveOpensIt) {
  token_.reset();
  TokenConfig config = place_.Config();
  config.accept_risks.emplace_back("keys-can-be-read");
  const auto token = Token::Open(std::move(config), clock_);
  ASSERT_OK(token);
  const auto found = (*token)->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_THAT(found->notes, Not(Contains(HasSubstr("keys-can-be-read"))));
}

}  // namespace
}  // namespace hsm::token
