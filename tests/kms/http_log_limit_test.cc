// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "kms/http/log_limit.h"
#include "tests/kms/http_testing.h"

namespace kms::http {
namespace {

using std::chrono::seconds;

TEST(LogLimit, LetsOneThroughInAnIntervalAndCountsTheRest) {
  base::FakeClock clock(kNoon);
  LogLimit limit(clock, seconds(10));
  EXPECT_EQ(limit.Count(), 0u);
  EXPECT_EQ(limit.Count(), std::nullopt);
  EXPECT_EQ(limit.Count(), std::nullopt);
  clock.Advance(seconds(10));
  EXPECT_EQ(limit.Count(), 2u);
  EXPECT_EQ(limit.Count(), std::nullopt);
  clock.Advance(seconds(100));
  EXPECT_EQ(limit.Count(), 1u);
}

TEST(LogLimit, DoesNotMindASetClock) {
  base::FakeClock clock(kNoon);
  LogLimit limit(clock, seconds(10));
  EXPECT_EQ(limit.Count(), 0u);
  clock.JumpTo(kNoon - seconds(1000000));
  EXPECT_EQ(limit.Count(), std::nullopt);
}

}  // namespace
}  // namespace kms::http
