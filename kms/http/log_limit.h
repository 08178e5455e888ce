// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_LOG_LIMIT_H_
#define KMS_HTTP_LOG_LIMIT_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace kms::http {

// A LogLimit keeps strangers from filling the log: of a kind of event that they
// can cause at will, it lets one line through in `interval`. Not synchronised.
class LogLimit {
 public:
  // `clock` is borrowed.
  LogLimit(const base::Clock& clock, std::chrono::seconds interval)
      : clock_(clock), interval_(interval) {}

  // Counts one event. Returns, if it is to be logged, how many were passed over
  // since the last one that was.
  std::optional<std::uint64_t> Count();

 private:
  const base::Clock& clock_;
  const std::chrono::seconds interval_;
  std::optional<base::MonotonicTime> last_logged_;
  std::uint64_t passed_over_ = 0;
};

}  // namespace kms::http

#endif  // KMS_HTTP_LOG_LIMIT_H_
