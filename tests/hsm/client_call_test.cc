// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "tests/hsm/client_fixture.h"

namespace hsm_test {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;

std::vector<std::string> Numbers(int count) {
  std::vector<std::string> texts;
  texts.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    texts.push_back(std::to_string(i));
  }
  return texts;
}

// A long call that its worker never answers.
hsm::GenerateKeyRequest CallThatHangs() {
  hsm::GenerateKeyRequest request;
  request.key.locator.bytes.fill(kSlowKey);
  return request;
}

TEST_F(ClientTest, GivesEachOfTenThousandCallersItsOwnAnswer) {
  Start();
  // Within the queue's bound, as often as it takes.
  for (int round = 0; round < 4; ++round) {
    const auto texts = Numbers(2500);
    results_.clear();
    EncryptAll(texts);
    RunUntil([this] { return AllEnded(); });
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ASSERT_OK(*results_[i]);
      EXPECT_EQ((*results_[i])->ciphertext, Flipped(base::AsBytes(texts[i])));
    }
  }
  const auto& stats = client_->stats().operations[1];
  EXPECT_EQ(stats.calls.Get(), 10'000);
  EXPECT_EQ(stats.errors.Get(), 0);
}

TEST_F(ClientTest, SpeaksEveryOperation) {
  Start();
  hsm::GenerateKeyRequest generate;
  generate.key.locator.bytes.fill(7);
  ASSERT_OK_AND_ASSIGN(const auto key, Run(client_->Call(generate)));
  EXPECT_EQ(key.check_value[0], 7);

  ASSERT_OK_AND_ASSIGN(const hsm::Sealed sealed,
                       Run(client_->Call(EncryptOf("text"))));
  hsm::DecryptRequest decrypt;
  decrypt.sealed = sealed;
  ASSERT_OK_AND_ASSIGN(const auto plain, Run(client_->Call(decrypt)));
  EXPECT_EQ(plain.plaintext.RevealText(), "text");

  hsm::GenerateDataKeyRequest data_key;
  data_key.size = 32;
  ASSERT_OK_AND_ASSIGN(const auto made, Run(client_->Call(data_key)));
  EXPECT_EQ(made.plaintext.size(), 32U);
  data_key.want_plaintext = false;
  ASSERT_OK_AND_ASSIGN(const auto hidden, Run(client_->Call(data_key)));
  EXPECT_TRUE(hidden.plaintext.empty());

  hsm::ReEncryptRequest again;
  again.sealed = sealed;
  ASSERT_OK_AND_ASSIGN(const auto resealed, Run(client_->Call(again)));
  EXPECT_EQ(resealed.ciphertext, sealed.ciphertext);

  ASSERT_OK_AND_ASSIGN(const auto random,
                       Run(client_->Call(hsm::RandomRequest{24})));
  EXPECT_EQ(random.plaintext.size(), 24U);
  EXPECT_OK(Run(client_->Call(hsm::CheckKeyRequest{})));
  EXPECT_OK(Run(client_->Call(hsm::HealthRequest{})));
  ASSERT_OK_AND_ASSIGN(const auto profile,
                       Run(client_->Call(hsm::CapabilitiesRequest{})));
  EXPECT_EQ(profile.notes.at(1), "hides nothing");
  ASSERT_OK_AND_ASSIGN(const auto listed,
                       Run(client_->Call(hsm::ListKeysRequest{})));
  EXPECT_EQ(listed.keys.size(), static_cast<std::size_t>(kListedKeys));
  EXPECT_EQ(listed.keys.at(4999).label, "4999");
}

TEST_F(ClientTest, HandsOnTheTokensErrors) {
  Start();
  EXPECT_THAT(Run(client_->Call(hsm::DestroyKeyRequest{})),
              StatusIs(ErrorCode::kNotFound, "no such object"));
  hsm::DecryptRequest decrypt;
  decrypt.sealed.ciphertext = base::Bytes(20, 1);
  EXPECT_THAT(Run(client_->Call(decrypt)),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));
  EXPECT_EQ(client_->stats().operations[2].errors.Get(), 1);
}

TEST_F(ClientTest, RefusesARequestThatTheProtocolCannotCarry) {
  Start();
  hsm::EncryptRequest request;
  request.plaintext = base::Secret(hsm::kMaxPlaintext + 1);
  EXPECT_THAT(Run(client_->Call(std::move(request))),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("longer")));
  EXPECT_OK(Run(client_->Call(EncryptOf("next"))));
}

