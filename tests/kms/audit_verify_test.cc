// SPDX-License-Identifier: Apache-2.0
// Whoever changes the log is found out, with file and line.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "kms/audit/event.h"
#include "kms/audit/log.h"
#include "tests/kms/audit_fixture.h"

namespace kms::audit {
namespace {

// Three segments of five records and more.
class AuditVerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.segment_seconds = 10;
    const auto log = OpenLog(options_, clock_);
    for (int segment = 0; segment < 3; ++segment) {
      AppendEvents(*log, segment * 5, 5);
      clock_.Advance(std::chrono::seconds{10});
    }
    log->Close();
    paths_ = SegmentPaths(folder_.path());
    ASSERT_EQ(paths_.size(), 3U);
    for (const std::string& path : paths_) {
      texts_.push_back(Slurp(path));
    }
  }

  std::string VerifyError() {
    const auto verified = Verify(folder_.path(), {});
    if (verified) {
      return "";
    }
    EXPECT_EQ(verified.error().code, base::ErrorCode::kCorrupt);
    return verified.error().message;
  }

  std::string Name(std::size_t segment) {
    return std::filesystem::path(paths_[segment]).filename();
  }

  static std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at) + 1;
      lines.push_back(text.substr(at, end - at));
      at = end;
    }
    return lines;
  }

  static std::string Join(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
      text += line;
    }
    return text;
  }

  TempFolder folder_;
  base::FakeClock clock_{kNow};
  LogOptions options_ = OptionsFor(folder_.path());
  std::vector<std::string> paths_, texts_;
};

TEST_F(AuditVerifyTest, AWholeLogIsCompleteToItsHead) {
  std::size_t seen = 0;
  std::string last;
  const auto verified = Verify(folder_.path(), [&](std::string_view line) {
    ++seen;
    last = line;
  });
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  EXPECT_EQ(seen, 18U);
  EXPECT_EQ(verified->records, 18U);
  EXPECT_EQ(verified->segments, 3U);
  EXPECT_EQ(verified->first_sequence, 1U);
  EXPECT_EQ(verified->head_sequence, 18U);
  EXPECT_EQ(verified->head, base::ThreadHasher().Sha256(base::AsBytes(last)));
  EXPECT_FALSE(verified->anchored);
  const std::string text = VerificationText(*verified);
  EXPECT_TRUE(
      text.starts_with("complete to record 18: 18 records from record "
                       "1 on, 3 segments, head " +
                       base::HexEncode(verified->head)))
      << text;
  EXPECT_NE(text.find("no anchor: "), text.npos);
}

// The last line can only be checked for being a record: nothing names its hash.
TEST_F(AuditVerifyTest, AFlippedBitInAnyLineButTheLastIsNamed) {
  for (std::size_t s = 0; s < texts_.size(); ++s) {
    const std::size_t last_line = texts_[s].rfind('\n', texts_[s].size() - 2);
    const std::size_t end =
        s + 1 < texts_.size() ? texts_[s].size() : last_line;
    for (std::size_t at = 0; at < end; at += 17) {
      for (const int bit : {1, 4, 0x80}) {
        std::string edited = texts_[s];
        edited[at] = static_cast<char>(edited[at] ^ bit);
        Spill(paths_[s], edited);
        const auto line =
            std::count(edited.begin(),
                       edited.begin() + static_cast<std::ptrdiff_t>(at), '\n');
        const std::string where = fmt::format("{}:{}", Name(s), line + 1);
        const std::string error = VerifyError();
        // Only the end of a segment leaves a doubt which of two it was.
        EXPECT_TRUE(error.starts_with(where + ": ") ||
                    (line == 5 && error.find(where + ")") != error.npos))
            << s << " " << at << " " << bit << ": " << error;
      }
    }
    Spill(paths_[s], texts_[s]);
  }
}

TEST_F(AuditVerifyTest, ARemovedLineIsNamed) {
  for (std::size_t s = 0; s < 3; ++s) {
    const std::size_t removable = s == 2 ? 5 : 6;
    for (std::size_t line = 0; line < removable; ++line) {
      auto lines = Lines(texts_[s]);
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line));
      Spill(paths_[s], Join(lines));
      // The last line of a segment is missed at the next segment's begin.
      const std::string where = line == 5
                                    ? fmt::format("{}: ", Name(s + 1))
                                    : fmt::format("{}:{}: ", Name(s), line + 1);
      EXPECT_TRUE(VerifyError().starts_with(where)) << VerifyError();
    }
    Spill(paths_[s], texts_[s]);
  }
}

TEST_F(AuditVerifyTest, SwappedLinesAreNamed) {
  auto lines = Lines(texts_[1]);
  std::swap(lines[2], lines[3]);
  Spill(paths_[1], Join(lines));
  EXPECT_TRUE(VerifyError().starts_with(Name(1) + ":3: record 10 stands where"))
      << VerifyError();
}

TEST_F(AuditVerifyTest, ADuplicatedLineIsNamed) {
  auto lines = Lines(texts_[0]);
  lines.insert(lines.begin() + 2, lines[2]);
  Spill(paths_[0], Join(lines));
  EXPECT_TRUE(VerifyError().starts_with(Name(0) + ":4: ")) << VerifyError();
}

