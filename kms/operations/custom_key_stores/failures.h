// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_FAILURES_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_FAILURES_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/messages.h"

namespace kms::operations {

// What became of a request: the proxy's doing, or ours.
using XksFailure = std::variant<hsm::XksOutcome, base::ErrorCode>;

// XksFailures keeps a proxy that fails from filling the log: of each kind of
// failure of a store it lets the first one of a minute through. Safe to use
// from any thread.
class XksFailures {
 public:
  static constexpr std::chrono::minutes kInterval{1};

  // Counts one. Returns, if it is to be logged, how many of its kind were
  // passed over since the last one that was.
  std::optional<std::uint64_t> Count(std::string_view store, XksFailure kind,
                                     base::MonotonicTime now);

  // Forgets stores for which `is_there` says no.
  void Retain(const std::function<bool(std::string_view)>& is_there);

 private:
  struct Seen {
    base::MonotonicTime logged{};
    std::uint64_t passed_over = 0;
  };

  std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::pair<std::string, XksFailure>, Seen> seen_;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_FAILURES_H_