TEST_F(ClientTest, CarriesTheLongestRequestsInBulk) {
  Start();
  const std::string text(hsm::kMaxPlaintext, 'x');
  EncryptAll(std::vector<std::string>(500, text));
  RunUntil([this] { return AllEnded(); });
  for (const auto& result : results_) {
    ASSERT_OK(*result);
    EXPECT_EQ((*result)->ciphertext.size(), text.size() + hsm::kTagSize);
  }
}

TEST_F(ClientTest, ThrottlesWhenTheQueueIsFull) {
  Start();
  // The workers' windows and the queue take 2 x 64 + 4096.
  EncryptAll(Numbers(6000));
  RunUntil([this] { return AllEnded(); });
  std::map<int, int> by_code;
  for (const auto& result : results_) {
    ++by_code[*result ? -1 : static_cast<int>((*result).error().code)];
  }
  EXPECT_THAT(by_code,
              testing::UnorderedElementsAre(
                  testing::Pair(-1, testing::Ge(4096)),
                  testing::Pair(static_cast<int>(ErrorCode::kThrottled),
                                testing::Ge(1))));
  EXPECT_EQ(client_->stats().queued_cost.Get(), 0);
  EXPECT_GT(client_->stats().throttled.Get(), 0);
}

// So do 64 clients that sign at once, with one worker for it; and what waits in
// one lane refuses nobody in another one.
TEST_F(ClientTest, AFullLaneRefusesNobodyInAnotherOne) {
  Start();
  std::vector<std::optional<base::Result<hsm::GenerateKeyReply>>> waiting(600);
  for (auto& result : waiting) {
    Spawn(client_->Call(CallThatHangs()), result);
  }
  const auto throttled = [&] {
    return std::ranges::count_if(waiting, [](const auto& result) {
      return result && result->error().code == ErrorCode::kThrottled;
    });
  };
  RunUntil([&] { return throttled() > 0; });
  EXPECT_LT(throttled(), 200);
  EncryptAll(Numbers(1000));
  RunUntil([this] { return AllEnded(); });
  for (const auto& result : results_) {
    ASSERT_OK(*result);
  }
  client_->Stop();
  RunUntil([&] {
    return std::ranges::all_of(
        waiting, [](const auto& result) { return result.has_value(); });
  });
}

class SpreadTest : public ClientTest {
 protected:
  // The workers that serve `count` short calls at once; each takes `time`.
  std::set<pid_t> WorkersOf(int count, std::chrono::microseconds time = {}) {
    std::vector<std::optional<base::Result<hsm::Capabilities>>> seen(
        static_cast<std::size_t>(count));
    for (auto& result : seen) {
      Spawn(client_->Call(hsm::CapabilitiesRequest{}), result);
    }
    io_.restart();
    io_.run_one();  // The first is given to its worker, and not yet sent.
    clock_.Advance(time);
    RunUntil([&] {
      return std::ranges::all_of(
          seen, [](const auto& result) { return result.has_value(); });
    });
    std::set<pid_t> pids;
    for (const auto& result : seen) {
      pids.insert(std::stoi((*result)->token_serial));
    }
    return pids;
  }
};

TEST_F(SpreadTest, LoadGoesToAllWorkers) {
  Start();
  EXPECT_EQ(WorkersOf(64).size(), 2U);
}

TEST_F(SpreadTest, ShortCallsStayTogetherWhileTheirWorkerIsQuick) {
  Start();
  for (int i = 0; i < 400; ++i) {
    ASSERT_EQ(WorkersOf(1).size(), 1U);
  }
  EXPECT_EQ(WorkersOf(32).size(), 1U);
  EXPECT_EQ(WorkersOf(100).size(), 2U);  // More than it has room for.
  for (int i = 0; i < 400; ++i) {
    ASSERT_EQ(WorkersOf(1, std::chrono::milliseconds(1)).size(), 1U);
  }
  EXPECT_EQ(WorkersOf(4).size(), 2U);
}

// It may hang.
TEST_F(SpreadTest, NoCallJoinsAWorkerThatDoesNotAnswer) {
  Start();
  for (int i = 0; i < 400; ++i) {
    ASSERT_EQ(WorkersOf(1).size(), 1U);
  }
  EncryptAll({std::string(kHang)});
  while (supervised_.shared().hung == 0) {
    io_.restart();
    io_.poll();
  }
  clock_.Advance(std::chrono::milliseconds(1));
  EXPECT_EQ(WorkersOf(1).size(), 1U);
  EXPECT_FALSE(AllEnded());
}

