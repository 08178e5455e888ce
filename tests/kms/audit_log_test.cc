// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/bytes.h"
#include "kms/audit/log.h"
#include "kms/audit/text_buffer.h"
#include "tests/kms/audit_fixture.h"

namespace kms::audit {
namespace {

namespace asio = boost::asio;

class AuditLogTest : public testing::Test {
 protected:
  TempFolder folder_;
  base::FakeClock clock_{kNow};
  LogOptions options_ = OptionsFor(folder_.path());
};

TEST_F(AuditLogTest, FirstRecordNamesStoreNodeEpochAndNoPrevious) {
  OpenLog(options_, clock_)->Close();
  const auto lines = LinesOf(folder_.path());
  ASSERT_EQ(lines.size(), 1U);
  const auto record = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(record["recordType"], "SegmentStart");
  EXPECT_EQ(record["storeId"], "store-1");
  EXPECT_EQ(record["eventTime"], "2026-11-22T10:15:00Z");
  const nlohmann::json chain = {{"node", "node-1"},
                                {"epoch", 1},
                                {"sequence", 1},
                                {"group", 1},
                                {"previous", std::string(64, '0')}};
  EXPECT_EQ(record["chain"], chain);
}

TEST_F(AuditLogTest, EveryRecordNamesTheHashOfTheLineBefore) {
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 0, 20);
  log->Close();
  const auto lines = LinesOf(folder_.path());
  ASSERT_EQ(lines.size(), 21U);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto record = nlohmann::json::parse(lines[i]);
    EXPECT_EQ(record["number"], i - 1);
    EXPECT_EQ(record["chain"]["sequence"], i + 1);
    EXPECT_EQ(record["chain"]["previous"],
              base::HexEncode(
                  base::ThreadHasher().Sha256(base::AsBytes(lines[i - 1]))));
  }
}

TEST_F(AuditLogTest, AClosedSegmentHoldsItsLinesAndNothingElse) {
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 0, 3);
  EXPECT_EQ(std::filesystem::file_size(SegmentPaths(folder_.path())[0]),
            options_.segment_bytes);
  log->Close();
  std::string text;
  for (const std::string& line : LinesOf(folder_.path())) {
    text += line + "\n";
  }
  EXPECT_EQ(Slurp(SegmentPaths(folder_.path())[0]), text);
}

TEST_F(AuditLogTest, ALiveLogCanBeVerified) {
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 0, 5);
  const auto verified = Verify(folder_.path(), {});
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  EXPECT_EQ(verified->head_sequence, 6U);
  EXPECT_EQ(verified->tail_bytes, 0U);
}

TEST_F(AuditLogTest, ReopeningContinuesTheSameSegment) {
  for (int run = 0; run < 5; ++run) {
    const auto log = OpenLog(options_, clock_);
    AppendEvents(*log, run * 10, 10);
    EXPECT_EQ(log->health().head_sequence, 1U + (run + 1) * 10);
    EXPECT_EQ(log->health().records, 10U);
  }
  EXPECT_EQ(SegmentPaths(folder_.path()).size(), 1U);
  EXPECT_EQ(LinesOf(folder_.path()).size(), 51U);
}

TEST_F(AuditLogTest, ChainRunsOverSegmentsOfLimitedSize) {
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 0, 300, 1000);
  log->Close();
  const auto paths = SegmentPaths(folder_.path());
  EXPECT_GE(paths.size(), 5U);
  for (const std::string& path : paths) {
    EXPECT_LE(std::filesystem::file_size(path), options_.segment_bytes);
  }
  const auto verified = Verify(folder_.path(), {});
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  EXPECT_EQ(verified->segments, paths.size());
  EXPECT_EQ(verified->records, 300U + paths.size());
  EXPECT_EQ(verified->head_sequence, verified->records);
}

