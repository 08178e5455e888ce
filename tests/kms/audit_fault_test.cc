// SPDX-License-Identifier: Apache-2.0
// The disk is full or broken: nothing is acknowledged, and afterwards the log
// goes on as if those records had never been.
#include <errno.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "kms/audit/log.h"
#include "tests/kms/audit_fixture.h"

namespace {

// What the next writes do.
enum class Fault { kNone, kWait, kNothing, kHalf, kAll };
std::atomic<Fault> g_fault = Fault::kNone;
std::atomic<int> g_errno = EIO;

}  // namespace

// Stands before the C library's function for everything in this program: waits
// for another order, or writes nothing, half or all of the bytes and then says
// that it failed.
extern "C" ssize_t pwrite(int fd, const void* bytes, size_t size,
                          off_t offset) noexcept(false) {
  g_fault.wait(Fault::kWait);
  const Fault fault = g_fault;
  if (fault == Fault::kHalf || fault == Fault::kAll) {
    const size_t part = fault == Fault::kAll ? size : size / 2 / 4096 * 4096;
    syscall(SYS_pwrite64, fd, bytes, part, offset);
  }
  if (fault != Fault::kNone) {
    errno = g_errno;
    return -1;
  }
  return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

namespace kms::audit {
namespace {

class AuditFaultTest : public testing::Test {
 protected:
  ~AuditFaultTest() override { g_fault = Fault::kNone; }

  void ExpectRefused(Log& log, int number, std::size_t size = 0) {
    const base::Status status = log.AppendNow(TestEvent(number, size));
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, base::ErrorCode::kAuditUnavailable);
    EXPECT_NE(status.error().message.find("audit-"), std::string::npos);
    EXPECT_FALSE(log.health().writable);
  }

  std::vector<int> Numbers() {
    std::vector<int> numbers;
    for (const std::string& line : LinesOf(folder_.path())) {
      numbers.push_back(nlohmann::json::parse(line).value("number", -1));
    }
    return numbers;
  }

  TempFolder folder_;
  base::FakeClock clock_{kNow};
  LogOptions options_ = OptionsFor(folder_.path());
};

TEST_F(AuditFaultTest, AfterAFailedWriteTheLogGoesOnWithoutItsRecords) {
  for (const Fault fault : {Fault::kNothing, Fault::kHalf, Fault::kAll}) {
    const auto log = OpenLog(options_, clock_);
    AppendEvents(*log, 1, 1);
    g_fault = fault;
    // Larger than what comes after, so that remains would be seen.
    ExpectRefused(*log, 2, 20000);
    ExpectRefused(*log, 3);
    g_fault = Fault::kNone;
    AppendEvents(*log, 4, 1);
    EXPECT_TRUE(log->health().writable);
    EXPECT_EQ(log->health().records, 2U);
    // Also as the live file is now.
    const auto verified = Verify(folder_.path(), {});
    ASSERT_TRUE(verified.has_value()) << verified.error().message;
    EXPECT_EQ(verified->tail_bytes, 0U);
  }
  EXPECT_EQ(Numbers(), (std::vector<int>{-1, 1, 4, 1, 4, 1, 4}));
}

TEST_F(AuditFaultTest, AClosedLogHoldsNothingOfAFailedWrite) {
  {
    const auto log = OpenLog(options_, clock_);
    AppendEvents(*log, 1, 1);
    g_fault = Fault::kAll;
    ExpectRefused(*log, 2, 20000);
    log->Close();
    g_fault = Fault::kNone;
  }
  EXPECT_EQ(Numbers(), (std::vector<int>{-1, 1}));
}

TEST_F(AuditFaultTest, ARemovedSegmentIsFollowedByAnother) {
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 1, 2);
  const std::vector<std::string> before = SegmentPaths(folder_.path());
  ASSERT_EQ(before.size(), 1U);
  std::filesystem::remove(before.front());
  AppendEvents(*log, 3, 2);
  const std::vector<std::string> after = SegmentPaths(folder_.path());
  ASSERT_EQ(after.size(), 1U);
  EXPECT_NE(after, before);
  EXPECT_NE(Slurp(after.front()).find("\"number\":4"), std::string::npos);
  // Whoever took the records cannot hide it.
  const auto verified = Verify(folder_.path(), {});
  ASSERT_FALSE(verified.has_value());
  EXPECT_NE(verified.error().message.find("missing"), std::string::npos)
      << verified.error().message;
}

// Else a server that is told ready no more, and so gets no request, would never
// be ready again.
TEST_F(AuditFaultTest, ADiskThatWorksAgainIsNoticedWithoutARecord) {
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 1, 1);
  for (const std::chrono::hours pause :
       {std::chrono::hours{0}, std::chrono::hours{48}}) {
    clock_.Advance(pause);  // After two days a new segment is due.
    g_fault = Fault::kAll;
    ExpectRefused(*log, 2);
    g_fault = Fault::kNone;
    while (!log->health().writable) {
      std::this_thread::yield();
    }
  }
  AppendEvents(*log, 3, 1);
  EXPECT_EQ(Numbers(), (std::vector<int>{-1, 1, -1, 3}));
}

