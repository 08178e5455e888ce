// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/line_reader.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/testlib/status.h"
#include "tests/tools/envelope_streams.h"

namespace tools::claviger {
namespace {

constexpr LineReader::Limits kLimits = {.batch_bytes = 100, .line_bytes = 10};

LineReader ReaderOf(std::string_view text, std::size_t step, bool ready = true,
                    LineReader::Limits limits = kLimits) {
  return {From(base::AsBytes(text), step), [ready] { return ready; }, limits};
}

std::vector<std::string> BatchesOf(LineReader reader) {
  std::vector<std::string> batches;
  while (!reader.at_end()) {
    batches.push_back(testlib::Take(reader.Read()));
  }
  return batches;
}

std::string AllOf(LineReader reader) {
  std::string all;
  for (const std::string& batch : BatchesOf(std::move(reader))) {
    all += batch;
  }
  return all;
}

TEST(LineReaderTest, ReturnsWholeLinesWhateverTheReads) {
  const std::string text = "one\n\ntwo\nthree\nthe last";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    for (const bool ready : {false, true}) {
      const auto batches = BatchesOf(ReaderOf(text, step, ready));
      std::string all;
      for (const std::string& batch : batches) {
        EXPECT_TRUE(batch.empty() || batch.ends_with('\n') ||
                    &batch == &batches.back())
            << batch;
        all += batch;
      }
      EXPECT_EQ(all, text);
    }
  }
}

TEST(LineReaderTest, ReturnsWhatIsThereBeforeItWaits) {
  LineReader reader = ReaderOf("one\ntwo\n", 6, /*ready=*/false);
  EXPECT_EQ(testlib::Take(reader.Read()), "one\n");
  EXPECT_EQ(testlib::Take(reader.Read()), "two\n");
  EXPECT_EQ(testlib::Take(reader.Read()), "");
  EXPECT_TRUE(reader.at_end());
}

TEST(LineReaderTest, EndsABatchThatIsFull) {
  const auto batches = BatchesOf(ReaderOf("1\n2\n3\n4\n5\n", 2, true,
                                          {.batch_bytes = 4, .line_bytes = 9}));
  EXPECT_EQ(batches, (std::vector<std::string>{"1\n2\n", "3\n4\n", "5\n"}));
}

TEST(LineReaderTest, CutsLinesThatAreTooLong) {
  const std::string ten(10, 'x');
  const std::string eleven(11, 'x');
  const std::string endless(100'000, 'x');
  for (const std::size_t step : {1U, 7U, 100'000U}) {
    EXPECT_EQ(AllOf(ReaderOf(ten + "\na\n", step)), ten + "\na\n");
    EXPECT_EQ(AllOf(ReaderOf(eleven + "\na\n", step)), eleven + "\na\n");
    EXPECT_EQ(AllOf(ReaderOf(endless + "\na\n", step)), eleven + "\na\n");
    EXPECT_EQ(AllOf(ReaderOf("a\n" + endless, step)), "a\n" + eleven);
  }
}

TEST(LineReaderTest, ReadsNothingOfNothing) {
  EXPECT_EQ(BatchesOf(ReaderOf("", 1)), std::vector<std::string>{""});
}

TEST(LineReaderTest, FailsAsItsSourceDoes) {
  LineReader reader(
      [](std::span<std::uint8_t>) -> base::Result<std::size_t> {
        return base::Error{base::ErrorCode::kIo, "gone"};
      },
      [] { return true; }, kLimits);
  EXPECT_THAT(reader.Read(), testlib::StatusIs(base::ErrorCode::kIo, "gone"));
}

TEST(LineReaderTest, LinesOfABatchHaveNoBreaks) {
  std::vector<std::string> lines;
  ForEachLine("one\n\ntwo",
              [&](std::string_view line) { lines.emplace_back(line); });
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two"}));
}

}  // namespace
}  // namespace tools::claviger
