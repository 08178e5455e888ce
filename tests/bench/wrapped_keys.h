// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_WRAPPED_KEYS_H_
#define TESTS_BENCH_WRAPPED_KEYS_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "tests/bench/report.h"

namespace bench {

// The placement `wrapped`, in a folder of its own under `folder`: keys made a
// second, a hot key beside a resident one, and 10,000 and 1,000,000 keys.
base::Result<std::vector<Row>> MeasureWrappedKeys(const std::string& bin_dir,
                                                  const std::string& folder,
                                                  int rounds);

}  // namespace bench

#endif  // TESTS_BENCH_WRAPPED_KEYS_H_
