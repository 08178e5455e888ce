// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_SIGNERS_H_
#define TESTS_BENCH_SIGNERS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// A question to LoadBeside(): Sign with this body, over so many connections,
// for a little longer than a slice that starts at the same time, on both sides.
std::string SignersQuestion(std::uint16_t port, std::size_t connections,
                            std::chrono::milliseconds slice,
                            std::string_view body);

// Answers each line from `in`, a SignersQuestion, with a line to `out`:
// signatures a second. Returns at the end of `in`.
void LoadBeside(int in, int out);

}  // namespace bench

#endif  // TESTS_BENCH_SIGNERS_H_
