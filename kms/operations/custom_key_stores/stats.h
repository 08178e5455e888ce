// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_STATS_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_STATS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hsm/client/client.h"

namespace kms::operations {

inline constexpr std::size_t kXksOperations = 5;  // By number; 0 is none.
inline constexpr std::size_t kXksOutcomes = 19;   // Likewise.

// What the proxy of a store said when it was last asked how it is.
struct XksHealth {
  std::uint64_t certificate_not_after = 0;  // Unix seconds; 0: not known.
  std::map<std::string, int, std::less<>> managers;  // How many, by status.
};

// XksStats is what has become of requests to proxies, for /metrics. Safe to use
// from any thread.
class XksStats {
 public:
  void Count(hsm::XksOperation operation, const hsm::XksReply& reply);
  // A request that nobody has answered, for a reason of ours.
  void CountFailure(base::ErrorCode code);
  // `store` is the id of a custom key store.
  void NoteHealth(std::string_view store, const hsm::XksReply& reply);

  // Forgets the health of stores for which `is_there` says no.
  void Retain(const std::function<bool(std::string_view)>& is_there);

  std::uint64_t Answers(hsm::XksOperation operation,
                        hsm::XksOutcome outcome) const;
  std::uint64_t Microseconds(hsm::XksOperation operation) const;
  std::uint64_t throttled() const { return throttled_; }
  std::uint64_t failed() const { return failed_; }
  XksHealth HealthOf(std::string_view store) const;

 private:
  std::array<std::array<std::atomic<std::uint64_t>, kXksOutcomes>,
             kXksOperations>
      answers_{};
  std::array<std::atomic<std::uint64_t>, kXksOperations> microseconds_{};
  std::atomic<std::uint64_t> throttled_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, XksHealth, std::less<>> health_;  // Guarded by mutex_.
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_STATS_H_