TEST_F(AuditFaultTest, ASegmentThatCannotBeBegunIsTriedAgain) {
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 1, 1);
  clock_.Advance(std::chrono::hours{48});  // The next record rotates.
  g_fault = Fault::kAll;
  g_errno = ENOSPC;
  ExpectRefused(*log, 2);
  ExpectRefused(*log, 3);
  EXPECT_EQ(SegmentPaths(folder_.path()).size(), 1U);
  g_fault = Fault::kNone;
  AppendEvents(*log, 4, 1);
  EXPECT_EQ(SegmentPaths(folder_.path()).size(), 2U);
  EXPECT_EQ(Numbers(), (std::vector<int>{-1, 1, -1, 4}));
}

TEST_F(AuditFaultTest, OpeningOnABrokenDiskFailsAndLeavesNoSegment) {
  g_fault = Fault::kAll;
  EXPECT_FALSE(Log::Open(options_, clock_).has_value());
  EXPECT_EQ(SegmentPaths(folder_.path()).size(), 0U);
}

TEST_F(AuditFaultTest, ASlowDiskThrottlesAtABound) {
  constexpr int kAppends = 400;  // Of 200 KiB: more than may wait.
  options_.segment_bytes = 16 << 20;
  const auto log = OpenLog(options_, clock_);
  g_fault = Fault::kWait;
  boost::asio::io_context context;
  int recorded = 0;
  int throttled = 0;
  for (int i = 0; i < kAppends; ++i) {
    boost::asio::co_spawn(
        context,
        [&, i]() -> boost::asio::awaitable<void> {
          const auto status = co_await log->Append(TestEvent(i, 200 << 10));
          recorded += status.has_value();
          throttled += !status.has_value() &&
                       status.error().code == base::ErrorCode::kThrottled;
        },
        boost::asio::detached);
  }
  context.poll();
  EXPECT_GT(throttled, 0);
  EXPECT_EQ(log->health().queued, static_cast<unsigned>(kAppends - throttled));
  EXPECT_TRUE(log->health().writable);
  g_fault = Fault::kNone;
  g_fault.notify_all();
  context.run();
  EXPECT_EQ(recorded + throttled, kAppends);
  log->Close();
  int found = 0;
  const auto verified = Verify(folder_.path(), [&](std::string_view line) {
    found += line.starts_with("{\"number\"");
  });
  EXPECT_TRUE(verified.has_value());
  EXPECT_EQ(found, recorded);
}

// The soft limit is per process: a child lowers and raises its own.
int AppendUnderFileSizeLimit(LogOptions options, const base::Clock& clock) {
  signal(SIGXFSZ, SIG_IGN);
  const auto log = Log::Open(std::move(options), clock);
  if (!log) {
    return 1;
  }
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{10'000, limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  int number = 0;
  while (number < 100 && (*log)->AppendNow(TestEvent(number, 500))) {
    ++number;
  }
  const base::Status refused = (*log)->AppendNow(TestEvent(1000));
  if (number == 0 || number == 100 || refused.has_value() ||
      refused.error().code != base::ErrorCode::kAuditUnavailable ||
      (*log)->health().writable) {
    return 2;
  }
  setrlimit(RLIMIT_FSIZE, &limit);
  for (int i = number; i < 100; ++i) {
    if (!(*log)->AppendNow(TestEvent(i, 500))) {
      return 3;
    }
  }
  return (*log)->health().writable ? 0 : 4;
}

TEST_F(AuditFaultTest, AtAFileSizeLimitRecordsAreRefusedUntilItIsRaised) {
  for (const char* parent : {"/dev/shm", "/var/tmp"}) {
    const TempFolder folder(parent);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      _exit(AppendUnderFileSizeLimit(OptionsFor(folder.path()), clock_));
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status)) << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    std::vector<int> want = {-1};
    for (int i = 0; i < 100; ++i) {
      want.push_back(i);
    }
    std::vector<int> numbers;
    for (const std::string& line : LinesOf(folder.path())) {
      numbers.push_back(nlohmann::json::parse(line).value("number", -1));
    }
    std::erase(numbers, -1);
    want.erase(want.begin());
    EXPECT_EQ(numbers, want);
  }
}

}  // namespace
}  // namespace kms::audit
