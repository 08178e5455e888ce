// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

namespace base {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Ne;
using testing::Not;

TEST(FakeClockTest, MovesOnlyWhenTold) {
  FakeClock clock(WallTime(microseconds(1000)));
  EXPECT_EQ(clock.Now(), WallTime(microseconds(1000)));
  EXPECT_EQ(clock.Monotonic(), MonotonicTime(0));
  clock.Advance(microseconds(5));
  EXPECT_EQ(clock.Now(), WallTime(microseconds(1005)));
  EXPECT_EQ(clock.Monotonic(), MonotonicTime(5000));
}

TEST(FakeClockTest, SettingTheTimeOfDayLeavesMonotonicTimeAlone) {
  FakeClock clock(WallTime(hours(100)));
  clock.JumpTo(WallTime(hours(1)));
  EXPECT_EQ(clock.Now(), WallTime(hours(1)));
  EXPECT_EQ(clock.Monotonic(), MonotonicTime(0));
}

TEST(RealClockTest, TellsAPlausibleTimeThatDoesNotGoBack) {
  const RealClock clock;
  EXPECT_GT(clock.Now(),
            std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
  const MonotonicTime before = clock.Monotonic();
  EXPECT_GE(clock.Monotonic(), before);
}

TEST(RandomTest, FillsEveryByte) {
  std::array<std::uint8_t, 65> seen{};
  for (int i = 0; i < 50; ++i) {
    std::array<std::uint8_t, 65> bytes{};
    RandomBytes(std::span(bytes).first(64));
    EXPECT_EQ(bytes[64], 0);  // And not one more.
    for (std::size_t k = 0; k < seen.size(); ++k) {
      seen[k] |= bytes[k];
    }
  }
  EXPECT_THAT(std::span(seen).first(64), Each(Ne(0)));
  RandomBytes({});
}

TEST(UuidTest, HasTheFormOfVersion4) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = NewUuidText();
    EXPECT_EQ(text.size(), 36u);
    EXPECT_THAT(text, MatchesRegex("[0-9a-f]+-[0-9a-f]+-4[0-9a-f]+-[89ab]"
                                   "[0-9a-f]+-[0-9a-f]+"));
    for (const std::size_t dash : {8, 13, 18, 23}) {
      EXPECT_EQ(text[dash], '-');
    }
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

// The generator's bytes are drawn in blocks: a fork must not share what is left
// of one.
TEST(UuidTest, AForkDoesNotRepeatItsParents) {
  NewUuid();
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Uuid uuid = NewUuid();
    const bool written = write(ends[1], uuid.bytes.data(), 16) == 16;
    _exit(written ? 0 : 1);
  }
  Uuid theirs;
  ASSERT_EQ(read(ends[0], theirs.bytes.data(), 16), 16);
  EXPECT_NE(theirs.bytes, NewUuid().bytes);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(ends[0]);
  close(ends[1]);
}

TEST(UuidTest, TextShowsTheBytesInOrder) {
  Uuid uuid;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(i * 0x11);
  }
  EXPECT_EQ(UuidText(uuid), "00112233-4455-6677-8899-aabbccddeeff");
}

template <typename Function>
std::string StderrOf(Function function) {
  testing::internal::CaptureStderr();
  function();
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, OneLineWithTimeProgramAndLevel) {
  const std::string out = StderrOf([] {
    InitLog("clavigerd", LogLevel::kInfo);
    LogWarning("{} of {}", 1, "two");
  });
  EXPECT_THAT(out, MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9:]+\\.[0-9]+Z "
                                "clavigerd\\[[0-9]+\\] warning: 1 of two\n"));
}

TEST(LogTest, LessThanTheLevelIsLeftOut) {
  EXPECT_THAT(StderrOf([] {
                InitLog("p", LogLevel::kWarning);
                LogInfo("not this");
                LogLine(LogLevel::kDebug, "nor this");
              }),
              IsEmpty());
  EXPECT_THAT(StderrOf([] { LogError("this"); }), HasSubstr("error: this\n"));
}

TEST(LogTest, AMessageCannotPoseAsAnother) {
  const std::string out = StderrOf([] {
    InitLog("p", LogLevel::kInfo);
    LogInfo("a\nb\r\x1B[31mc\x7F{} \xC3\xBC", "{}");
  });
  EXPECT_THAT(out, HasSubstr("a\\x0ab\\x0d\\x1b[31mc\\x7f{} \xC3\xBC\n"));
}

}  // namespace
}  // namespace base
