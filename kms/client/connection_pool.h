// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_CONNECTION_POOL_H_
#define KMS_CLIENT_CONNECTION_POOL_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "kms/client/stream.h"

namespace kms::client {

// A ConnectionPool keeps connections to one server between two calls: at most
// so many, and no longer than so long, as long as calls are made. Safe to call
// from any thread; no lock is held while a connection is looked at or closed.
class ConnectionPool {
 public:
  // `clock` is borrowed. `most` may be 0.
  ConnectionPool(const base::Clock& clock, std::size_t most,
                 std::chrono::milliseconds idle);

  // The connection that was used last and can carry a request, or nullptr.
  std::unique_ptr<Stream> Take(const Deadline& deadline);

  // Keeps a connection that waits for nothing. Those that have waited too long
  // go, and if there are too many, the one that has waited longest.
  void Keep(std::unique_ptr<Stream> stream);

 private:
  struct Idle {
    std::unique_ptr<Stream> stream;
    base::MonotonicTime since{};
  };

  Idle Newest();

  const base::Clock& clock_;
  const std::size_t most_;
  const std::chrono::milliseconds idle_;
  std::mutex mutex_;
  std::vector<Idle> streams_;  // Guarded by mutex_. The newest is last.
};

}  // namespace kms::client

#endif  // KMS_CLIENT_CONNECTION_POOL_H_
