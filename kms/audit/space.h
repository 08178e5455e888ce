// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_SPACE_H_
#define KMS_AUDIT_SPACE_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "kms/audit/log.h"

namespace kms::audit {

// A SpaceWatch looks every few seconds of the clock how much room is left for
// the log, and warns once each time that it falls below the threshold: long
// before the log must refuse. Borrows options and clock. Safe to call from any
// thread.
class SpaceWatch {
 public:
  static constexpr std::chrono::seconds kInterval{5};

  SpaceWatch(const LogOptions& options, const base::Clock& clock);

  // Looks, if it is time to.
  void Poll();

  std::uint64_t free_bytes() const { return free_bytes_; }

 private:
  void Look();

  const LogOptions& options_;
  const base::Clock& clock_;
  std::atomic<base::MonotonicTime> looked_;
  std::atomic<std::uint64_t> free_bytes_ = 0;
  std::atomic<bool> low_ = false;
};

}  // namespace kms::audit

#endif  // KMS_AUDIT_SPACE_H_
