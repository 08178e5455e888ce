// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_STATS_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_STATS_H_

#include <array>
#include <compare>
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

inline constexpr std::size_t kXksOutcomes = 19;  // By number; 0 is none.

// What a proxy was asked, as AWS's metrics tell requests apart.
struct XksAsked {
  std::string store;  // The id; empty: a store that is still to be made.
  std::string kms_operation;
  hsm::XksOperation operation{};

  auto operator<=>(const XksAsked&) const = default;
};

// Upper bounds of the buckets of a histogram, in milliseconds; one more bucket
// is for what took longer. AWS wants a round trip below 35 ms, and waits 250.
inline constexpr std::array kXksLatencyBounds = {5,   10,  20,  35,   50,
                                                 100, 150, 250, 1000, 8000};

// What has become of it.
struct XksCounts {
  std::array<std::uint64_t, kXksOutcomes> answers{};
  // Of what was sent: how long it took, in all, and how many by how long.
  std::uint64_t microseconds = 0;
  std::array<std::uint64_t, kXksLatencyBounds.size() + 1> latency{};
  std::uint64_t throttled = 0;  // Not sent: there were too many.
  std::uint64_t failed = 0;     // Not sent, for another reason of ours.

  std::uint64_t Answers(hsm::XksOutcome outcome) const;
};

// What the proxy of a store said when it was last asked how it is.
struct XksHealth {
  std::uint64_t certificate_not_after = 0;  // Unix seconds; 0: not known.
  std::map<std::string, int, std::less<>> managers;  // How many, by status.
};

// XksStats is what has become of requests to proxies, for /metrics. Safe to use
// from any thread.
class XksStats {
 public:
  void Count(const XksAsked& asked, const hsm::XksReply& reply);
  // A request that nobody has answered, for a reason of ours.
  void CountFailure(const XksAsked& asked, base::ErrorCode code);
  // `store` is the id of a custom key store.
  void NoteHealth(std::string_view store, const hsm::XksReply& reply);

  // Forgets stores for which `is_there` says no.
  void Retain(const std::function<bool(std::string_view)>& is_there);

  std::map<XksAsked, XksCounts> Counts() const;
  XksHealth HealthOf(std::string_view store) const;

 private:
  mutable std::mutex mutex_;
  std::map<XksAsked, XksCounts> counts_;                  // Guarded by mutex_.
  std::map<std::string, XksHealth, std::less<>> health_;  // Likewise.
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_STATS_H_
