// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/gate.h"

#include <algorithm>
#include <chrono>

namespace hsm::xks {
namespace {

constexpr int kMostTimeouts = 10;
constexpr std::chrono::seconds kPause{1};
// Endpoints are chosen by callers of the API, who could name ever new ones.
constexpr std::size_t kMostRemembered = 1024;
constexpr std::chrono::seconds kIdle{60};

}  // namespace

std::optional<XksOutcome> Gate::Refusal(const std::string& proxy) {
  const base::MonotonicTime now = clock_.Monotonic();
  Proxy& state = Find(proxy, now);
  const bool suspected = state.timeouts >= kMostTimeouts;
  if (suspected && (state.probing || now < state.closed_until)) {
    return XksOutcome::kTimedOut;
  }
  if (state.tokens < 1) {
    return XksOutcome::kThrottling;
  }
  state.tokens -= 1;
  state.probing = suspected;
  return std::nullopt;
}

void Gate::Ended(const std::string& proxy, bool timed_out) {
  const auto found = proxies_.find(proxy);
  if (found == proxies_.end()) {
    return;
  }
  Proxy& state = found->second;
  state.probing = false;
  if (!timed_out) {
    state.timeouts = 0;
    return;
  }
  state.timeouts = std::min(state.timeouts + 1, kMostTimeouts);
  state.closed_until = clock_.Monotonic() + kPause;
}

Gate::Proxy& Gate::Find(const std::string& proxy, base::MonotonicTime now) {
  if (proxies_.size() >= kMostRemembered && !proxies_.contains(proxy)) {
    ForgetIdle(now);
  }
  const auto [found, is_new] = proxies_.try_emplace(proxy);
  Proxy& state = found->second;
  const std::chrono::duration<double> passed = now - state.filled;
  state.tokens =
      is_new ? rate_ : std::min(rate_, state.tokens + passed.count() * rate_);
  state.filled = now;
  return state;
}

void Gate::ForgetIdle(base::MonotonicTime now) {
  std::erase_if(proxies_, [now](const auto& entry) {
    return now - entry.second.filled >= kIdle;
  });
}

}  // namespace hsm::xks
