// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_CLOCK_H_
#define BASE_CLOCK_H_

#include <atomic>
#include <chrono>

namespace base {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using MonotonicTime = std::chrono::nanoseconds;  // Since an arbitrary point.

// A Clock tells the time of day, which may jump, and monotonic time, which may
// not (CLOCK_MONOTONIC: it stands still while the machine sleeps). All code
// asks a Clock; none asks the system. Safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual MonotonicTime Monotonic() const = 0;
};

// The system's clocks.
class RealClock final : public Clock {
 public:
  WallTime Now() const override;
  MonotonicTime Monotonic() const override;
};

// A clock for tests: it moves only when told to.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime now) : wall_(now) {}
  WallTime Now() const override { return wall_.load(); }
  MonotonicTime Monotonic() const override { return monotonic_.load(); }

  // Time passes: both clocks move.
  void Advance(std::chrono::microseconds by);
  // Somebody sets the time of day: the monotonic clock does not move.
  void JumpTo(WallTime now) { wall_.store(now); }

 private:
  std::atomic<WallTime> wall_;
  std::atomic<MonotonicTime> monotonic_{MonotonicTime{0}};
};

}  // namespace base

#endif  // BASE_CLOCK_H_
