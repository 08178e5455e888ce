// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <vector>

#include "hsm/token/probe_token.h"
#include "hsm/token/vacancy.h"
#include "tests/fakes/fake_token.h"
#include "tests/hsm/token_fixture.h"

// What a token may do wrong, played by the fake one.
namespace hsm::token {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::ptrdiff_t Times(const std::vector<std::string>& calls,
                     std::string_view function) {
  return std::ranges::count(calls, function);
}

class TokenFaultsTest : public OpenTokenTest<fakes::FakeToken> {};

TEST_F(TokenFaultsTest, HotEncryptionCostsOneEncryptionAndNothingElse) {
  const KeyRef key = Made();
  Encrypted(key, "warm");
  place_.TakeCalls();
  const Sealed sealed = Encrypted(key, "hot");
  EXPECT_THAT(place_.TakeCalls(), ElementsAre("C_EncryptInit", "C_Encrypt"));
  ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
  EXPECT_THAT(place_.TakeCalls(), ElementsAre("C_DecryptInit", "C_Decrypt"));
}

TEST_F(TokenFaultsTest, FailedOperationCostsTheSessionNotTheToken) {
  const KeyRef key = Made();
  Encrypted(key, "warm");
  for (const char* function : {"C_EncryptInit", "C_Encrypt"}) {
    place_.Tell(std::string(function) + " return-once 0x5");
    place_.TakeCalls();
    Encrypted(key, "works at the second try");
    const auto calls = place_.TakeCalls();
    EXPECT_EQ(Times(calls, "C_CloseSession"), 1) << function;
    EXPECT_EQ(Times(calls, "C_OpenSession"), 1) << function;
    EXPECT_EQ(Times(calls, "C_Login"), 0) << function;
  }
}

TEST_F(TokenFaultsTest, KeyThatFailsOnALivingTokenIsCorrupt) {
  const KeyRef key = Made();
  Reopen();
  place_.Tell("C_DeriveKey return 0x6");
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")), kCorrupt);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kCorrupt);
  ASSERT_OK(token_->Execute(HealthRequest{}));
  place_.Tell("");
  Encrypted(key, "secret");
}

class TokenDeathTest : public TokenFaultsTest,
                       public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(
    Ways, TokenDeathTest,
    testing::Values("C_EncryptInit return 0x30", "C_Encrypt return 0x5",
                    "C_Encrypt return 0x6", "C_Encrypt return 0x32",
                    "C_EncryptInit return 0x101", "C_EncryptInit return 0xb3",
                    "C_EncryptInit return 0x190", "C_Encrypt return 0xe0",
                    "C_Encrypt lie"));

TEST_P(TokenDeathTest, DeadTokenIsUnavailable) {
  const KeyRef key = Made();
  Reopen();  // So that the key is not in use yet.
  place_.Tell(GetParam());
  EXPECT_ERROR(token_->Execute(HealthRequest{}), kHsmUnavailable);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kHsmUnavailable);
}

// SoftHSM, and others, answer alike to a wrong tag and to their own death.
TEST_F(TokenFaultsTest, WrongTagOnADyingTokenIsNotInvalidCiphertext) {
  const KeyRef key = Made();
  const Sealed sealed = Encrypted(key, "secret");
  for (const char* rv : {"0x5", "0x6", "0x20", "0x40"}) {
    place_.Tell(std::string("C_Decrypt return ") + rv);
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, sealed)), kInvalidCiphertext);
    place_.Tell(std::string("C_Decrypt return ") + rv +
                "\nC_Encrypt return 0x5");
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, sealed)), kHsmUnavailable);
    place_.Tell(std::string("C_Decrypt return ") + rv +
                "\nC_GetSessionInfo return 0x32");
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, sealed)), kHsmUnavailable);
  }
}

TEST_F(TokenFaultsTest, ForgedCiphertextsDoNotEvictMessageKeys) {
  const KeyRef key = Made();
  Sealed sealed = Encrypted(key, "secret");
  sealed.nonce[0] ^= 1;
  place_.TakeCalls();
  EXPECT_ERROR(token_->Execute(ToDecrypt(key, sealed)), kInvalidCiphertext);
  const auto calls = place_.TakeCalls();
  EXPECT_EQ(Times(calls, "C_DeriveKey"), 1);
  EXPECT_EQ(Times(calls, "C_DestroyObject"), 1);
}