ino_t FileNumber(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

TEST_F(AuditLogTest, TheNextSegmentIsPreparedBeforeItIsNeeded) {
  const std::string spare = folder_.path() + "/audit-next";
  const auto log = OpenLog(options_, clock_);
  int events = 0;
  while (FileNumber(spare) == 0) {  // From half of a segment on.
    ASSERT_LT(events, 1000);
    AppendEvents(*log, events++, 1, 1000);
  }
  const ino_t prepared = FileNumber(spare);
  // It becomes a segment as soon as it is ready and one ends.
  while (FileNumber(SegmentPaths(folder_.path()).back()) != prepared) {
    ASSERT_LT(events, 10000);
    clock_.Advance(std::chrono::seconds(options_.segment_seconds));
    AppendEvents(*log, events++, 1);
  }
  EXPECT_FALSE(std::filesystem::exists(spare));
  AppendEvents(*log, events++, 1);
  log->Close();
  const auto verified = Verify(folder_.path(), {});
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  EXPECT_EQ(verified->records,
            static_cast<std::uint64_t>(events) + verified->segments);
}

TEST_F(AuditLogTest, APreparedSegmentGoesWithItsLog) {
  const std::string spare = folder_.path() + "/audit-next";
  std::ofstream(spare) << "what a killed process has left";
  const auto log = OpenLog(options_, clock_);
  EXPECT_FALSE(std::filesystem::exists(spare));
  AppendEvents(*log, 0, 40, 1000);
  log->Close();
  EXPECT_FALSE(std::filesystem::exists(spare));
  EXPECT_EQ(LinesOf(folder_.path()).size(), 41U);
}

TEST_F(AuditLogTest, AnEventLargerThanASegmentGetsOneOfItsOwn) {
  options_.segment_bytes = 8192;
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 0, 3, 200 << 10);
  log->Close();
  EXPECT_EQ(SegmentPaths(folder_.path()).size(), 3U);
  EXPECT_EQ(LinesOf(folder_.path()).size(), 6U);
}

TEST_F(AuditLogTest, ASegmentEndsAtItsAgeAlsoAcrossRestarts) {
  options_.segment_seconds = 100;
  {
    const auto log = OpenLog(options_, clock_);
    AppendEvents(*log, 0, 1);
    clock_.Advance(std::chrono::seconds{99});
    AppendEvents(*log, 1, 1);
    EXPECT_EQ(SegmentPaths(folder_.path()).size(), 1U);
  }
  clock_.Advance(std::chrono::seconds{1});
  const auto log = OpenLog(options_, clock_);
  AppendEvents(*log, 2, 1);
  EXPECT_EQ(SegmentPaths(folder_.path()).size(), 2U);
  EXPECT_EQ(LinesOf(folder_.path()).size(), 5U);
}

TEST_F(AuditLogTest, ANewEpochOrNodeBeginsASegmentOfTheSameChain) {
  OpenLog(options_, clock_)->Close();
  options_.epoch = 2;
  OpenLog(options_, clock_)->Close();
  options_.node = "node-2";
  OpenLog(options_, clock_)->Close();
  const auto lines = LinesOf(folder_.path());
  ASSERT_EQ(lines.size(), 3U);
  const auto record = nlohmann::json::parse(lines[2]);
  EXPECT_EQ(record["chain"]["epoch"], 2);
  EXPECT_EQ(record["chain"]["node"], "node-2");
  EXPECT_EQ(SegmentPaths(folder_.path()).size(), 3U);
}

TEST_F(AuditLogTest, AStoreOlderThanTheLogIsRefused) {
  options_.epoch = 7;
  OpenLog(options_, clock_)->Close();
  options_.epoch = 6;
  const auto log = Log::Open(options_, clock_);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_NE(log.error().message.find("epoch 7"), std::string::npos);
}

TEST_F(AuditLogTest, AnotherStoresLogIsRefused) {
  OpenLog(options_, clock_)->Close();
  options_.store_id = "store-2";
  const auto log = Log::Open(options_, clock_);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_NE(log.error().message.find("belongs to store store-1"),
            std::string::npos);
}

TEST_F(AuditLogTest, ASecondLogOnTheFolderIsBusy) {
  const auto first = OpenLog(options_, clock_);
  const auto second = Log::Open(options_, clock_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, base::ErrorCode::kBusy);
  AppendEvents(*first, 0, 1);
  first->Close();
  EXPECT_NE(OpenLog(options_, clock_), nullptr);
}

TEST_F(AuditLogTest, AMissingFolderIsAnError) {
  options_.folder += "/none";
  const auto log = Log::Open(options_, clock_);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().code, base::ErrorCode::kIo);
}

