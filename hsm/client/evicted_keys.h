// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_EVICTED_KEYS_H_
#define HSM_CLIENT_EVICTED_KEYS_H_

#include <deque>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "hsm/messages.h"

namespace hsm::client {

// The keys of one key store that were evicted lately, for as long as a call
// that was made before can be on its way. All Clients of a key store must have
// the same one: a call of one of them would otherwise bring a key back to life
// that another one has evicted. Safe to use from any thread.
class EvictedKeys {
 public:
  // To be called before the first worker is asked to forget the key.
  void Add(const Locator& locator, base::MonotonicTime now);
  std::vector<Locator> All() const;
  void Forget(base::MonotonicTime now);

 private:
  struct Evicted {
    Locator locator;
    base::MonotonicTime when;
  };

  mutable std::mutex mutex_;
  std::deque<Evicted> evicted_;  // The oldest first.
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_EVICTED_KEYS_H_
