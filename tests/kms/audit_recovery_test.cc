// SPDX-License-Identifier: Apache-2.0
// What opening makes of a log whose writer or machine stopped at any moment.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/log.h"
#include "kms/audit/chain.h"
#include "kms/audit/log.h"
#include "tests/kms/audit_fixture.h"

namespace kms::audit {
namespace {

class AuditRecoveryTest : public testing::Test {
 protected:
  // Every cut is warned of: hundreds here.
  static void SetUpTestSuite() {
    base::InitLog("test", base::LogLevel::kError);
  }

  // Writes `count` events, and returns the text of the only segment.
  std::string Write(int count) {
    const auto log = OpenLog(options_, clock_);
    AppendEvents(*log, 0, count);
    log->Close();
    path_ = SegmentPaths(folder_.path()).at(0);
    return Slurp(path_);
  }

  base::Error OpenError() {
    const auto log = Log::Open(options_, clock_);
    EXPECT_FALSE(log.has_value());
    return log ? base::Error{base::ErrorCode::kInternal, ""} : log.error();
  }

  // Opening cuts `cut` bytes after `kept` records, says so, and goes on.
  void ExpectCut(std::size_t kept, std::size_t cut) {
    {
      const auto log = OpenLog(options_, clock_);
      ASSERT_NE(log, nullptr);
      AppendEvents(*log, 1000, 1);
    }
    const auto lines = LinesOf(folder_.path());
    ASSERT_EQ(lines.size(), kept + (cut > 0 ? 1 : 0) + 1);
    EXPECT_EQ(nlohmann::json::parse(lines.back())["number"], 1000);
    if (cut > 0) {
      const auto record = nlohmann::json::parse(lines[kept]);
      EXPECT_EQ(record["recordType"], "TailCut");
      EXPECT_EQ(record["cutBytes"], cut);
    }
  }