// Where processors are few, who waits for a data key comes before who waits for
// a signature with RSA.
TEST_F(SpreadTest, OneWorkerHasPrecedence) {
  Start();
  std::multiset<int> niceness;
  for (const pid_t pid : WorkersOf(64)) {
    niceness.insert(getpriority(PRIO_PROCESS, static_cast<id_t>(pid)));
  }
  const int own = getpriority(PRIO_PROCESS, 0);
  EXPECT_THAT(niceness, testing::ElementsAre(own, std::min(own + 5, 19)));
}

// Worker 1 hangs in a long call; all else goes on at worker 0.
TEST_F(ClientTest, ShortCallsDoNotWaitBehindLongOnes) {
  Start();
  std::optional<base::Result<hsm::GenerateKeyReply>> never;
  Spawn(client_->Call(CallThatHangs()), never);
  EncryptAll(Numbers(1000));
  RunUntil([this] { return AllEnded(); });
  for (const auto& result : results_) {
    ASSERT_OK(*result);
  }
  EXPECT_FALSE(never.has_value());
  clock_.Advance(std::chrono::seconds(121));
  RunUntil([&] { return never.has_value(); });
  EXPECT_THAT(*never, StatusIs(ErrorCode::kTimeout));
}

// A signature that is as short as they are is one of them; another is not.
TEST_F(ClientTest, QuickSignaturesDoNotWaitBehindLongCalls) {
  Start();
  std::optional<base::Result<hsm::GenerateKeyReply>> never;
  Spawn(client_->Call(CallThatHangs()), never);
  std::optional<base::Result<hsm::SignReply>> waits;
  const auto sign = [](hsm::Algorithm algorithm) {
    hsm::SignRequest request;
    request.key.algorithm = algorithm;
    return request;
  };
  Spawn(client_->Call(sign(hsm::Algorithm::kRsa2048Sign)), waits);
  // The token of these tests signs nothing, but says so.
  for (const auto quick :
       {hsm::Algorithm::kP256Sign, hsm::Algorithm::kEd25519Sign}) {
    EXPECT_THAT(Run(client_->Call(sign(quick))),
                StatusIs(ErrorCode::kUnsupportedOperation));
  }
  EXPECT_FALSE(waits.has_value());
  clock_.Advance(std::chrono::seconds(121));
  RunUntil([&] { return never.has_value() && waits.has_value(); });
}

// Both wait in one lane, and the key may wait for longer than the signature.
TEST_F(ClientTest, ADeadlineDoesNotWaitForALaterOneBeforeIt) {
  Start();
  // Worker 1 takes two of them.
  std::vector<std::optional<base::Result<hsm::GenerateKeyReply>>> keys(3);
  for (auto& result : keys) {
    Spawn(client_->Call(CallThatHangs()), result);
  }
  hsm::SignRequest request;
  request.key.algorithm = hsm::Algorithm::kRsa2048Sign;
  std::optional<base::Result<hsm::SignReply>> signature;
  Spawn(client_->Call(std::move(request)), signature);
  io_.restart();
  io_.poll();
  EXPECT_EQ(client_->stats().queued_cost.Get(), 120);
  clock_.Advance(std::chrono::seconds(10));
  RunUntil([&] { return signature.has_value(); });
  EXPECT_THAT(*signature,
              StatusIs(ErrorCode::kThrottled, HasSubstr("not tried")));
  EXPECT_FALSE(keys[2].has_value());
  EXPECT_EQ(client_->stats().queued_cost.Get(), 40);
  client_->Stop();
  RunUntil([&] {
    return std::ranges::all_of(
        keys, [](const auto& result) { return result.has_value(); });
  });
}

class SlowWorkerTest : public ClientTest {
 protected:
  SlowWorkerTest() : ClientTest(3) { slow_worker_ = true; }
  // What never ends, ends before the place of its results.
  ~SlowWorkerTest() override {
    client_.reset();
    io_.restart();
    io_.run();
  }

  void Hang(hsm::Algorithm algorithm) {
    hsm::GenerateKeyPairRequest request;
    request.key.algorithm = algorithm;
    request.key.locator.bytes.fill(kSlowKey);
    Spawn(client_->Call(request), never_.emplace_back());
  }

  std::deque<std::optional<base::Result<hsm::GenerateKeyPairReply>>> never_;
};

