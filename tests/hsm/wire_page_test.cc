// SPDX-License-Identifier: Apache-2.0
// docs/protocol/worker.md and the code say the same.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "hsm/operations.h"
#include "hsm/status_codes.h"
#include "tests/testlib/status.h"

namespace hsm {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

std::string Page() {
  std::ifstream file(CLAVIGER_WORKER_PAGE);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ProtocolPage, HasEveryOperation) {
  const std::string page = Page();
  for (const OperationRow& row : kOperationRows) {
    EXPECT_THAT(
        page,
        ContainsRegex(fmt::format(
            "\n\\| {} \\| {} \\|[^|]*\\|[^|]*\\| {} \\| {} \\| {} s \\|\n",
            row.number, row.name, row.cost,
            row.lane == Lane::kShort   ? "short"
            : row.lane == Lane::kQuick ? "quick"
            : row.lane == Lane::kLong  ? "long"
                                       : "slow",
            row.deadline.count() / 1000)));
  }
}

TEST(ProtocolPage, HasEveryStatusOfAToken) {
  const std::string page = Page();
  for (std::uint8_t number = 1; number < 64; ++number) {
    if (const auto code = ErrorOfStatus(number)) {
      EXPECT_THAT(page, HasSubstr(fmt::format("\n| {} | {} |\n", number,
                                              testlib::CodeName(*code))));
    }
  }
}

}  // namespace
}  // namespace hsm
