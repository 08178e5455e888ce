// SPDX-License-Identifier: Apache-2.0
#include "kms/client/connection_pool.h"

#include <algorithm>
#include <iterator>
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
  const base::MonotonicTime now = clock_.Monotonic();
  std::vector<Idle> old;  // Closed when the lock is gone.
  const std::lock_guard lock(mutex_);
  streams_.push_back({std::move(stream), now});
  auto end = std::ranges::find_if(
      streams_, [&](const Idle& idle) { return now - idle.since < idle_; });
  if (end == streams_.begin() && streams_.size() > most_) {
    ++end;
  }
  std::move(streams_.begin(), end, std::back_inserter(old));
  streams_.erase(streams_.begin(), end);
}

}  // namespace kms::client
