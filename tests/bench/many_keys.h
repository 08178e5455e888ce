// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_MANY_KEYS_H_
#define TESTS_BENCH_MANY_KEYS_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "tests/bench/report.h"

namespace bench {

// Measures listings and look-ups in a store of 100,000 keys beside one of
// 1,000, how long a server with either needs to start, and how long a program
// with the PKCS#11 module `module` waits for a list of 1,000. The keys are rows
// without a token behind them but for the first: nothing here uses their
// material. Programs of `bin_dir`; state in a new folder below `folder`.
base::Result<std::vector<Row>> MeasureManyKeys(const std::string& bin_dir,
                                               const std::string& module,
                                               const std::string& folder,
                                               int rounds);

}  // namespace bench

#endif  // TESTS_BENCH_MANY_KEYS_H_
