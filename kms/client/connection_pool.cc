// SPDX-License-Identifier: Apache-2.0
#include "kms/client/connection_pool.h"

#include <utility>

namespace kms::client {

ConnectionPool::ConnectionPool(const base::Clock& clock, std::size_t most,
                               std::chrono::milliseconds idle)
    : clock_(clock), most_(most), idle_(idle) {}

ConnectionPool::Idle ConnectionPool::Newest() {
  const std::lock_guard lock(mutex_);
  Idle newest;
  if (!streams_.empty()) {
    newest = std::move(streams_.back());
    streams_.pop_back();
  }
  return newest;
}

// What has been closed, or holds bytes that nobody asked for, must not carry a
// request.
std::unique_ptr<Stream> ConnectionPool::Take(const Deadline& deadline) {
  for (;;) {
    Idle newest = Newest();
    if (newest.stream == nullptr ||
        (clock_.Monotonic() - newest.since < idle_ &&
         newest.stream->IsQuiet(deadline))) {
      return std::move(newest.stream);
    }
  }
}

void ConnectionPool::Keep(std::unique_ptr<Stream> stream) {
  Idle idle{std::move(stream), clock_.Monotonic()};
  Idle oldest;  // Closed when the lock is gone.
  const std::lock_guard lock(mutex_);
  streams_.push_back(std::move(idle));
  if (streams_.size() > most_) {
    oldest = std::move(streams_.front());
    streams_.erase(streams_.begin());
  }
}

}  // namespace kms::client
