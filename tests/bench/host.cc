// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/host.h"

#include <fstream>
#include <string>

namespace bench {

base::Result<ProcessorTimes> ReadProcessorTimes() {
  constexpr int kColumns = 8;  // user nice system idle iowait irq softirq steal
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  ProcessorTimes times;
  for (int i = 0; i < kColumns; ++i) {
    double ticks = 0;
    file >> ticks;
    times.total += ticks;
    times.stolen = ticks;  // The last one.
  }
  if (!file || name != "cpu") {
    return base::Error{base::ErrorCode::kIo, "cannot read /proc/stat"};
  }
  return times;
}

double StolenShare(const ProcessorTimes& before, const ProcessorTimes& after) {
  const double total = after.total - before.total;
  return total > 0 ? (after.stolen - before.stolen) / total : 0;
}

}  // namespace bench
