// SPDX-License-Identifier: Apache-2.0
// Several tokens that share the keys of one key store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>

#include "hsm/client/call_on.h"
#include "hsm/client/reach.h"
#include "tests/hsm/client_fixture.h"

namespace hsm_test {
namespace {

using base::ErrorCode;
using hsm::client::TokenState;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testlib::StatusIs;

constexpr auto kAlgorithm = hsm::Algorithm::kXaes256Gcm;

class TokensTest : public ClientTest {
 protected:
  TokensTest() {
    second_.options().key_store = "test-second";
    further_tokens_ = {
        {.name = "second", .supervisor_socket = second_.socket_path()}};
  }
  ~TokensTest() override {
    client_.reset();
    io_.restart();
    io_.run();
  }

  // Both tokens, with the keys that are wanted.
  void StartPaired() {
    second_.Start();
    Start();
    client_->Require(OneKey(), kAlgorithm);
    WaitFor(TokenState::kServing);
    RunUntil([this] { return client_->Tokens()[1].ready_workers == 2; });
  }

  static std::vector<hsm::client::RequiredKey> OneKey() {
    hsm::client::RequiredKey key;
    key.key.algorithm = hsm::Algorithm::kAesWrap;
    return {key};
  }

  // Of the second token.
  hsm::client::TokenStatus Second() { return client_->Tokens().at(1); }
  void WaitFor(TokenState state) {
    RunUntil([&] { return Second().state == state; });
  }

  base::Result<hsm::Sealed> EncryptWrapped(std::string_view text = "x") {
    return Run(client_->Call(WrappedEncryptOf(text)));
  }
  void EncryptAllWrapped(int count) {
    for (int i = 0; i < count; ++i) {
      Spawn(client_->Call(WrappedEncryptOf("x")), results_.emplace_back());
    }
  }
  void ExpectAllWell() {
    RunUntil([this] { return AllEnded(); });
    for (const auto& result : results_) {
      EXPECT_OK(*result);
    }
    results_.clear();
  }
  pid_t WorkerOf(const std::string& token) {
    const auto found = Run(client_->CallOn(token, hsm::CapabilitiesRequest{}));
    return found ? std::stoi(found->token_serial) : -1;
  }
  int AtHome() { return supervised_.shared().executed; }
  int AtSecond() { return second_.shared().executed; }

