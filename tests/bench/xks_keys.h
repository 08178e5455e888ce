// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_XKS_KEYS_H_
#define TESTS_BENCH_XKS_KEYS_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "tests/bench/report.h"

namespace bench {

// The XKS proxy, in a folder of its own under `folder`: Encrypt as AWS KMS asks
// for it, within TLS and with a client certificate, beside the server's own
// Encrypt; and its latency at the rate that AWS KMS keeps to.
base::Result<std::vector<Row>> MeasureXksKeys(const std::string& bin_dir,
                                              const std::string& folder,
                                              int rounds);

}  // namespace bench

#endif  // TESTS_BENCH_XKS_KEYS_H_
