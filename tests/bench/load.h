// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_LOAD_H_
#define TESTS_BENCH_LOAD_H_

#include <openssl/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace bench {

// What one slice of load measured.
struct LoadResult {
  std::uint64_t failed = 0;   // Answers other than 200.
  std::string first_failure;  // Its status and body.
  double seconds = 0;
  std::vector<std::uint32_t> latencies_us;  // One per answer; sorted.

  // kIo with the first failure if there was one, or no answer at all.
  base::Status Check() const;
  double Rate() const;
  // The latency that this share (0..1) of the answers did not exceed.
  double MillisecondsAt(double share) const;
};

// How to load: as fast as answers come, or at a rate that does not care.
struct LoadPlan {
  std::uint16_t port = 0;  // Of 127.0.0.1.
  SSL_CTX* tls = nullptr;  // Null: plain HTTP. Borrowed.
  std::size_t connections = 1;
  std::chrono::milliseconds warm_up{300};  // Not measured.
  std::chrono::milliseconds duration{2000};
  // Requests a second, evenly spread. A latency then counts from the moment at
  // which its request should have left, so a server that stalls cannot hide the
  // requests that wait meanwhile. Unset: closed loop.
  std::optional<double> rate;
  // The whole request to send next; the bytes must stay until the next call.
  std::function<std::string_view()> next_request;
  // Called when warm-up and measurement end, e.g. to read CPU times.
  std::function<void()> on_start = [] {};
  std::function<void()> on_end = [] {};
};

// Loads a server over keep-alive connections on one thread. Fails with kIo if
// a connection breaks, and with kCorrupt if an answer is not HTTP with a
// Content-Length.
base::Result<LoadResult> Run(const LoadPlan& plan);

}  // namespace bench

#endif  // TESTS_BENCH_LOAD_H_
