// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_TOKEN_ALONE_H_
#define TESTS_BENCH_TOKEN_ALONE_H_

#include <string>

namespace bench {

// What can be asked of the token alone.
enum class TokenTask : char {
  // Generation, test and syncfs under the token's lock. Keys a second.
  kGenerateKeys = 'k',
  // The token's part of a hot operation. Microseconds of CPU for one.
  kGenerateDataKey = 'g',
  kEncrypt = 'e',
  kDecrypt = 'd',
  // Signatures a second.
  kSign = 's',  // RSA-2048.
  kSignP256 = 'p',
};

// Makes a SoftHSM token in `folder` and, for each TokenTask that comes from
// `in`, has the token do it for a slice of time, in this process and as a
// worker does it, and writes a line with the figure to `out`. Returns at the
// end of `in`, and at the first failure.
void MeasureTokenAlone(const std::string& folder, int in, int out);

}  // namespace bench

#endif  // TESTS_BENCH_TOKEN_ALONE_H_
