// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_BACKOFF_H_
#define HSM_BACKOFF_H_

#include <algorithm>
#include <chrono>

namespace hsm {

// A Backoff says how long to wait before the next attempt: each time twice as
// long, up to a limit.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : first_(first), longest_(longest), next_(first) {}

  std::chrono::milliseconds Next() {
    const std::chrono::milliseconds pause = next_;
    next_ = std::min(next_ * 2, longest_);
    return pause;
  }
  void Reset() { next_ = first_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds next_;
};

}  // namespace hsm

#endif  // HSM_BACKOFF_H_