  TempFolder folder_;
  base::FakeClock clock_{kNow};
  LogOptions options_ = OptionsFor(folder_.path());
  std::string path_;
};

TEST_F(AuditRecoveryTest, ARecordCutOffAtAnyByteIsCutAndRecorded) {
  const std::string text = Write(4);
  const std::size_t last = text.rfind('\n', text.size() - 2) + 1;
  for (std::size_t end = last; end < text.size(); ++end) {
    for (const bool padded : {false, true}) {
      std::string torn = text.substr(0, end);
      torn.resize(padded ? options_.segment_bytes : end, '\0');
      Spill(path_, torn);
      SCOPED_TRACE(end);
      // Before it is cut, it is not counted.
      const auto verified = Verify(folder_.path(), {});
      ASSERT_TRUE(verified.has_value()) << verified.error().message;
      EXPECT_EQ(verified->head_sequence, 4U);
      EXPECT_EQ(verified->tail_bytes, end - last);
      ExpectCut(4, end - last);
    }
  }
}

TEST_F(AuditRecoveryTest, AWholeTextWithPaddingIsNotCut) {
  std::string text = Write(4);
  text.resize(options_.segment_bytes, '\0');
  Spill(path_, text);
  ExpectCut(5, 0);
}

// One group is one write, and its blocks may reach the disk in any order.
TEST_F(AuditRecoveryTest, AGroupWithAHoleIsCutWhole) {
  const std::string text = Write(2);
  const Head head{3, LineHash(LinesOf(folder_.path()).back()), 0};
  std::string group, line;
  Head next = head;
  for (int i = 0; i < 5; ++i) {
    const Link link{"node-1", 1, next.sequence + 1, 4, next.hash};
    ComposeLine(TestEvent(i, 1000), link, line);
    next = {link.sequence, LineHash({line.data(), line.size() - 1}), 0};
    group += line;
  }
  const std::size_t line_size = group.size() / 5;
  for (int broken = 0; broken < 5; ++broken) {
    std::string torn = text + group;
    torn.replace(text.size() + broken * line_size + 50, 512, 512, '\0');
    torn.resize(options_.segment_bytes, '\0');
    Spill(path_, torn);
    SCOPED_TRACE(broken);
    ExpectCut(3 + broken, (5 - broken) * line_size);
  }
}

TEST_F(AuditRecoveryTest, AHoleBeforeAcknowledgedRecordsIsRefused) {
  std::string text = Write(4);
  const std::size_t second = text.find('\n') + 1;
  text.replace(second + 5, 10, 10, '\0');
  text.resize(options_.segment_bytes, '\0');
  Spill(path_, text);
  const base::Error error = OpenError();
  EXPECT_EQ(error.code, base::ErrorCode::kCorrupt);
  EXPECT_NE(error.message.find("audit-00000000000000000001.jsonl:2: "),
            std::string::npos)
      << error.message;
  EXPECT_FALSE(Verify(folder_.path(), {}).has_value());
}

TEST_F(AuditRecoveryTest, AnEditedLineInTheMiddleIsRefused) {
  std::string text = Write(4);
  text.replace(text.find("\"number\":1"), 10, "\"number\":7");
  Spill(path_, text);
  const base::Error error = OpenError();
  EXPECT_EQ(error.code, base::ErrorCode::kCorrupt);
  EXPECT_NE(error.message.find(".jsonl:3: it was edited"), std::string::npos)
      << error.message;
  EXPECT_EQ(Slurp(path_), text);  // Evidence is left alone.
}

TEST_F(AuditRecoveryTest, ALastLineThatDoesNotFitIsCutOnlyBeforePadding) {
  const std::string text = Write(4);
  std::string bad = text;
  bad[text.rfind("previous") + 15] ^= 1;
  Spill(path_, bad);
  EXPECT_EQ(OpenError().code, base::ErrorCode::kCorrupt);
  bad.resize(options_.segment_bytes, '\0');
  Spill(path_, bad);
  EXPECT_FALSE(Verify(folder_.path(), {}).has_value());
  ExpectCut(4, text.size() - text.rfind('\n', text.size() - 2) - 1);
}

TEST_F(AuditRecoveryTest, ASegmentThatWasBeingBegunIsRemoved) {
  const std::string text = Write(4);
  const std::string next = folder_.path() + "/" + SegmentName(6);
  for (const std::string& begun :
       {std::string(), std::string(8192, '\0'),
        text.substr(0, 30) + std::string(8192, '\0')}) {
    Spill(path_, text);
    Spill(next, begun);
    ASSERT_TRUE(Verify(folder_.path(), {}).has_value());
    const bool torn = begun.starts_with('{');
    ExpectCut(5, torn ? 30 : 0);
    EXPECT_FALSE(std::filesystem::exists(next));
  }
}

TEST_F(AuditRecoveryTest, ATornFirstSegmentBeginsAnew) {
  const std::string text = Write(0);
  Spill(path_, text.substr(0, 40));
  const auto log = OpenLog(options_, clock_);
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(log->health().head_sequence, 2U);  // The start, and the cut.
}

// Appends and reports each acknowledged number until it is killed.
[[noreturn]] void AppendUntilKilled(const LogOptions& options, int report) {
  const base::RealClock clock;
  const auto log = Log::Open(options, clock);
  if (!log) {
    _exit(1);
  }
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0;; ++i) {
        const int number = t * 1'000'000 + i;
        if (!(*log)->AppendNow(TestEvent(number, 40 * t)) ||
            write(report, &number, sizeof(number)) != sizeof(number)) {
          _exit(2);
        }
      }
    });
  }
  pause();
  _exit(3);
}

std::vector<int> NumbersIn(const std::string& folder) {
  std::vector<int> numbers;
  for (const std::string& line : LinesOf(folder)) {
    numbers.push_back(nlohmann::json::parse(line).value("number", -1));
  }
  std::ranges::sort(numbers);
  return numbers;
}

// Kills the writer after a random number of acknowledgements: at a random point
// of whatever it does then.
TEST_F(AuditRecoveryTest, NothingAcknowledgedIsLostWhenTheWriterIsKilled) {
  constexpr int kRuns = 50;
  std::mt19937 random(20261122);  // NOLINT(cert-msc*): repeatable.
  for (int run = 0; run < kRuns; ++run) {
    const TempFolder folder(run % 5 == 0 ? "/var/tmp" : "/dev/shm");
    LogOptions options = OptionsFor(folder.path());
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      AppendUntilKilled(options, ends[1]);
    }
    close(ends[1]);
    const std::size_t enough = random() % 1500;
    std::vector<int> acknowledged;
    int number = 0;
    while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
      acknowledged.push_back(number);
      if (acknowledged.size() == enough + 1) {
        kill(child, SIGKILL);
      }
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);

    ASSERT_TRUE(Verify(folder.path(), {}).has_value());
    AppendEvents(*OpenLog(options, clock_), 9'000'000, 1);
    std::ranges::sort(acknowledged);
    const std::vector<int> found = NumbersIn(folder.path());
    EXPECT_TRUE(std::ranges::includes(found, acknowledged)) << run;
    EXPECT_TRUE(std::ranges::binary_search(found, 9'000'000));
  }
}

}  // namespace
}  // namespace kms::audit
