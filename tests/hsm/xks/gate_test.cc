// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace hsm::xks {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Eq;
using testing::Optional;

class GateTest : public testing::Test {
 protected:
  // Asks once, and says how that ended.
  void TimeOut(const std::string& proxy) {
    ASSERT_THAT(gate_.Refusal(proxy), Eq(std::nullopt));
    gate_.Ended(proxy, true);
  }

  base::FakeClock clock_{base::WallTime{}};
  Gate gate_{20, clock_};
};

TEST_F(GateTest, LetsSoManyThroughInASecond) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(gate_.Refusal("a"), Eq(std::nullopt)) << i;
  }
  EXPECT_THAT(gate_.Refusal("a"), Optional(XksOutcome::kThrottling));
  EXPECT_THAT(gate_.Refusal("b"), Eq(std::nullopt));
  clock_.Advance(milliseconds{49});
  EXPECT_THAT(gate_.Refusal("a"), Optional(XksOutcome::kThrottling));
  clock_.Advance(milliseconds{2});
  EXPECT_THAT(gate_.Refusal("a"), Eq(std::nullopt));
  EXPECT_THAT(gate_.Refusal("a"), Optional(XksOutcome::kThrottling));
  // What was not used is not kept for longer than a second.
  clock_.Advance(seconds{100});
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(gate_.Refusal("a"), Eq(std::nullopt)) << i;
  }
  EXPECT_THAT(gate_.Refusal("a"), Optional(XksOutcome::kThrottling));
}

TEST_F(GateTest, AsksAProxyThatTimesOutNoMoreForASecond) {
  for (int i = 0; i < 10; ++i) {
    TimeOut("a");
  }
  EXPECT_THAT(gate_.Refusal("a"), Optional(XksOutcome::kTimedOut));
  EXPECT_THAT(gate_.Refusal("b"), Eq(std::nullopt));
  clock_.Advance(milliseconds{999});
  EXPECT_THAT(gate_.Refusal("a"), Optional(XksOutcome::kTimedOut));
  clock_.Advance(milliseconds{1});
  // One tries it; the others wait for what that one finds.
  EXPECT_THAT(gate_.Refusal("a"), Eq(std::nullopt));
  EXPECT_THAT(gate_.Refusal("a"), Optional(XksOutcome::kTimedOut));
  gate_.Ended("a", true);
  EXPECT_THAT(gate_.Refusal("a"), Optional(XksOutcome::kTimedOut));
  clock_.Advance(seconds{1});
  EXPECT_THAT(gate_.Refusal("a"), Eq(std::nullopt));
  gate_.Ended("a", false);
  EXPECT_THAT(gate_.Refusal("a"), Eq(std::nullopt));
  EXPECT_THAT(gate_.Refusal("a"), Eq(std::nullopt));
}

TEST_F(GateTest, CountsOnlyTimeOutsInARow) {
  for (int i = 0; i < 9; ++i) {
    TimeOut("a");
  }
  ASSERT_THAT(gate_.Refusal("a"), Eq(std::nullopt));
  gate_.Ended("a", false);
  for (int i = 0; i < 9; ++i) {
    TimeOut("a");
  }
  EXPECT_THAT(gate_.Refusal("a"), Eq(std::nullopt));
}

TEST_F(GateTest, ForgetsProxiesThatNobodyAsks) {
  for (int i = 0; i < 1024; ++i) {
    TimeOut("proxy " + std::to_string(i));
  }
  clock_.Advance(seconds{60});
  EXPECT_THAT(gate_.Refusal("another"), Eq(std::nullopt));
  EXPECT_EQ(gate_.size(), 1U);
}

}  // namespace
}  // namespace hsm::xks
