// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>

#include "tests/hsm/client_fixture.h"

namespace hsm_test {
namespace {

using base::ErrorCode;
using std::chrono::seconds;
using testing::HasSubstr;
using testlib::StatusIs;

bool Works(const base::Result<hsm::Sealed>& result) {
  return result.has_value();
}

class FailureTest : public ClientTest {
 protected:
  // Calls until one succeeds: for what takes the supervisor a moment.
  void ExpectToWorkAgain() {
    for (int i = 0; i < 1000; ++i) {
      if (Works(Run(client_->Call(EncryptOf("again"))))) {
        return;
      }
    }
    ADD_FAILURE() << "no call succeeded";
  }

  void WaitForHung(int count) {
    RunUntil([this, count] { return supervised_.shared().hung >= count; });
  }
};

// What kills every worker that it meets meets two; what was behind it is tried
// twice, too.
TEST_F(FailureTest, ADeadlyCallKillsTwoWorkersAndNoMore) {
  Start();
  std::vector<std::string> texts(3000, "x");
  texts[1500] = kDie;
  EncryptAll(texts);
  RunUntil([this] { return AllEnded(); });
  int lost = 0;
  for (const auto& result : results_) {
    if (!result->has_value()) {
      EXPECT_THAT(*result, StatusIs(ErrorCode::kHsmUnavailable));
      ++lost;
    }
  }
  EXPECT_GE(lost, 1);
  EXPECT_LE(lost, 64);  // The window.
  EXPECT_FALSE(results_[1500]->has_value());
  EXPECT_EQ(client_->stats().worker_losses.Get(), 2);
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
  ExpectToWorkAgain();
}

// Stopped, so that it is certain what it was doing.
TEST_F(FailureTest, WhatAKilledWorkerWasDoingIsDoneByAnother) {
  Start();
  const pid_t stopped = SomeWorker();
  kill(stopped, SIGSTOP);
  EncryptAll(std::vector<std::string>(500, "x"));
  io_.restart();
  io_.poll();
  kill(stopped, SIGKILL);
  RunUntil([this] { return AllEnded(); });
  for (const auto& result : results_) {
    EXPECT_OK(*result);
  }
  EXPECT_GT(client_->stats().repeated.Get(), 0);
  EXPECT_EQ(client_->stats().queued_cost.Get(), 0);
}

// It may have been made, and nobody knows its name.
TEST_F(FailureTest, AKeyThatAKilledWorkerWasMakingIsNotMadeAgain) {
  Start();
  hsm::GenerateKeyRequest request;
  request.key.locator.bytes.fill(kSlowKey);
  std::optional<base::Result<hsm::GenerateKeyReply>> made;
  Spawn(client_->Call(request), made);
  WaitForHung(1);
  supervised_.Kill();
  supervised_.Start();
  RunUntil([&] { return made.has_value(); });
  EXPECT_THAT(*made, StatusIs(ErrorCode::kHsmUnavailable,
                              HasSubstr("may have happened")));
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
  EXPECT_EQ(supervised_.shared().hung, 1);
}

TEST_F(FailureTest, AllWorkersMayDieAndComeBack) {
  Start();
  for (int round = 0; round < 3; ++round) {
    const pid_t one = SomeWorker();
    ASSERT_GT(one, 0);
    kill(one, SIGKILL);
    RunUntil(
        [&] { return client_->stats().worker_losses.Get() == 2 * round + 1; });
    const pid_t other = SomeWorker();
    kill(other, SIGKILL);
    RunUntil(
        [&] { return client_->stats().worker_losses.Get() == 2 * round + 2; });
    RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
    ExpectToWorkAgain();
  }
}

TEST_F(FailureTest, AWorkerThatMissesADeadlineIsKilledBeforeItsCallersLearnIt) {
  Start();
  EncryptAll({std::string(kHang)});
  WaitForHung(1);
  clock_.Advance(seconds(9));
  EXPECT_OK(Run(client_->Call(EncryptOf("meanwhile"))));
  EXPECT_FALSE(results_[0].has_value());
  clock_.Advance(seconds(1));
  RunUntil([this] { return AllEnded(); });
  EXPECT_THAT(*results_[0],
              StatusIs(ErrorCode::kTimeout, HasSubstr("worker was replaced")));
  EXPECT_EQ(client_->stats().workers_replaced.Get(), 1);
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
  EXPECT_EQ(supervised_.shared().opens, 3);
}

TEST_F(FailureTest, CallsThatWaitWhileAllWorkersHangAreServedLater) {
  Start();
  EncryptAll({std::string(kHang), std::string(kHang)});
  WaitForHung(2);
  EncryptAll(std::vector<std::string>(500, "wait"));
  clock_.Advance(seconds(10));
  RunUntil([this] { return AllEnded(); });
  // Some were in the hung workers' windows, the others were not sent.
  int served = 0;
  for (const auto& result : results_) {
    served += result->has_value() ? 1 : 0;
  }
  EXPECT_GE(served, 502 - 2 * 64);
}

TEST_F(FailureTest, ATokenThatIsGoneTakesItsWorkerWithIt) {
  Start();
  EXPECT_THAT(Run(client_->Call(EncryptOf(kTokenGone))),
              StatusIs(ErrorCode::kHsmUnavailable, "the token was pulled out"));
  RunUntil([this] { return client_->stats().worker_losses.Get() == 1; });
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
  // The link is to a new worker, not to the one that is about to end.
  EXPECT_EQ(supervised_.shared().opens, 3);
  EXPECT_EQ(client_->stats().worker_losses.Get(), 1);
  ExpectToWorkAgain();
}

TEST_F(FailureTest, ARestartedSupervisorIsFoundAgain) {
  Start();
  supervised_.Kill();
  RunUntil([this] { return !client_->Ready(); });
  clock_.Advance(seconds(2));
  EXPECT_THAT(Run(client_->Call(EncryptOf("x"))),
              StatusIs(ErrorCode::kHsmUnavailable));
  supervised_.Start();
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
  ExpectToWorkAgain();
}

TEST_F(FailureTest, QueuedCallsEndWhenTheOutageLasts) {
  Start();
  supervised_.Stop();
  RunUntil([this] { return !client_->Ready(); });
  EncryptAll({"a", "b"});  // Taken: it may be a moment only.
  io_.restart();
  io_.poll();
  EXPECT_FALSE(AllEnded());
  clock_.Advance(seconds(2));
  RunUntil([this] { return AllEnded(); });
  EXPECT_THAT(*results_[0], StatusIs(ErrorCode::kHsmUnavailable,
                                     HasSubstr("claviger-hsm running")));
}

TEST_F(FailureTest, StartSaysWhyAWorkerCannotOpenItsToken) {
  supervised_.shared().open_error = static_cast<int>(ErrorCode::kAccessDenied);
  supervised_.Start();
  MakeClient();
  EXPECT_THAT(
      Run(client_->Start()),
      StatusIs(ErrorCode::kAccessDenied, "key store test: no token today"));
  EXPECT_FALSE(client_->Ready());
}

TEST_F(FailureTest, StartSaysWhenNoSupervisorIsThere) {
  MakeClient();
  EXPECT_THAT(Run(client_->Start()),
              StatusIs(ErrorCode::kHsmUnavailable,
                       HasSubstr(supervised_.socket_path())));
}

TEST_F(FailureTest, StopFailsWhatHasNotEnded) {
  Start();
  EncryptAll({std::string(kHang), std::string(kHang)});
  WaitForHung(2);
  EncryptAll(std::vector<std::string>(300, "x"));
  client_->Stop();
  RunUntil([this] { return AllEnded(); });
  for (const auto& result : results_) {
    EXPECT_THAT(*result,
                StatusIs(ErrorCode::kHsmUnavailable, HasSubstr("stopped")));
  }
  EXPECT_THAT(Run(client_->Call(EncryptOf("late"))),
              StatusIs(ErrorCode::kHsmUnavailable));
}

TEST_F(FailureTest, EvictsFromEveryWorker) {
  Start();
  EXPECT_OK(Run(client_->EvictEverywhere({})));
  EXPECT_EQ(supervised_.shared().evictions, 2);
  EXPECT_EQ(supervised_.shared().opens, 2);
}

TEST_F(FailureTest, EvictsFromAHungWorkerByKillingIt) {
  Start();
  EncryptAll({std::string(kHang)});
  WaitForHung(1);
  std::optional<base::Status> evicted;
  Spawn(client_->EvictEverywhere({}), evicted);
  RunUntil([this] { return supervised_.shared().evictions == 1; });
  EXPECT_FALSE(evicted.has_value());
  clock_.Advance(seconds(2));
  RunUntil([&] { return evicted.has_value(); });
  EXPECT_OK(*evicted);
  RunUntil([this] { return AllEnded(); });
  EXPECT_FALSE(results_[0]->has_value());
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
  EXPECT_EQ(supervised_.shared().opens, 3);
}

TEST_F(FailureTest, AWorkerThatCannotEvictIsKilled) {
  Start();
  supervised_.shared().evict_error = static_cast<int>(ErrorCode::kInternal);
  EXPECT_OK(Run(client_->EvictEverywhere({})));
  RunUntil([this] { return client_->stats().worker_losses.Get() == 2; });
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
  EXPECT_EQ(supervised_.shared().opens, 4);
}

TEST_F(FailureTest, AnEvictionThatNobodyConfirmsFails) {
  Start();
  supervised_.Kill();
  RunUntil([this] { return !client_->Ready(); });
  EXPECT_THAT(Run(client_->EvictEverywhere({})),
              StatusIs(ErrorCode::kHsmUnavailable,
                       HasSubstr("may still hold the key")));
}

}  // namespace
}  // namespace hsm_test
