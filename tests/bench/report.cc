// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bench {

bool IsMet(const Row& row) { return !row.ratio || *row.ratio >= 1; }

bool AllMet(const std::vector<Row>& rows) {
  return std::ranges::all_of(
      rows, [](const Row& row) { return row.advisory || IsMet(row); });
}

Row AtLeast(std::string what, double figure, double limit,
            std::string (*text)(double)) {
  return {std::move(what), text(figure), ">= " + text(limit), figure / limit};
}

Row AtMost(std::string what, double figure, double limit,
           std::string (*text)(double)) {
  return {std::move(what), text(figure), "<= " + text(limit), limit / figure};
}

void Print(const std::vector<Row>& rows) {
  fmt::print("{:<54} {:>12} {:>12} {:>6}\n", "what", "measured", "limit",
             "ratio");
  for (const Row& row : rows) {
    const char* const verdict = !row.ratio     ? ""
                                : IsMet(row)   ? "met"
                                : row.advisory ? "slow host"
                                               : "MISSED";
    fmt::print("{:<54} {:>12} {:>12} {:>6} {}\n", row.what, row.figure,
               row.limit, row.ratio ? fmt::format("{:.2f}", *row.ratio) : "",
               verdict);
  }
}

double Median(std::vector<double> figures) {
  const auto middle =
      figures.begin() + static_cast<std::ptrdiff_t>(figures.size() / 2);
  std::ranges::nth_element(figures, middle);
  return *middle;
}

}  // namespace bench