// More of them than the slow worker takes at once; they wait for it, and
// nothing else waits.
TEST_F(SlowWorkerTest, KeyPairsHoldUpOnlyKeyPairs) {
  Start();
  for (int i = 0; i < 10; ++i) {
    Hang(hsm::Algorithm::kRsa4096Sign);
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_OK(Run(client_->Call(hsm::GenerateKeyRequest{})));
  }
  EncryptAll(Numbers(1000));
  RunUntil([this] { return AllEnded(); });
  for (const auto& result : results_) {
    ASSERT_OK(*result);
  }
  for (const auto& pair : never_) {
    EXPECT_FALSE(pair.has_value());
  }
  EXPECT_LE(supervised_.shared().hung.load(), 1);
}

// A key is forgotten when the slow worker has made its pair, and the pair is
// not lost.
TEST_F(SlowWorkerTest, AnEvictionWaitsForAKeyPair) {
  Start();
  hsm::GenerateKeyPairRequest request;
  request.key.algorithm = hsm::Algorithm::kRsa4096Sign;
  request.key.locator.bytes.fill(kSlowPair);
  std::optional<base::Result<hsm::GenerateKeyPairReply>> pair;
  Spawn(client_->Call(request), pair);
  RunUntil([this] { return supervised_.shared().hung == 1; });
  std::optional<base::Status> evicted;
  Spawn(client_->EvictEverywhere({}), evicted);
  RunUntil([this] { return supervised_.shared().evictions == 2; });
  clock_.Advance(std::chrono::seconds(29));
  EXPECT_OK(Run(client_->Call(hsm::CapabilitiesRequest{})));
  EXPECT_FALSE(evicted.has_value());
  supervised_.shared().finish_slow = 1;
  RunUntil([&] { return evicted.has_value() && pair.has_value(); });
  EXPECT_OK(*evicted);
  // The worker's own answer: it was not killed.
  EXPECT_THAT(*pair, StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_EQ(supervised_.shared().evictions, 3);
  EXPECT_EQ(supervised_.shared().opens, 3);
}

// Nobody waits two minutes for a deletion because a worker hangs.
TEST_F(SlowWorkerTest, AnEvictionReplacesASlowWorkerThatHangs) {
  Start();
  Hang(hsm::Algorithm::kRsa4096Sign);
  RunUntil([this] { return supervised_.shared().hung == 1; });
  std::optional<base::Status> evicted;
  Spawn(client_->EvictEverywhere({}), evicted);
  RunUntil([this] { return supervised_.shared().evictions == 2; });
  clock_.Advance(std::chrono::seconds(30));
  RunUntil([&] { return evicted.has_value(); });
  EXPECT_OK(*evicted);
  RunUntil([&] { return never_[0].has_value(); });
  EXPECT_FALSE(never_[0]->has_value());
}

// At a start nobody waits for what it is making.
TEST_F(SlowWorkerTest, AnEvictionMayReplaceTheSlowWorker) {
  Start();
  Hang(hsm::Algorithm::kRsa4096Sign);
  RunUntil([this] { return supervised_.shared().hung == 1; });
  std::optional<base::Status> evicted;
  Spawn(client_->EvictEverywhere({}, hsm::client::SlowWorker::kReplace),
        evicted);
  RunUntil([this] { return supervised_.shared().evictions == 2; });
  clock_.Advance(std::chrono::seconds(2));
  RunUntil([&] { return evicted.has_value(); });
  EXPECT_OK(*evicted);
  RunUntil([&] { return never_[0].has_value(); });
  EXPECT_FALSE(never_[0]->has_value());
}

// Nothing but key pairs goes to the last worker while another lives.
TEST_F(SlowWorkerTest, TheSlowWorkerServesNothingElse) {
  Start();
  std::set<std::string> pids;
  for (int i = 0; i < 50; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto found,
                         Run(client_->Call(hsm::CapabilitiesRequest{})));
    pids.insert(found.token_serial);
  }
  EXPECT_LE(pids.size(), 2U);
}

TEST_F(ClientTest, MeasuresWhatItDoes) {
  Start();
  ASSERT_OK(Run(client_->Call(hsm::HealthRequest{})));
  const hsm::client::OperationStats& health = client_->stats().operations[9];
  EXPECT_EQ(health.calls.Get(), 1);
  EXPECT_EQ(health.latency_ns.Get(), 0);  // The clock stood still.
  EXPECT_EQ(health.latency[0].Get(), 1);
  EXPECT_EQ(client_->stats().ready_workers.Get(), 2);
  EXPECT_TRUE(client_->Ready());
}

}  // namespace
}  // namespace hsm_test