TEST_F(TokenFaultsTest, EvictionDestroysTheMessageKeysOnTheToken) {
  const KeyRef key = Made();
  const KeyRef other = Made();
  Encrypted(key, "secret");
  clock_.Advance(std::chrono::seconds(60));
  Encrypted(key, "under another message key");
  Encrypted(other, "secret");
  place_.TakeCalls();
  ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
  EXPECT_THAT(place_.TakeCalls(),
              ElementsAre("C_DestroyObject", "C_DestroyObject"));
  Encrypted(other, "still hot");
  EXPECT_THAT(place_.TakeCalls(), ElementsAre("C_EncryptInit", "C_Encrypt"));
}

// Of which two keys are as good as three.
TEST_F(TokenFaultsTest, MemoryIsMadeByLettingMessageKeysGo) {
  const std::array keys = {Made(), Made(), Made()};
  place_.Tell("full 6");  // The keys, the canary, and two message keys.
  std::vector<Sealed> sealed;
  sealed.reserve(keys.size());
  for (const KeyRef& key : keys) {
    sealed.push_back(Encrypted(key, "secret"));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    ASSERT_OK(token_->Execute(ToDecrypt(keys[i], sealed[i])));
  }
}

TEST_F(TokenFaultsTest, AFullTokenServesTheKeysItHas) {
  const KeyRef key = Made();
  const KeyRef cold = Made();
  place_.Tell("full 4");
  Encrypted(key, "secret");
  const auto made = token_->Execute(GenerateKeyRequest{NewKey()});
  EXPECT_ERROR(made, kLimitExceeded);
  EXPECT_THAT(made.error().message, HasSubstr("the token is full"));
  Encrypted(key, "secret");
  ASSERT_OK(token_->Execute(HealthRequest{}));
  const auto listed = token_->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  EXPECT_EQ(listed->keys.size(), 2U);
}

// Who may create keys must not empty the token with each attempt.
TEST_F(TokenFaultsTest, ATokenThatStaysFullIsEmptiedOnceInAWhile) {
  const KeyRef key = Made();
  place_.Tell("full 3");  // The key, the canary, and a message key.
  const auto fill = [&] {
    Encrypted(key, "secret");
    place_.TakeCalls();
    const auto made = token_->Execute(GenerateKeyRequest{NewKey()});
    EXPECT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, base::ErrorCode::kLimitExceeded);
    return Times(place_.TakeCalls(), "C_DestroyObject");
  };
  EXPECT_GT(fill(), 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(fill(), 0);
  }
  clock_.Advance(std::chrono::seconds(10));
  EXPECT_GT(fill(), 0);
  EXPECT_EQ(fill(), 0);
  place_.Tell("");
  Encrypted(Made(), "there is room again");
}

TEST_F(TokenFaultsTest, AKeyThatIsUsedGetsRoomOnATokenThatStaysFull) {
  const KeyRef key = Made();
  const KeyRef cold = Made();
  place_.Tell("full 4");
  Encrypted(key, "secret");
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{NewKey()}), kLimitExceeded);
  Encrypted(key, "secret");
  Encrypted(cold, "secret");
}

TEST_F(TokenFaultsTest, WithoutMemoryForAMessageKeyTheKeyIsNotCorrupt) {
  const KeyRef key = Made();
  place_.Tell("full 2");
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")), kThrottled);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kThrottled);
  place_.Tell("");
  Encrypted(key, "secret");
}

TEST_F(TokenFaultsTest, EvictionThatTheTokenRefusesFails) {
  const KeyRef key = Made();
  Encrypted(key, "secret");
  place_.Tell("C_DestroyObject return 0x30");
  EXPECT_ERROR(token_->Execute(EvictKeyRequest{key.locator}), kHsmUnavailable);
}

TEST_F(TokenFaultsTest, DestructionForgetsEverythingFirst) {
  const KeyRef key = Made();
  Encrypted(key, "secret");
  place_.TakeCalls();
  ASSERT_OK(token_->Execute(DestroyKeyRequest{key.locator}));
  EXPECT_THAT(
      place_.TakeCalls(),
      ElementsAre("C_DestroyObject", "C_FindObjectsInit", "C_FindObjects",
                  "C_FindObjects", "C_FindObjectsFinal", "C_GetAttributeValue",
                  "C_DestroyObject"));
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")), kNotFound);
}

