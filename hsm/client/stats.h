// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_STATS_H_
#define HSM_CLIENT_STATS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "hsm/client/token_status.h"
#include "hsm/operations.h"

namespace hsm::client {

// A Counter is written by one thread and read by any: no locked instruction.
class Counter {
 public:
  void Add(std::int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n,
                 std::memory_order_relaxed);
  }
  void Set(std::int64_t value) {
    value_.store(value, std::memory_order_relaxed);
  }
  std::int64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Upper bounds of the latency histogram's buckets; one more is unbounded.
inline constexpr std::array kLatencyBounds = {
    std::chrono::microseconds{50},       std::chrono::microseconds{100},
    std::chrono::microseconds{250},      std::chrono::microseconds{500},
    std::chrono::microseconds{1'000},    std::chrono::microseconds{2'500},
    std::chrono::microseconds{5'000},    std::chrono::microseconds{10'000},
    std::chrono::microseconds{50'000},   std::chrono::microseconds{250'000},
    std::chrono::microseconds{1'000'000}};

struct OperationStats {
  Counter calls;   // That ended, well or not.
  Counter errors;  // Of the token or of the transport.
  Counter
      latency_ns;  // Sum, from call to reply, waiting in our queue included.
  std::array<Counter, kLatencyBounds.size() + 1> latency;  // Not cumulative.
};

struct TokenStats {
  std::string name;         // Never changes once the token is counted.
  Counter serving;          // 1 if it gets calls.
  Counter workers;          // Now, that it should have; 0 if it was taken out.
  Counter ready_workers;    // Now.
  Counter calls_in_flight;  // A tenth of a second ago.
  Counter calls;            // That ended with a reply.
  Counter failures;         // That it did not serve, or not in time.
};

struct Stats {
  std::array<OperationStats, kOperationCount> operations;  // As kOperationRows.
  Counter throttled;         // Refused or dropped while queued.
  Counter queued_cost;       // Now, in cost units.
  Counter ready_workers;     // Now.
  Counter worker_losses;     // Connections to workers that ended unasked.
  Counter workers_replaced;  // Because a deadline or the protocol was broken.
  Counter repeated;          // Calls sent again after their worker's death.
  std::array<TokenStats, kMaxTokens> tokens;  // The home token first.
  std::atomic<std::size_t> token_count{0};    // Never falls.
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_STATS_H_