TEST_F(AuditVerifyTest, ALineOfAnotherLogIsNamed) {
  auto lines = Lines(texts_[1]);
  lines[2] = Lines(texts_[0])[2];
  Spill(paths_[1], Join(lines));
  EXPECT_TRUE(VerifyError().starts_with(Name(1) + ":3: ")) << VerifyError();
}

TEST_F(AuditVerifyTest, AMissingSegmentIsNamed) {
  std::filesystem::remove(paths_[1]);
  EXPECT_EQ(VerifyError(), Name(2) +
                               ": the segment before it is missing: records 7 "
                               "to 12");
}

TEST_F(AuditVerifyTest, AMissingFirstSegmentIsNamedUnlessItIsElsewhere) {
  const TempFolder archive;
  std::filesystem::copy(paths_[0], archive.path());
  std::filesystem::remove(paths_[0]);
  EXPECT_EQ(VerifyError(),
            Name(1) + ": the segment before it is missing: records 1 to 6");
  const auto before = Verify(archive.path(), {});
  ASSERT_TRUE(before.has_value());
  VerifyFrom from{before->head_sequence, before->head};
  const auto rest = Verify(folder_.path(), {}, from);
  ASSERT_TRUE(rest.has_value()) << rest.error().message;
  EXPECT_EQ(rest->first_sequence, 7U);
  EXPECT_EQ(rest->records, 12U);
  from.hash[0] ^= 1;
  EXPECT_FALSE(Verify(folder_.path(), {}, from).has_value());
}

TEST_F(AuditVerifyTest, ARenamedSegmentIsNamed) {
  std::filesystem::rename(paths_[1], folder_.path() + "/" + SegmentName(8));
  EXPECT_TRUE(VerifyError().starts_with(SegmentName(8) + ": "))
      << VerifyError();
}

TEST_F(AuditVerifyTest, PaddingInAnOldSegmentIsHarmlessButTextBehindItIsNot) {
  Spill(paths_[0], texts_[0] + std::string(5000, '\0'));
  EXPECT_EQ(VerifyError(), "");
  Spill(paths_[0], texts_[0] + std::string(5000, '\0') + "x");
  EXPECT_TRUE(VerifyError().starts_with(Name(0) + ":7: ")) << VerifyError();
  Spill(paths_[0], texts_[0] + "{\"half");
  EXPECT_TRUE(VerifyError().starts_with(Name(0) + ":7: ")) << VerifyError();
}

TEST_F(AuditVerifyTest, ALastLineThatIsNoJsonIsNamed) {
  std::string edited = texts_[2];
  edited[edited.rfind("number") - 1] = '\'';
  Spill(paths_[2], edited);
  EXPECT_EQ(VerifyError(),
            Name(2) + ":6: this is not JSON: it was edited or damaged");
}

// The limit of a log without an anchor, stated so that nobody relies on more.
TEST_F(AuditVerifyTest, NewestRecordsCutOffCannotBeNoticedWithoutAnAnchor) {
  auto lines = Lines(texts_[2]);
  lines.resize(3);
  Spill(paths_[2], Join(lines));
  const auto verified = Verify(folder_.path(), {});
  ASSERT_TRUE(verified.has_value());
  EXPECT_EQ(verified->head_sequence, 15U);
  EXPECT_FALSE(verified->anchored);
}

TEST_F(AuditVerifyTest, AFolderWithoutALogIsNotFound) {
  const TempFolder empty;
  EXPECT_EQ(Verify(empty.path(), {}).error().code, base::ErrorCode::kNotFound);
  EXPECT_EQ(Verify(empty.path() + "/none", {}).error().code,
            base::ErrorCode::kIo);
}

TEST_F(AuditVerifyTest, FindsTheEventsThatAreThere) {
  const std::string ids[] = {base::NewUuidText(), base::NewUuidText(),
                             base::NewUuidText()};
  const auto log = OpenLog(options_, clock_);
  Event event;
  event.event_id = ids[0];
  ASSERT_TRUE(log->AppendNow(EventText(event)).has_value());
  // A client names the third id; that does not make it an event.
  event.event_id = ids[1];
  const Member request[] = {{"eventID", ids[2]}};
  event.request = request;
  ASSERT_TRUE(log->AppendNow(EventText(event)).has_value());
  ASSERT_TRUE(
      log->AppendNow("{\"a\":{\"eventID\":\"" + ids[2] + "\"}}").has_value());
  const auto found = FindEvents(folder_.path(), {ids[0], ids[1], ids[2]});
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(*found, (std::set<std::string>{ids[0], ids[1]}));
  EXPECT_EQ(FindEvents(folder_.path(), {})->size(), 0U);
}

TEST_F(AuditVerifyTest, LooksForEventsInSegmentsOfTheirTimeOnly) {
  // The start records' ids: one in each segment.
  std::vector<std::string> ids;
  for (const std::string& text : texts_) {
    ids.push_back(
        nlohmann::json::parse(Lines(text)[0])["eventID"].get<std::string>());
  }
  const std::set<std::string> all(ids.begin(), ids.end());
  EXPECT_EQ(FindEvents(folder_.path(), all), all);
  EXPECT_EQ(
      FindEvents(folder_.path(), all, kNow + std::chrono::seconds{15})->size(),
      2U);
}

}  // namespace
}  // namespace kms::audit