TEST_F(TokenFaultsTest, CreationIsTriedASecondTimeAfterAPassingError) {
  for (const char* rv : {"0x5", "0x6", "0xd1"}) {
    place_.Tell(std::string("half-made\nC_GenerateKey return-once ") + rv);
    const KeyRef key = Made();
    Encrypted(key, "secret");
    const auto listed = token_->Execute(ListKeysRequest{});
    ASSERT_OK(listed);
    EXPECT_EQ(listed->keys.size(), 1U) << "the half-made one is swept";
    ASSERT_OK(token_->Execute(DestroyKeyRequest{key.locator}));
  }
}

TEST_F(TokenFaultsTest, CreationIsNotTriedAThirdTimeAndLeavesNothing) {
  place_.Tell("half-made\nC_GenerateKey return 0x5");
  place_.TakeCalls();
  EXPECT_FALSE(token_->Execute(GenerateKeyRequest{NewKey()}).has_value());
  // The canary asks for no key, so both calls are ours.
  EXPECT_EQ(Times(place_.TakeCalls(), "C_GenerateKey"), 2);
  place_.Tell("");
  const auto listed = token_->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  EXPECT_THAT(listed->keys, IsEmpty());
}

// As SoftHSM on a full disk: it lists what it has begun, and cannot destroy it.
TEST_F(TokenFaultsTest, WhatCannotBeSweptDoesNotHideWhyItWasNotMade) {
  for (const auto& [rv, code, text] :
       {std::tuple{"0x6", base::ErrorCode::kInternal, "C_GenerateKey: CKR_F"},
        {"0x31", base::ErrorCode::kLimitExceeded, "the token is full"}}) {
    place_.Tell(std::string("half-made\nC_GenerateKey return ") + rv +
                "\nC_DestroyObject return 0x82");
    testing::internal::CaptureStdout();
    const auto made = token_->Execute(GenerateKeyRequest{NewKey()});
    EXPECT_THAT(testing::internal::GetCapturedStdout(),
                HasSubstr("stays on the token: C_DestroyObject"));
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, code);
    EXPECT_THAT(made.error().message, HasSubstr(text));
  }
}

TEST_F(TokenFaultsTest, CreationIsNotTriedAgainAfterALastingError) {
  place_.Tell("C_GenerateKey return 0x30");
  place_.TakeCalls();
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{NewKey()}), kHsmUnavailable);
  EXPECT_EQ(Times(place_.TakeCalls(), "C_GenerateKey"), 1);
}

TEST_F(TokenFaultsTest, KeyThatFailsItsSelfTestIsDestroyed) {
  place_.Tell("C_Decrypt lie");
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{NewKey()}), kCorrupt);
  const auto listed = token_->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  EXPECT_THAT(listed->keys, IsEmpty());
  place_.Tell("C_Decrypt lie\nC_DestroyObject return 0x82");  // Or tried to be.
  EXPECT_ERROR(token_->Execute(GenerateKeyRequest{NewKey()}), kCorrupt);
}

TEST_F(TokenFaultsTest, RandomFailureOfADeadTokenIsUnavailable) {
  place_.Tell("C_GenerateRandom return 0x5\nC_Encrypt return 0x5");
  EXPECT_ERROR(token_->Execute(RandomRequest{32}), kHsmUnavailable);
}

TEST_F(TokenFaultsTest, UnreadableObjectsAreReportedNotDestroyed) {
  const KeyRef key = Made();
  place_.Tell("C_GetAttributeValue return 0x13");
  const auto listed = token_->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->keys.size(), 2U);  // The canary cannot be told apart.
  EXPECT_FALSE(listed->keys[0].readable);
  EXPECT_THAT(listed->keys[0].id, IsEmpty());
  place_.Tell("");
  Encrypted(key, "secret");
}

// Another worker destroyed the key and made it again: our handle is stale.
TEST_F(TokenFaultsTest, StaleHandleIsLookedUpAgain) {
  const KeyRef key = Made();
  place_.Tell("C_DeriveKey return-once 0x82");
  const Sealed sealed = Encrypted(key, "secret");
  ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
}

class TokenOpenTest : public testing::Test {
 protected:
  base::Result<std::unique_ptr<Token>> Open() {
    return Token::Open(place_.Config(), clock_);
  }

