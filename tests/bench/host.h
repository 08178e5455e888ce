// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_HOST_H_
#define TESTS_BENCH_HOST_H_

#include "base/result.h"

namespace bench {

// What all processors have spent since the machine started (proc(5),
// /proc/stat), in ticks.
struct ProcessorTimes {
  double total = 0;
  double stolen = 0;  // A host ran something else instead of this machine.
};
base::Result<ProcessorTimes> ReadProcessorTimes();

// Which share (0..1) of the processors a host took between two moments. A
// machine that loses some milliseconds now and then shows them in every p99,
// and accounts a part of them to its processes.
double StolenShare(const ProcessorTimes& before, const ProcessorTimes& after);

}  // namespace bench

#endif  // TESTS_BENCH_HOST_H_
