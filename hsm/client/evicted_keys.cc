// SPDX-License-Identifier: Apache-2.0
#include "hsm/client/evicted_keys.h"

#include <cstddef>

#include "hsm/operations.h"

namespace hsm::client {
namespace {

// No call that was made before an eviction can be on its way for longer.
constexpr base::MonotonicTime kRemembered = 2 * kLongDeadline;
constexpr std::size_t kMostRemembered = 4096;

}  // namespace

void EvictedKeys::Add(const Locator& locator, base::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  evicted_.push_back({locator, now});
}

std::vector<Locator> EvictedKeys::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<Locator> all;
  all.reserve(evicted_.size());
  for (const Evicted& evicted : evicted_) {
    all.push_back(evicted.locator);
  }
  return all;
}

void EvictedKeys::Forget(base::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  while (!evicted_.empty() && (evicted_.size() > kMostRemembered ||
                               now >= evicted_.front().when + kRemembered)) {
    evicted_.pop_front();
  }
}

}  // namespace hsm::client