  fakes::FakeToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

TEST_F(TokenOpenTest, TokenThatAllowsATheftIsRefusedWithTheReason) {
  const std::map<std::string, std::string> reasons = {
      {"value", "can be read"},
      {"change", "can be changed"},
      {"copy", "less sensitive"},
      {"wrap", "can be wrapped"}};
  for (const auto& [theft, reason] : reasons) {
    place_.Tell("theft " + theft);
    const auto token = Open();
    EXPECT_ERROR(token, kUnsupportedOperation);
    EXPECT_THAT(token.error().message, HasSubstr(reason));
    const auto report = ProbeToken(place_.Config());
    ASSERT_OK(report);
    EXPECT_THAT(report->refusal, HasSubstr(reason));
  }
}

// What cannot be tried proves nothing.
TEST_F(TokenOpenTest, ATheftThatCannotBeTriedIsRefusedLikeOneThatSucceeds) {
  for (const auto& [fault, reason] :
       {std::pair{"no-wrapping-keys", "there is no AES key to wrap by"},
        std::pair{"rsa-wrapping-odd", "RSA mechanism 0x1: CKR_GENERAL_ERROR"},
        std::pair{"C_WrapKey return 5", "CKR_GENERAL_ERROR"},
        std::pair{"C_CopyObject return 0x30", "CKR_DEVICE_ERROR"}}) {
    place_.Tell(fault);
    const auto token = Open();
    EXPECT_ERROR(token, kUnsupportedOperation);
    EXPECT_THAT(token.error().message, HasSubstr("could not be tried"));
    EXPECT_THAT(token.error().message, HasSubstr(reason));
    const auto report = ProbeToken(place_.Config());
    ASSERT_OK(report);
    EXPECT_THAT(report->refusal, HasSubstr(reason));
    TokenConfig config = place_.Config();
    config.accept_risks = report->risks;
    const auto accepted = Token::Open(std::move(config), clock_);
    ASSERT_OK(accepted);
    const auto found = (*accepted)->Execute(CapabilitiesRequest{});
    ASSERT_OK(found);
    EXPECT_THAT(found->notes,
                testing::Contains(AllOf(HasSubstr("accepted risk"),
                                        HasSubstr("could not be tried"))));
  }
}

TEST_F(TokenOpenTest, ATokenThatDoesNotWrapAtAllIsFit) {
  for (const char* fact : {"no-wrapping", "no-wrapping\nno-wrapping-keys",
                           "picky-wrapping-keys", "refuses-oddly"}) {
    place_.Tell(fact);
    ASSERT_OK(Open());
  }
}

TEST_F(TokenOpenTest, TheftsSucceedUnderPickyTokensToo) {
  place_.Tell("picky-wrapping-keys\ntheft wrap");
  const auto token = Open();
  EXPECT_ERROR(token, kUnsupportedOperation);
  EXPECT_THAT(token.error().message, HasSubstr("can be wrapped"));
}

TEST_F(TokenOpenTest, ATokenWithAnotherStoresKeysIsNotVacant) {
  ASSERT_OK(CheckVacancy(place_.Config(), Tenants::kRefuse, clock_));
  const KeyRef key = NewKey();
  {
    const auto token = Open();
    ASSERT_OK(token);
    ASSERT_OK((*token)->Execute(GenerateKeyRequest{key}));
  }
  const auto refused = CheckVacancy(place_.Config(), Tenants::kRefuse, clock_);
  EXPECT_ERROR(refused, kAlreadyExists);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("holds 1 keys of another store"),
                    HasSubstr(base::HexEncode(key.locator.bytes)),
                    HasSubstr("--adopt-token")));
  ASSERT_OK(CheckVacancy(place_.Config(), Tenants::kAccept, clock_));
  place_.Tell("theft wrap");
  EXPECT_ERROR(CheckVacancy(place_.Config(), Tenants::kAccept, clock_),
               kUnsupportedOperation);
}

TEST_F(TokenOpenTest, UsagesThatACopyCanAddAreReported) {
  place_.Tell("theft usage");
  const auto token = Open();
  ASSERT_OK(token);
  const auto found = (*token)->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_THAT(found->notes, ElementsAre(HasSubstr("a copy of a key")));
}