TEST_F(AuditLogTest, ANodeNameThatBreaksTheFormatIsRefused) {
  for (const char* node : {"", "a\"b", "a b", "a/b"}) {
    options_.node = node;
    const auto log = Log::Open(options_, clock_);
    ASSERT_FALSE(log.has_value()) << node;
    EXPECT_EQ(log.error().code, base::ErrorCode::kInvalidArgument);
  }
}

TEST_F(AuditLogTest, TextThatIsNoEventIsRefusedAndTheLogGoesOn) {
  const auto log = OpenLog(options_, clock_);
  const std::string nul("{\"a\":\"\0\"}", 9);
  const std::string large = TestEvent(1, Log::kMaxEventBytes);
  for (const std::string& event :
       {std::string(), std::string("{}"), std::string("[1,2]"),
        std::string("{\"a\":1}\n"), std::string("{\"a\":\n1}"), nul, large,
        std::string("{\"recordType\":\"TailCut\"}")}) {
    const base::Status status = log->AppendNow(event);
    ASSERT_FALSE(status.has_value()) << event.substr(0, 80);
    EXPECT_EQ(status.error().code, base::ErrorCode::kInvalidArgument);
  }
  AppendEvents(*log, 1, 1);
  EXPECT_TRUE(log->health().writable);
  EXPECT_EQ(log->health().head_sequence, 2U);
}

TEST_F(AuditLogTest, TheLargestEventIsTaken) {
  std::string event = TestEvent(1, Log::kMaxEventBytes - 100);
  event.insert(event.size() - 2, Log::kMaxEventBytes - event.size(), 'y');
  ASSERT_EQ(event.size(), Log::kMaxEventBytes);
  options_.segment_bytes = 4 << 20;
  const auto log = OpenLog(options_, clock_);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(log->AppendNow(event).has_value());
  }
  EXPECT_EQ(LinesOf(folder_.path()).size(), 9U);
}

TEST_F(AuditLogTest, AppendAfterCloseIsRefused) {
  const auto log = OpenLog(options_, clock_);
  log->Close();
  log->Close();
  const base::Status status = log->AppendNow(TestEvent(1));
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::ErrorCode::kAuditUnavailable);
}

TEST_F(AuditLogTest, RemembersTheLargestStoreRevisionOverSegmentsAndRestarts) {
  {
    const auto log = OpenLog(options_, clock_);
    ASSERT_TRUE(
        log->AppendNow("{\"number\":1,\"storeRevision\":41}").has_value());
    ASSERT_TRUE(
        log->AppendNow("{\"number\":2,\"storeRevision\":40}").has_value());
    // What a client says is not a revision.
    ASSERT_TRUE(log->AppendNow("{\"a\":{\"storeRevision\":99}}").has_value());
    EXPECT_EQ(log->health().max_store_revision, 41U);
    AppendEvents(*log, 0, 100, 1000);  // Several segments without a revision.
  }
  ASSERT_GE(SegmentPaths(folder_.path()).size(), 2U);
  EXPECT_EQ(OpenLog(options_, clock_)->health().max_store_revision, 41U);
  EXPECT_EQ(Verify(folder_.path(), {})->max_store_revision, 41U);
}

// Records of two kinds of executors and of threads, all at once.
TEST_F(AuditLogTest, ConcurrentAppendersAreAllRecordedOnTheirExecutors) {
  constexpr int kCoroutines = 64;
  constexpr int kEach = 50;
  options_.segment_bytes = 256 << 10;
  const auto log = OpenLog(options_, clock_);
  asio::io_context contexts[2];
  std::atomic<int> done = 0;
  std::atomic<int> strangers = 0;
  const auto append = [&](asio::io_context& context,
                          int first) -> asio::awaitable<void> {
    for (int i = 0; i < kEach; ++i) {
      const base::Status status = co_await log->Append(TestEvent(first + i));
      done += status.has_value() ? 1 : 0;
      strangers += context.get_executor().running_in_this_thread() ? 0 : 1;
    }
  };
  for (int i = 0; i < kCoroutines; ++i) {
    asio::io_context& context = contexts[i % 2];
    if (i % 4 < 2) {
      asio::co_spawn(context, append(context, i * kEach), asio::detached);
    } else {
      asio::co_spawn(asio::make_strand(context), append(context, i * kEach),
                     asio::detached);
    }
  }
  std::vector<std::thread> threads;
  for (asio::io_context& context : contexts) {
    threads.emplace_back([&] { context.run(); });
    threads.emplace_back([&] { context.run(); });
  }
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        done += log->AppendNow(TestEvent((kCoroutines + t) * kEach + i))
                    .has_value();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(done, (kCoroutines + 3) * kEach);
  EXPECT_EQ(strangers, 0);
  EXPECT_EQ(log->health().queued, 0U);
  log->Close();

  std::set<int> numbers;
  for (const std::string& line : LinesOf(folder_.path())) {
    numbers.insert(nlohmann::json::parse(line).value("number", -1));
  }
  numbers.erase(-1);
  EXPECT_EQ(numbers.size(), (kCoroutines + 3U) * kEach);
}

