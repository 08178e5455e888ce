// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_TOKEN_ALONE_H_
#define TESTS_BENCH_TOKEN_ALONE_H_

#include <string>

namespace bench {

// Makes a SoftHSM token in `folder` and, for each byte that comes from `in`,
// generates keys on it for a slice of time as a worker does (generation, test,
// syncfs, under the token's lock) and writes a line to `out`: the keys a
// second. Returns at the end of `in`.
void MeasureTokenAlone(const std::string& folder, int in, int out);

}  // namespace bench

#endif  // TESTS_BENCH_TOKEN_ALONE_H_