TEST_F(TokenOpenTest, OnlyATokenThatUnwrapsNothingReadableHoldsWrappedKeys) {
  for (const auto& [fault, outcome] :
       {std::pair{"", "CKA_UNWRAP_TEMPLATE binds"},
        std::pair{"theft unwrap-hidden", "does not bind: no wrapped placement"},
        std::pair{"theft unwrap-extractable", "does not bind"},
        std::pair{"theft unwrap-readable", "does not bind"},
        // That it refuses says nothing of the template.
        std::pair{"picky-unwrapping", "could not be tried"}}) {
    place_.Tell(fault);
    const auto report = ProbeToken(place_.Config());
    ASSERT_OK(report);
    EXPECT_THAT(report->findings,
                testing::Contains(testing::FieldsAre(
                    "theft: unwrap a key readable", HasSubstr(outcome))))
        << fault;
    const auto token = Open();
    ASSERT_OK(token);
    const auto made =
        (*token)->Execute(GenerateKeyRequest{NewKey(Algorithm::kAesWrap)});
    EXPECT_EQ(made.has_value(), std::string_view(fault).empty()) << fault;
  }
}

TEST_F(TokenOpenTest, AWrappingKeyThatUnwrapsReadableLaterIsNotUsed) {
  const auto token = Open();
  ASSERT_OK(token);
  const KeyRef key = NewKey(Algorithm::kAesWrap);
  ASSERT_OK((*token)->Execute(GenerateKeyRequest{key}));
  for (const char* theft : {"theft unwrap-hidden", "theft unwrap-extractable",
                            "theft unwrap-readable"}) {
    place_.Tell(theft);
    EXPECT_ERROR((*token)->Execute(CheckKeyRequest{key}), kCorrupt);
  }
  place_.Tell("");
  ASSERT_OK((*token)->Execute(CheckKeyRequest{key}));
}

TEST_F(TokenOpenTest, AWrappingKeyWithALooserCopyIsNotUsed) {
  const auto token = Open();
  ASSERT_OK(token);
  const KeyRef key = NewKey(Algorithm::kAesWrap);
  ASSERT_OK((*token)->Execute(GenerateKeyRequest{.key = key}));
  for (const char* theft : {"theft usage", "theft copy-template"}) {
    place_.Tell(theft);
    const auto used = (*token)->Execute(CheckKeyRequest{key});
    EXPECT_ERROR(used, kCorrupt);
    EXPECT_THAT(used.error().message, HasSubstr("must not hold any"));
  }
  // What never leaves needs no trust to leave by.
  place_.Tell("theft copy-trust");
  ASSERT_OK((*token)->Execute(CheckKeyRequest{key}));
}

TEST_F(TokenOpenTest, AShareableKeyWithACopyThatAnyKeyMayWrapIsNotUsed) {
  const auto token = Open();
  ASSERT_OK(token);
  const KeyRef key = NewKey(Algorithm::kAesWrap);
  ASSERT_OK(
      (*token)->Execute(GenerateKeyRequest{.key = key, .shareable = true}));
  place_.Tell("theft copy-trust");
  const auto used = (*token)->Execute(CheckKeyRequest{key});
  EXPECT_ERROR(used, kCorrupt);
  EXPECT_THAT(used.error().message, HasSubstr("must not hold any"));
}

TEST_F(TokenOpenTest, ProbeLeavesNoObjectBehind) {
  const auto report = ProbeToken(place_.Config());
  ASSERT_OK(report);
  EXPECT_EQ(report->refusal, "");
  EXPECT_GT(report->findings.size(), 8U);
  EXPECT_EQ(report->findings.back().tried, "sessions at a time");
  EXPECT_EQ(report->findings.back().outcome,
            "16 for all programs together, of which a worker takes 2");
  const auto token = Open();
  ASSERT_OK(token);
  const auto listed = (*token)->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  EXPECT_THAT(listed->keys, IsEmpty());
}

TEST_F(TokenOpenTest, TokenWithoutDerivationCountsItsNonces) {
  place_.Tell("no-derive");
  const auto token = Open();
  ASSERT_OK(token);
  const auto found = (*token)->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_EQ(found->algorithm, Algorithm::kAes256GcmCounter);
  EXPECT_THAT(found->notes, ElementsAre(HasSubstr("counted nonces")));
  EXPECT_ERROR((*token)->Execute(GenerateKeyRequest{NewKey()}),
               kUnsupportedOperation);
  const KeyRef key = NewKey(Algorithm::kAes256GcmCounter);
  ASSERT_OK((*token)->Execute(GenerateKeyRequest{key}));
  const auto sealed = (*token)->Execute(ToEncrypt(key, "secret", 5));
  ASSERT_OK(sealed);
  ASSERT_OK((*token)->Execute(ToDecrypt(key, *sealed)));
}

