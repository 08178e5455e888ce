// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_CIRCUIT_H_
#define HSM_CLIENT_CIRCUIT_H_

#include <chrono>

#include "base/clock.h"
#include "hsm/backoff.h"

namespace hsm::client {

// A Circuit keeps calls away from a token that has failed several in a row: it
// is open for a while, and then one probe decides. If that is well and the next
// call is not, it opens again, for longer. Not thread-safe.
class Circuit {
 public:
  bool closed() const { return failures_ < kFailures; }

  // Of a call that somebody has made.
  void Succeeded() {
    failures_ = 0;
    backoff_.Reset();
  }
  void Failed(base::MonotonicTime now) {
    // What was on its way when it opened says nothing new.
    if (!closed() && now < probe_at_) {
      return;
    }
    if (closed()) {
      ++failures_;
    }
    if (!closed()) {
      probe_at_ = now + backoff_.Next();
    }
  }

  // Whether it is open, and the time has come to try the token.
  bool WantsProbe(base::MonotonicTime now) const {
    return !closed() && now >= probe_at_;
  }
  void ProbeSucceeded() {
    if (!closed()) {
      failures_ = kFailures - 1;
    }
  }

 private:
  static constexpr int kFailures = 3;

  int failures_ = 0;  // Without a success in between.
  base::MonotonicTime probe_at_{};
  Backoff backoff_{std::chrono::seconds{1}, std::chrono::seconds{30}};
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_CIRCUIT_H_
