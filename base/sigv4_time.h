// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SIGV4_TIME_H_
#define BASE_SIGV4_TIME_H_

#include <array>
#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace base {

// An AmzDate is a point in time as SigV4 writes it: ISO 8601 basic format,
// "20150830T123600Z".
struct AmzDate {
  std::array<char, 16> digits;

  std::string_view text() const { return {digits.data(), digits.size()}; }
  std::string_view date() const { return text().substr(0, 8); }
};

// `time` must lie in the years 0 to 9999; fractions of a second are dropped.
AmzDate FormatAmzDate(WallTime time);

// Fails with kIncompleteSignature if `text` has another form or names a day or
// an hour that does not exist.
Result<std::chrono::sys_seconds> ParseAmzDate(std::string_view text);

}  // namespace base

#endif  // BASE_SIGV4_TIME_H_