TEST_F(AuditLogTest, CloseCompletesWhatWaits) {
  constexpr int kWaiting = 100;
  auto log = OpenLog(options_, clock_);
  asio::io_context context;
  int succeeded = 0;
  for (int i = 0; i < kWaiting; ++i) {
    asio::co_spawn(
        context,
        [&, i]() -> asio::awaitable<void> {
          succeeded += (co_await log->Append(TestEvent(i))).has_value();
        },
        asio::detached);
  }
  context.poll();
  log->Close();
  context.run();
  EXPECT_EQ(succeeded, kWaiting);
}

TEST_F(AuditLogTest, AWrittenEventIsASpareTextWhereItCameFrom) {
  while (!TakeSpareText().empty()) {
  }
  auto log = OpenLog(options_, clock_);
  asio::io_context context;
  const std::string event = TestEvent(1);
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> { (void)co_await log->Append(event); },
      asio::detached);
  context.run();
  EXPECT_EQ(TakeSpareText(), event);
}

TEST_F(AuditLogTest, AnErrorReachesACoroutine) {
  auto log = OpenLog(options_, clock_);
  asio::io_context context;
  base::Status status;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> { status = co_await log->Append("{"); },
      asio::detached);
  context.run();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::ErrorCode::kInvalidArgument);
}

// O_DIRECT on a real disk, the page cache elsewhere: the same files.
TEST_F(AuditLogTest, WritesTheSameWithAndWithoutDirectIo) {
  const TempFolder disk("/var/tmp");
  std::string texts[2];
  for (const bool direct : {true, false}) {
    options_.folder = disk.path() + (direct ? "/direct" : "/cached");
    options_.direct_io = direct;
    std::filesystem::create_directory(options_.folder);
    {
      const auto log = OpenLog(options_, clock_);
      for (int i = 0; i < 40; ++i) {
        AppendEvents(*log, i, 1, 500 * static_cast<std::size_t>(i));
      }
    }
    AppendEvents(*OpenLog(options_, clock_), 40, 1);
    for (const std::string& line : LinesOf(options_.folder)) {
      const auto record = nlohmann::json::parse(line);
      texts[direct] += std::to_string(record.value("number", -1)) + "," +
                       std::to_string(line.size()) + ";";
    }
  }
  EXPECT_EQ(texts[0], texts[1]);
}

TEST_F(AuditLogTest, WarnsOnceWhenSpaceGetsLowAndAgainAfterRecovery) {
  std::atomic<std::uint64_t> free_bytes = 100;
  options_.low_space_bytes = 50;
  options_.free_bytes_of = [&](const std::string& folder) {
    EXPECT_EQ(folder, options_.folder);
    return base::Result<std::uint64_t>(free_bytes.load());
  };
  const auto log = OpenLog(options_, clock_);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto tick = [&](std::uint64_t bytes) {
    free_bytes = bytes;
    clock_.Advance(std::chrono::seconds{5});
    EXPECT_EQ(log->health().free_bytes, bytes);
  };
  for (const std::uint64_t bytes : {60, 40, 30, 60, 20, 10}) {
    tick(bytes);
  }
  free_bytes = 5;  // Too soon to look again.
  EXPECT_EQ(log->health().free_bytes, 10U);
  const std::string output = testing::internal::GetCapturedStdout() +
                             testing::internal::GetCapturedStderr();
  std::size_t warnings = 0;
  for (std::size_t at = output.find("are free in"); at != output.npos;
       at = output.find("are free in", at + 1)) {
    ++warnings;
  }
  EXPECT_EQ(warnings, 2U) << output;
}

}  // namespace
}  // namespace kms::audit
