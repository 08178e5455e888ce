// SPDX-License-Identifier: Apache-2.0
// For whom a record waits; audit_fault_test.cc has those that it waits for.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/kms/audit_fixture.h"

namespace kms::audit {
namespace {

class AuditGroupTest : public testing::Test {
 protected:
  AuditGroupTest() { options_.patience = std::chrono::hours(1); }

  Log& log() {
    if (log_ == nullptr) {
      log_ = OpenLog(options_, clock_);
    }
    return *log_;
  }

  std::size_t Groups() {
    log().Close();
    return GroupsIn(folder_.path());
  }

  TempFolder folder_;
  base::FakeClock clock_{kNow};
  LogOptions options_ = OptionsFor(folder_.path());
  std::unique_ptr<Log> log_;
};

TEST_F(AuditGroupTest, WaitsForNobodyWhereNobodyComes) {
  AppendEvents(log(), 0, 3);
  EXPECT_EQ(Groups(), 3U);
}

TEST_F(AuditGroupTest, WaitsForNobodyElseThanOneCallInProgress) {
  const Announcement one(log());
  AppendEvents(log(), 0, 3);
  EXPECT_EQ(Groups(), 3U);
}

TEST_F(AuditGroupTest, DoesNotWaitForLong) {
  options_.patience = std::chrono::milliseconds(1);
  const Announcement first(log());
  const Announcement second(log());
  AppendEvents(log(), 0, 3);
  EXPECT_EQ(Groups(), 3U);
}

TEST_F(AuditGroupTest, CountsWhoIsOnTheWay) {
  {
    Announcement first(log());
    const Announcement second(log());
    EXPECT_EQ(log().announced(), 2U);
    first.End();
    first.End();
    EXPECT_EQ(log().announced(), 1U);
  }
  EXPECT_EQ(log().announced(), 0U);
}

}  // namespace
}  // namespace kms::audit
