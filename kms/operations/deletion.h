// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_DELETION_H_
#define KMS_OPERATIONS_DELETION_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "kms/operations/call.h"

namespace kms::operations {

// A DeletionGuard keeps a clock that jumps forward from destroying keys before
// their day. It follows how far time has provably passed: by the monotonic
// clock while the server runs, persisted. A destruction that wall time makes
// due waits while wall time leads that by more than an hour, until an operator
// accepts the clock. Safe to call from any thread.
class DeletionGuard {
 public:
  // Starts from what the store has; the first start ever trusts the clock.
  static base::Result<std::unique_ptr<DeletionGuard>> Load(
      store::Store& store, const base::Clock& clock);

  // The time at which keys may be judged due: wall time, or nothing while the
  // clock is not to be trusted.
  std::optional<base::WallTime> DueTime();

  // How far the wall clock leads; 0 if it does not.
  std::chrono::seconds Lead();

  // An operator vouches for the clock.
  void Accept();

  // What to persist now.
  store::ClockProgress progress();

 private:
  DeletionGuard(base::WallTime trusted, const base::Clock& clock)
      : clock_(clock), trusted_(trusted), seen_(clock.Monotonic()) {}
  void Follow();  // Needs mutex_.

  const base::Clock& clock_;
  std::mutex mutex_;
  base::WallTime trusted_;    // Guarded by mutex_.
  base::MonotonicTime seen_;  // When trusted_ was brought up to date; likewise.
};

// Destroys the keys whose day has come. For each: an audit record before, the
// mark in the store that there is no way back, every worker forgets the key,
// the token destroys it, the store forgets it, an audit record after. Whatever
// is killed in between, the next run goes on. Keys that fail are tried again in
// the next run; the first error is returned.
boost::asio::awaitable<base::Status> DestroyDueKeys(Environment& environment);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_DELETION_H_
