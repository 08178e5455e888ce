// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_METRICS_H_
#define KMS_HTTP_METRICS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace prometheus {
class Registry;
}

namespace kms::http {

// The Metrics are what /metrics shows. Safe to call from any thread; counting
// neither allocates nor looks up labels, but for the first error of a kind.
class Metrics {
 public:
  // `operations` are the names that get instruments of their own; all others
  // are counted as "Unknown", so that strangers cannot invent label values.
  explicit Metrics(std::span<const std::string_view> operations);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The operation's own name if it is known, else "Unknown".
  std::string_view Label(std::string_view operation) const;

  // Counts an answered request; no error is success.
  void CountRequest(std::string_view operation,
                    std::optional<base::ErrorCode> error,
                    std::chrono::nanoseconds duration);
  void CountAuthenticationFailure(base::ErrorCode reason);
  void AddInFlight(int change);
  void SetConnections(std::size_t connections);

  // Where others add instruments of their own.
  prometheus::Registry& registry();

  // Has `hook` called before each collection, on the thread that collects, to
  // set gauges. Not while another thread may collect.
  void OnCollect(std::function<void()> hook);

  // Everything, in Prometheus's text format 0.0.4.
  std::string Text() const;

 private:
  struct Instruments;
  std::unique_ptr<Instruments> instruments_;
};

}  // namespace kms::http

#endif  // KMS_HTTP_METRICS_H_
