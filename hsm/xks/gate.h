// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_GATE_H_
#define HSM_XKS_GATE_H_

#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "hsm/messages.h"

namespace hsm::xks {

// A Gate decides whether a proxy may be asked now. A proxy gets so many
// requests in a second, and no more than that at once. One that has let ten
// requests in a row time out is not asked for a second; then one request tries
// it, while the others still end at once. Not synchronised.
class Gate {
 public:
  // `clock` is borrowed.
  Gate(int requests_per_second, const base::Clock& clock)
      : rate_(requests_per_second), clock_(clock) {}

  // Nothing if `proxy` may be asked: then Ended() must follow. Else what the
  // request ends with: kThrottling or kTimedOut.
  std::optional<XksOutcome> Refusal(const std::string& proxy);

  // How a request to `proxy` ended.
  void Ended(const std::string& proxy, bool timed_out);

  std::size_t size() const { return proxies_.size(); }

 private:
  struct Proxy {
    double tokens = 0;
    base::MonotonicTime filled{};  // When `tokens` was right; last use.
    int timeouts = 0;              // In a row.
    base::MonotonicTime closed_until{};
    bool probing = false;
  };

  Proxy& Find(const std::string& proxy, base::MonotonicTime now);
  void ForgetIdle(base::MonotonicTime now);

  const double rate_;
  const base::Clock& clock_;
  std::unordered_map<std::string, Proxy> proxies_;  // By endpoint and path.
};

}  // namespace hsm::xks

#endif  // HSM_XKS_GATE_H_