TEST_F(TokenOpenTest, TokenThatDerivesWronglyCountsItsNonces) {
  place_.Tell("C_DeriveKey lie");
  const auto token = Open();
  ASSERT_OK(token);
  const auto found = (*token)->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_EQ(found->algorithm, Algorithm::kAes256GcmCounter);
}

TEST_F(TokenOpenTest, TokenWithoutAllowedMechanismsIsNoted) {
  place_.Tell("no-allowed-mechanisms");
  const auto token = Open();
  ASSERT_OK(token);
  const auto found = (*token)->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_THAT(found->notes,
              testing::Contains(HasSubstr("without CKA_ALLOWED_MECHANISMS")));
  ASSERT_OK((*token)->Execute(GenerateKeyRequest{NewKey()}));
}

TEST_F(TokenOpenTest, TokenWithWrongGcmIsRefused) {
  const std::map<std::string, std::string> reasons = {
      {"appends-iv", "left one all zeros"},
      {"C_Encrypt lie", "known answer is wrong"},
      {"accept-forgery", "accepted"},
      {"bad-tag-unknown", "unknown answer CKR_ARGUMENTS_BAD"}};
  for (const auto& [command, reason] : reasons) {
    place_.Tell(command);
    const auto token = Open();
    EXPECT_ERROR(token, kUnsupportedOperation);
    EXPECT_THAT(token.error().message, HasSubstr(reason));
  }
}

TEST_F(TokenOpenTest, BadConfigurationSaysWhatToMend) {
  struct Case {
    void (*spoil)(TokenConfig&);
    base::ErrorCode code;
    std::string reason;
  };
  const std::vector<Case> cases = {
      {[](TokenConfig& c) { c.module = "/nonexistent.so"; },
       base::ErrorCode::kInvalidArgument, "/nonexistent.so"},
      {[](TokenConfig& c) {
         c.module = "/nonexistent.so";
         c.lock_dir = "/nowhere";
       },
       base::ErrorCode::kInvalidArgument, "/nonexistent.so"},
      {[](TokenConfig& c) { c.module = "p11-kit-proxy.so"; },
       base::ErrorCode::kInvalidArgument, "absolute path"},
      {[](TokenConfig& c) { c.token_uri = "token=fake"; },
       base::ErrorCode::kInvalidArgument, "RFC 7512"},
      {[](TokenConfig& c) { c.token_uri = "pkcs11:tokne=fake"; },
       base::ErrorCode::kInvalidArgument, "RFC 7512"},
      {[](TokenConfig& c) { c.token_uri = "pkcs11:token=other"; },
       base::ErrorCode::kNotFound, "no token matches"},
      {[](TokenConfig& c) { c.pin = base::Secret(); },
       base::ErrorCode::kInvalidArgument, "PIN is empty"},
      {[](TokenConfig& c) { c.lock_dir = ""; },
       base::ErrorCode::kInvalidArgument, "lock"},
      {[](TokenConfig& c) { c.lock_dir = "/nonexistent"; },
       base::ErrorCode::kIo, "/nonexistent"},
      {[](TokenConfig& c) { c.quirks = "acme"; },
       base::ErrorCode::kInvalidArgument, "\"generic\", \"luna\""},
  };
  for (const Case& each : cases) {
    TokenConfig config = place_.Config();
    each.spoil(config);
    const auto token = Token::Open(std::move(config), clock_);
    ASSERT_FALSE(token.has_value()) << each.reason;
    EXPECT_EQ(token.error().code, each.code) << token.error().message;
    EXPECT_THAT(token.error().message, HasSubstr(each.reason));
  }
}

TEST_F(TokenOpenTest, ModuleIsUsedOnceInAProcess) {
  const auto first = Open();
  ASSERT_OK(first);
  TokenConfig config = place_.Config();
  EXPECT_ERROR(Token::Open(std::move(config), clock_), kInvalidArgument);
  ASSERT_OK((*first)->Execute(HealthRequest{}));
}

TEST_F(TokenOpenTest, CrashOfTheModuleKillsTheProcessOnly) {
  const KeyRef key = NewKey();
  const pid_t child = fork();
  if (child == 0) {
    const auto token = Open();
    (void)(*token)->Execute(GenerateKeyRequest{key});
    place_.Tell("C_EncryptInit crash");
    (void)(*token)->Execute(ToEncrypt(key, "secret"));
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  place_.Tell("");
  const auto token = Open();
  ASSERT_OK(token);
  ASSERT_OK((*token)->Execute(CheckKeyRequest{key}));
}

}  // namespace
}  // namespace hsm::token
