// SPDX-License-Identifier: Apache-2.0
// Reading the newest records of a log.
#include <gmock/gmock.h>

#include <utility>

#include "kms/audit/tail.h"
#include "tests/kms/audit_fixture.h"

namespace kms::audit {
namespace {

using testing::ElementsAreArray;
using Records = std::vector<std::pair<std::uint64_t, std::string>>;

class AuditTailTest : public testing::Test {
 protected:
  Records ReadFrom(std::uint64_t sequence) {
    Records records;
    const base::Status status =
        ReadAfter(folder_.path(), sequence,
                  [&](std::uint64_t number, std::string_view line) {
                    records.emplace_back(number, line);
                  });
    EXPECT_TRUE(status.has_value()) << status.error().message;
    return records;
  }
  // What Verify shows of the same records.
  Records Expected(std::uint64_t sequence) {
    Records records;
    std::uint64_t number = 0;
    for (std::string& line : LinesOf(folder_.path())) {
      if (++number > sequence) {
        records.emplace_back(number, std::move(line));
      }
    }
    return records;
  }

  TempFolder folder_;
  base::FakeClock clock_{kNow};
};

TEST_F(AuditTailTest, BeginsAfterAnyRecordOfAnySegment) {
  const auto log = OpenLog(OptionsFor(folder_.path()), clock_);
  AppendEvents(*log, 1, 40, 10'000);
  ASSERT_GT(SegmentPaths(folder_.path()).size(), 3U);
  const std::uint64_t head = log->health().head_sequence;
  for (std::uint64_t sequence = 0; sequence <= head + 1; ++sequence) {
    EXPECT_THAT(ReadFrom(sequence), ElementsAreArray(Expected(sequence)))
        << sequence;
  }
  EXPECT_TRUE(ReadFrom(head).empty());
}

TEST_F(AuditTailTest, ReadsTheLargestEvents) {
  const auto log = OpenLog(OptionsFor(folder_.path()), clock_);
  AppendEvents(*log, 1, 3, Log::kMaxEventBytes - 100);
  EXPECT_THAT(ReadFrom(0), ElementsAreArray(Expected(0)));
}

TEST_F(AuditTailTest, ReadsOnlyTheSegmentsThatItNeeds) {
  {
    const auto log = OpenLog(OptionsFor(folder_.path()), clock_);
    AppendEvents(*log, 1, 20, 10'000);
  }
  const Records expected = Expected(15);
  std::filesystem::remove(SegmentPaths(folder_.path()).front());
  EXPECT_THAT(ReadFrom(15), ElementsAreArray(expected));
}

TEST_F(AuditTailTest, BeginsWithWhatIsThere) {
  {
    const auto log = OpenLog(OptionsFor(folder_.path()), clock_);
    AppendEvents(*log, 1, 20, 10'000);
  }
  const std::uint64_t gone =
      ListSegments(folder_.path()).value().at(1).first_sequence - 1;
  const Records expected = Expected(gone);
  std::filesystem::remove(SegmentPaths(folder_.path()).front());
  EXPECT_THAT(ReadFrom(0), ElementsAreArray(expected));
}

TEST_F(AuditTailTest, PassesOverNoRecordBecauseOfADamagedOne) {
  {
    const auto log = OpenLog(OptionsFor(folder_.path()), clock_);
    AppendEvents(*log, 1, 3);
  }
  Records expected = Expected(0);
  const std::string path = SegmentPaths(folder_.path()).front();
  std::string bytes = Slurp(path);
  const std::size_t at = bytes.find("\"number\":2");
  bytes[at] = 'x';
  expected[2].second[expected[2].second.find("\"number\"")] = 'x';
  Spill(path, bytes);
  EXPECT_THAT(ReadFrom(0), ElementsAreArray(expected));
}

TEST_F(AuditTailTest, EndsAtWhatIsNoLine) {
  {
    const auto log = OpenLog(OptionsFor(folder_.path()), clock_);
    AppendEvents(*log, 1, 2);
  }
  const Records expected = Expected(0);
  const std::string path = SegmentPaths(folder_.path()).front();
  const std::string good = Slurp(path);
  for (const std::string& rest :
       {std::string("{\"cut off\""), std::string(100, '\0'),
        std::string("x\0y\n", 4), std::string(1 << 20, 'z')}) {
    Spill(path, good + rest);
    EXPECT_THAT(ReadFrom(0), ElementsAreArray(expected)) << rest.substr(0, 9);
  }
}

TEST_F(AuditTailTest, AFolderThatIsNotThereIsAnError) {
  const auto status =
      ReadAfter(folder_.path() + "/absent", 0,
                [](std::uint64_t, std::string_view) { FAIL(); });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::ErrorCode::kIo);
}

}  // namespace
}  // namespace kms::audit