  Supervised second_;
};

TEST(Reach, WhatNamesOnlyWrappedKeysCanRunAnywhere) {
  hsm::Locator shared;
  shared.bytes.fill(1);
  const auto can_run_anywhere = [&](const auto& request) {
    return hsm::client::CanRunAnywhere(
        request, [&](const hsm::Locator& key) { return key == shared; });
  };
  hsm::KeyRef wrapped;
  wrapped.wrapped = std::make_shared<hsm::WrappedKey>(hsm::WrappedKey{shared});
  EXPECT_TRUE(can_run_anywhere(hsm::EncryptRequest{.key = wrapped}));
  // By a key that only the home token has.
  EXPECT_FALSE(can_run_anywhere(WrappedEncryptOf("x")));
  EXPECT_FALSE(can_run_anywhere(EncryptOf("x")));
  hsm::ReEncryptRequest again;
  again.from = wrapped;
  EXPECT_FALSE(can_run_anywhere(again));
  again.to = wrapped;
  EXPECT_TRUE(can_run_anywhere(again));
  EXPECT_TRUE(can_run_anywhere(hsm::SignRequest{.key = wrapped}));
  EXPECT_FALSE(can_run_anywhere(hsm::SignRequest{}));
  EXPECT_TRUE(can_run_anywhere(hsm::CheckKeyRequest{wrapped}));
  EXPECT_FALSE(can_run_anywhere(hsm::CheckKeyRequest{}));
  // No key, or one that is being made.
  EXPECT_TRUE(can_run_anywhere(hsm::RandomRequest{}));
  EXPECT_TRUE(can_run_anywhere(hsm::HealthRequest{}));
  EXPECT_TRUE(can_run_anywhere(hsm::CapabilitiesRequest{}));
  EXPECT_TRUE(
      can_run_anywhere(hsm::GenerateWrappedKeyRequest{.wrapping_key = shared}));
  EXPECT_FALSE(can_run_anywhere(hsm::GenerateWrappedKeyRequest{}));
  // Objects, whatever the request looks like.
  EXPECT_FALSE(can_run_anywhere(hsm::GenerateKeyRequest{wrapped}));
  EXPECT_FALSE(can_run_anywhere(hsm::GenerateKeyPairRequest{wrapped}));
  EXPECT_FALSE(can_run_anywhere(hsm::ImportKeyRequest{.key = wrapped}));
  EXPECT_FALSE(can_run_anywhere(hsm::ImportRouteRequest{}));
  EXPECT_FALSE(can_run_anywhere(hsm::DestroyKeyRequest{}));
  EXPECT_FALSE(can_run_anywhere(hsm::ListKeysRequest{}));
}

TEST_F(TokensTest, AFurtherTokenServesOnceItsKeysAreKnownToBeThere) {
  second_.Start();
  Start();
  EncryptAllWrapped(200);
  ExpectAllWell();
  RunUntil([this] { return Second().state == TokenState::kKeptOut; });
  EXPECT_EQ(AtSecond(), 0);
  client_->Require(OneKey(), kAlgorithm);
  WaitFor(TokenState::kServing);
  EncryptAllWrapped(200);
  ExpectAllWell();
  EXPECT_GT(AtSecond(), 0);
  EXPECT_EQ(AtHome() + AtSecond(), 400);
}

TEST_F(TokensTest, CallsGoToTheTokensInTurn) {
  StartPaired();
  for (int i = 0; i < 20; ++i) {
    EXPECT_OK(EncryptWrapped());
  }
  EXPECT_EQ(AtHome(), 10);
  EXPECT_EQ(AtSecond(), 10);
}

TEST_F(TokensTest, ObjectsAreUsedWhereTheyAre) {
  StartPaired();
  EncryptAll(std::vector<std::string>(200, "x"));
  ExpectAllWell();
  EXPECT_EQ(AtSecond(), 0);
  EXPECT_OK(Run(client_->Call(hsm::GenerateKeyRequest{})));
  EXPECT_EQ(AtSecond(), 0);
}

TEST_F(TokensTest, ATokenThatIsNotPairedIsKeptOutUntilItIs) {
  second_.shared().check_error = static_cast<int>(ErrorCode::kNotFound);
  second_.Start();
  Start();
  client_->Require(OneKey(), kAlgorithm);
  RunUntil([this] { return second_.shared().checked == 2; });
  WaitFor(TokenState::kKeptOut);
  RunUntil([this] {
    return Second().reason.find("not been asked") == std::string::npos;
  });
  EXPECT_THAT(Second().reason,
              AllOf(HasSubstr("does not have the wrapping key"),
                    HasSubstr("docs/pairing.md")));
  EncryptAllWrapped(100);
  ExpectAllWell();
  EXPECT_EQ(AtSecond(), 0);
  // Whoever pairs it can reach it.
  EXPECT_OK(Run(client_->CallOn("second", hsm::RandomRequest{8})));
  second_.shared().check_error = -1;
  clock_.Advance(seconds(5));
  WaitFor(TokenState::kServing);
}

TEST_F(TokensTest, AnotherKeyInItsPlaceIsNoPairing) {
  second_.shared().check_value = 7;
  second_.Start();
  Start();
  client_->Require(OneKey(), kAlgorithm);
  RunUntil([this] {
    return Second().reason.find("another key") != std::string::npos;
  });
  EXPECT_EQ(Second().state, TokenState::kKeptOut);
  EXPECT_OK(EncryptWrapped());
  EXPECT_EQ(AtSecond(), 0);
}

TEST_F(TokensTest, ATokenThatEncryptsInAnotherWayIsKeptOut) {
  second_.shared().algorithm = hsm::Algorithm::kAes256GcmCounter;
  second_.Start();
  Start();
  client_->Require(OneKey(), kAlgorithm);
  RunUntil([this] {
    return Second().reason.find("in another way") != std::string::npos;
  });
  EXPECT_EQ(Second().state, TokenState::kKeptOut);
  EncryptAllWrapped(100);
  ExpectAllWell();
  EXPECT_EQ(AtSecond(), 0);
}

// A process that takes the place of another is asked like the first.
TEST_F(TokensTest, EveryNewWorkerIsAskedForTheKeys) {
  StartPaired();
  EXPECT_EQ(second_.shared().checked, 2);
  second_.shared().check_error = static_cast<int>(ErrorCode::kNotFound);
  second_.Kill();
  RunUntil([this] { return Second().state == TokenState::kDown; });
  second_.Start();
  RunUntil([this] { return second_.shared().checked == 4; });
  EncryptAllWrapped(100);
  ExpectAllWell();
  EXPECT_EQ(AtSecond(), 0);
}

TEST_F(TokensTest, WithoutTheHomeTokenTheOthersServeWhatTheyCan) {
  StartPaired();
  supervised_.Kill();
  RunUntil([this] { return client_->Tokens()[0].state == TokenState::kDown; });
  // These wait for the home token, and nothing waits for them.
  EncryptAll({"a", "b", "c"});
  for (int i = 0; i < 100; ++i) {
    EXPECT_OK(EncryptWrapped());
  }
  EXPECT_OK(Run(client_->Call(hsm::RandomRequest{8})));
  EXPECT_FALSE(AllEnded());
  clock_.Advance(seconds(1));
  RunUntil([this] { return AllEnded(); });
  for (const auto& result : results_) {
    EXPECT_THAT(*result,
                StatusIs(ErrorCode::kHsmUnavailable, HasSubstr("token home")));
  }
  EXPECT_THAT(Run(client_->Call(EncryptOf("x"))),
              StatusIs(ErrorCode::kHsmUnavailable));
  EXPECT_OK(EncryptWrapped());
  EXPECT_TRUE(client_->Ready());
  supervised_.Start();
  RunUntil(
      [this] { return client_->Tokens()[0].state == TokenState::kServing; });
  EXPECT_OK(Run(client_->Call(EncryptOf("x"))));
}

TEST_F(TokensTest, NothingIsLostWhenATokenDies) {
  StartPaired();
  const pid_t stopped = WorkerOf("second");
  ASSERT_GT(stopped, 0);
  kill(stopped, SIGSTOP);
  EncryptAllWrapped(2000);
  RunUntil([this] { return AtHome() > 100; });
  second_.Kill();
  RunUntil([this] { return AllEnded(); });
  ExpectAllWell();
  EXPECT_GT(client_->stats().repeated.Get(), 0);
}

// When a token goes, its other workers go with it a moment later.
TEST_F(TokensTest, ACallIsRepeatedOnAnotherTokenThanTheOneThatDied) {
  supervised_.options().workers = 1;
  StartPaired();
  // Home has more to do than either worker of the second token.
  const pid_t home = WorkerOf("home");
  kill(home, SIGSTOP);
  std::optional<base::Result<hsm::Sealed>> first;
  Spawn(client_->CallOn("home", WrappedEncryptOf("x")), first);
  const pid_t dies = WorkerOf("second");
  kill(dies, SIGSTOP);
  std::optional<base::Result<hsm::Sealed>> repeated;
  Spawn(client_->Call(WrappedEncryptOf("x")), repeated);
  io_.restart();
  io_.poll();
  kill(dies, SIGKILL);
  RunUntil([this] { return client_->stats().repeated.Get() == 1; });
  EXPECT_OK(Run(client_->CallOn("second", hsm::RandomRequest{8})));
  EXPECT_FALSE(repeated.has_value());
  kill(home, SIGCONT);
  RunUntil([&] { return first.has_value() && repeated.has_value(); });
  EXPECT_OK(*repeated);
  EXPECT_EQ(AtHome(), 2);
  EXPECT_EQ(AtSecond(), 1);  // The random bytes.
}

TEST_F(TokensTest, AStartDoesNotWaitForAFurtherToken) {
  Start();
  client_->Require(OneKey(), kAlgorithm);
  EXPECT_OK(EncryptWrapped());
  EXPECT_EQ(Second().state, TokenState::kDown);
  second_.shared().open_error = static_cast<int>(ErrorCode::kHsmUnavailable);
  second_.Start();
  RunUntil([this] {
    return Second().reason.find("no token today") != std::string::npos;
  });
  second_.shared().open_error = -1;
  WaitFor(TokenState::kServing);
}

// Its calls are done by the other one meanwhile.
TEST_F(TokensTest, ATokenThatFailsItsCallsGetsNoneForAWhile) {
  StartPaired();
  second_.shared().encrypt_error = static_cast<int>(ErrorCode::kHsmUnavailable);
  while (Second().state != TokenState::kFailing) {
    EXPECT_OK(EncryptWrapped());
  }
  const int tried = AtSecond();
  EXPECT_EQ(tried, 3);
  EncryptAllWrapped(100);
  ExpectAllWell();
  EXPECT_EQ(AtSecond(), tried);
  // A probe shows that it is not well yet, another one that it is.
  RunUntil([this] { return Second().ready_workers == 2; });
  second_.shared().health_error = static_cast<int>(ErrorCode::kHsmUnavailable);
  clock_.Advance(seconds(1));
  RunUntil([this] { return second_.shared().health_asked > 0; });
  RunUntil([this] { return Second().ready_workers < 2; });
  EXPECT_EQ(Second().state, TokenState::kFailing);
  RunUntil([this] { return Second().ready_workers == 2; });
  second_.shared().health_error = -1;
  second_.shared().encrypt_error = -1;
  clock_.Advance(seconds(2));
  WaitFor(TokenState::kServing);
  EncryptAllWrapped(100);
  ExpectAllWell();
  EXPECT_GT(AtSecond(), tried);
}

// Its answers are not believed: the other one is asked.
TEST_F(TokensTest, ATokenThatLosesItsKeysIsKeptOutAgain) {
  for (const ErrorCode code : {ErrorCode::kNotFound, ErrorCode::kCorrupt}) {
    SCOPED_TRACE(static_cast<int>(code));
    StartPaired();
    second_.shared().encrypt_error = static_cast<int>(code);
    second_.shared().check_error = static_cast<int>(code);
    EncryptAllWrapped(100);
    ExpectAllWell();
    WaitFor(TokenState::kKeptOut);
    RunUntil([this] {
      return Second().reason.find("wrapping key") != std::string::npos;
    });
    const int tried = AtSecond();
    EncryptAllWrapped(100);
    ExpectAllWell();
    EXPECT_EQ(AtSecond(), tried);
    second_.shared().encrypt_error = -1;
    second_.shared().check_error = -1;
    clock_.Advance(seconds(5));
    WaitFor(TokenState::kServing);
    client_.reset();
    second_.Stop();
    supervised_.Stop();
  }
}

// What is wrong with a key is wrong with it everywhere.
TEST_F(TokensTest, ATokenThatHasItsKeysIsBelievedAgain) {
  StartPaired();
  second_.shared().encrypt_error = static_cast<int>(ErrorCode::kCorrupt);
  supervised_.shared().encrypt_error = static_cast<int>(ErrorCode::kCorrupt);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(EncryptWrapped(), StatusIs(ErrorCode::kCorrupt));
  }
  EXPECT_GT(AtSecond(), 0);
  RunUntil([this] { return Second().ready_workers == 2; });
  EXPECT_EQ(Second().state, TokenState::kServing);
}

// Else whoever has a damaged key could have the workers asked all the time.
TEST_F(TokensTest, ATokenThatIsBelievedIsNotAskedWithEachCall) {
  StartPaired();
  second_.shared().encrypt_error = static_cast<int>(ErrorCode::kCorrupt);
  supervised_.shared().encrypt_error = static_cast<int>(ErrorCode::kCorrupt);
  const auto fail = [this](int times) {
    for (int i = 0; i < times; ++i) {
      EXPECT_THAT(EncryptWrapped(), StatusIs(ErrorCode::kCorrupt));
      RunUntil([this] { return Second().ready_workers == 2; });
    }
  };
  const int before = second_.shared().checked;
  fail(20);
  const int once = second_.shared().checked;
  EXPECT_GT(once, before);
  EXPECT_LE(once, before + 2);  // Each of its workers.
  clock_.Advance(seconds(5));
  fail(20);
  EXPECT_GT(second_.shared().checked, once);
  EXPECT_LE(second_.shared().checked, once + 4);  // Idle ones are asked, too.
}

// What it cannot do is done elsewhere meanwhile.
TEST_F(TokensTest, ATokenThatIsBelievedMayStillBeWrong) {
  StartPaired();
  second_.shared().encrypt_error = static_cast<int>(ErrorCode::kCorrupt);
  EncryptAllWrapped(20);
  ExpectAllWell();
  RunUntil([this] { return Second().ready_workers == 2; });
  second_.shared().check_error = static_cast<int>(ErrorCode::kNotFound);
  EncryptAllWrapped(20);
  ExpectAllWell();
  clock_.Advance(seconds(5));
  EncryptAllWrapped(20);
  ExpectAllWell();
  WaitFor(TokenState::kKeptOut);
}

TEST_F(TokensTest, AnIdleTokenThatLostItsKeysIsNoticed) {
  StartPaired();
  second_.shared().check_error = static_cast<int>(ErrorCode::kNotFound);
  clock_.Advance(seconds(5));
  WaitFor(TokenState::kKeptOut);
}

TEST_F(TokensTest, AnIdleTokenThatIsGoneIsNoticed) {
  StartPaired();
  second_.shared().health_error = static_cast<int>(ErrorCode::kHsmUnavailable);
  second_.shared().open_error = static_cast<int>(ErrorCode::kHsmUnavailable);
  clock_.Advance(seconds(4));
  EXPECT_OK(EncryptWrapped());
  EXPECT_EQ(second_.shared().health_asked, 0);
  clock_.Advance(seconds(1));
  WaitFor(TokenState::kDown);
  EXPECT_OK(EncryptWrapped());
}

TEST_F(TokensTest, AnIdleTokenThatHangsIsNoticed) {
  StartPaired();
  second_.shared().hang_health = 1;
  clock_.Advance(seconds(5));
  RunUntil([this] { return second_.shared().hung == 2; });
  second_.shared().hang_health = 0;
  clock_.Advance(seconds(10));
  RunUntil([this] { return client_->stats().workers_replaced.Get() == 2; });
  WaitFor(TokenState::kServing);
}

TEST_F(TokensTest, ADrainedTokenEndsWhatItHasAndGetsNothingNew) {
  StartPaired();
  std::optional<base::Result<hsm::Sealed>> last;
  const pid_t stopped = WorkerOf("second");
  kill(stopped, SIGSTOP);
  Spawn(client_->CallOn("second", WrappedEncryptOf("x")), last);
  io_.restart();
  io_.poll();
  further_tokens_[0].drain = true;
  client_->SetFurtherTokens(further_tokens_);
  EXPECT_EQ(Second().state, TokenState::kDraining);
  EncryptAllWrapped(100);
  ExpectAllWell();
  EXPECT_EQ(AtSecond(), 0);
  kill(stopped, SIGCONT);
  WaitFor(TokenState::kDrained);
  ASSERT_TRUE(last.has_value());
  EXPECT_OK(*last);
  further_tokens_[0].drain = false;
  client_->SetFurtherTokens(further_tokens_);
  EXPECT_EQ(Second().state, TokenState::kServing);
}

TEST_F(TokensTest, KeysAreEvictedFromEveryToken) {
  StartPaired();
  EXPECT_OK(Run(client_->EvictEverywhere({})));
  EXPECT_EQ(supervised_.shared().evictions, 2);
  EXPECT_EQ(second_.shared().evictions, 2);
}

TEST_F(TokensTest, AnEvictionThatATokenDoesNotConfirmFailsUntilItIsTakenOut) {
  StartPaired();
  further_tokens_[0].drain = true;
  client_->SetFurtherTokens(further_tokens_);
  second_.Stop();
  WaitFor(TokenState::kDrained);
  RunUntil([this] { return Second().ready_workers == 0; });
  EXPECT_THAT(
      Run(client_->EvictEverywhere({})),
      StatusIs(ErrorCode::kHsmUnavailable,
               AllOf(HasSubstr("token second"), HasSubstr("may still hold"))));
  client_->SetFurtherTokens({});
  EXPECT_EQ(client_->Tokens().size(), 1U);
  EXPECT_OK(Run(client_->EvictEverywhere({})));
}

TEST_F(TokensTest, AnEvictionWaitsForTheWorkersOfATokenThatWasTakenOut) {
  StartPaired();
  kill(second_.pid(), SIGSTOP);
  client_->SetFurtherTokens({});
  std::optional<base::Status> evicted;
  Spawn(client_->EvictEverywhere({}), evicted);
  RunUntil([this] { return supervised_.shared().evictions == 2; });
  for (int i = 0; i < 10; ++i) {
    EXPECT_OK(Run(client_->Call(hsm::RandomRequest{8})));
  }
  EXPECT_FALSE(evicted.has_value());
  kill(second_.pid(), SIGCONT);
  RunUntil([&] { return evicted.has_value(); });
  EXPECT_OK(*evicted);
}

TEST_F(TokensTest, ATokenThatIsTakenOutForgetsItsKeysAndMayComeBack) {
  StartPaired();
  client_->SetFurtherTokens({});
  EXPECT_THAT(Run(client_->CallOn("second", hsm::RandomRequest{8})),
              StatusIs(ErrorCode::kNotFound, HasSubstr("no token 'second'")));
  // Its processes are new ones.
  RunUntil([this] { return second_.shared().opens == 4; });
  client_->SetFurtherTokens(further_tokens_);
  WaitFor(TokenState::kServing);
  EncryptAllWrapped(100);
  ExpectAllWell();
  EXPECT_GT(AtSecond(), 0);
  EXPECT_EQ(client_->stats().token_count, 2U);
}

// What was sent before it must not bring the key back in a new process.
TEST_F(TokensTest, ANewWorkerIsToldFirstWhatWasEvicted) {
  StartPaired();
  EXPECT_OK(Run(client_->EvictEverywhere({})));
  second_.Kill();
  RunUntil([this] { return Second().state == TokenState::kDown; });
  second_.Start();
  RunUntil([this] { return second_.shared().evictions == 4; });
  WaitFor(TokenState::kServing);
  // For as long as a call can have been on its way.
  clock_.Advance(seconds(241));
  RunUntil([this] { return second_.shared().health_asked > 0; });
  second_.Kill();
  RunUntil([this] { return Second().state == TokenState::kDown; });
  second_.Start();
  WaitFor(TokenState::kServing);
  EXPECT_EQ(second_.shared().evictions, 4);
}

TEST_F(TokensTest, ANewWorkerIsToldWhatAnotherClientEvicted) {
  StartPaired();
  const auto other = std::move(client_);
  MakeClient();
  ASSERT_OK(Run(client_->Start()));
  client_->Require(OneKey(), kAlgorithm);
  RunUntil([this] { return Second().ready_workers == 2; });
  EXPECT_OK(Run(other->EvictEverywhere({})));
  other->Stop();
  EXPECT_EQ(second_.shared().evictions, 2);
  second_.Kill();
  RunUntil([this] { return Second().state == TokenState::kDown; });
  second_.Start();
  RunUntil([this] { return Second().ready_workers == 2; });
  EXPECT_EQ(second_.shared().evictions, 4);
}

TEST_F(TokensTest, ATokenCanBeSpokenToByItsName) {
  StartPaired();
  EXPECT_OK(Run(client_->CallOn("home", hsm::RandomRequest{8})));
  EXPECT_EQ(AtHome(), 1);
  EXPECT_OK(Run(client_->CallOn("second", hsm::RandomRequest{8})));
  EXPECT_OK(Run(client_->CallOn("second", EncryptOf("x"))));
  EXPECT_EQ(AtSecond(), 2);
  EXPECT_THAT(Run(client_->CallOn("third", hsm::RandomRequest{8})),
              StatusIs(ErrorCode::kNotFound, HasSubstr("no token 'third'")));
}

TEST_F(TokensTest, CountsByToken) {
  StartPaired();
  EXPECT_OK(EncryptWrapped());
  const hsm::client::Stats& stats = client_->stats();
  ASSERT_EQ(stats.token_count, 2U);
  EXPECT_EQ(stats.tokens[0].name, "home");
  EXPECT_EQ(stats.tokens[1].name, "second");
  EXPECT_EQ(stats.tokens[1].serving.Get(), 1);
  EXPECT_EQ(stats.tokens[1].workers.Get(), 2);
  EXPECT_EQ(stats.tokens[1].ready_workers.Get(), 2);
  EXPECT_EQ(stats.ready_workers.Get(), 4);
  second_.Stop();
  WaitFor(TokenState::kDown);
  EXPECT_EQ(stats.tokens[1].serving.Get(), 0);
  EXPECT_EQ(stats.tokens[1].ready_workers.Get(), 0);
  client_->SetFurtherTokens({});
  EXPECT_EQ(stats.tokens[1].workers.Get(), 0);
}

}  // namespace
}  // namespace hsm_test
