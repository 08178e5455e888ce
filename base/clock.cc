// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

namespace base {

WallTime RealClock::Now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now());
}

MonotonicTime RealClock::Monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

void FakeClock::Advance(std::chrono::microseconds by) {
  wall_.store(wall_.load() + by);
  monotonic_.store(monotonic_.load() + by);
}

}  // namespace base
