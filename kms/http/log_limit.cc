// SPDX-License-Identifier: Apache-2.0
#include "kms/http/log_limit.h"

#include <utility>

namespace kms::http {

std::optional<std::uint64_t> LogLimit::Count() {
  const base::MonotonicTime now = clock_.Monotonic();
  if (last_logged_ && now - *last_logged_ < interval_) {
    ++passed_over_;
    return std::nullopt;
  }
  last_logged_ = now;
  return std::exchange(passed_over_, 0);
}

}  // namespace kms::http
