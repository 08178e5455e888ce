// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_REPORT_H_
#define TESTS_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

namespace bench {

// One line of the table. A row without a ratio informs; one with a ratio is
// held against its limit: it is met from 1 on.
struct Row {
  std::string what;
  std::string figure;
  std::string limit;
  std::optional<double> ratio;
  // Another row decides in this row's place, since this host is slow.
  bool advisory = false;
};

// A row with a limit; `text` prints figure and limit.
Row AtLeast(std::string what, double figure, double limit,
            std::string (*text)(double));
Row AtMost(std::string what, double figure, double limit,
           std::string (*text)(double));

bool IsMet(const Row& row);
bool AllMet(const std::vector<Row>& rows);
void Print(const std::vector<Row>& rows);

// The middle of at least one figure.
double Median(std::vector<double> figures);

}  // namespace bench

#endif  // TESTS_BENCH_REPORT_H_
