// SPDX-License-Identifier: Apache-2.0
#include "kms/store/reader_pool.h"

namespace kms::store {

base::Result<std::unique_ptr<ReaderPool>> ReaderPool::Open(
    const ConnectionOptions& options, int size) {
  if (size < 1) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "store: there is at least one reader"};
  }
  std::unique_ptr<ReaderPool> pool(new ReaderPool());
  for (int i = 0; i < size; ++i) {
    ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                     Connection::Open(options));
    pool->free_.push_back(connection.get());
    pool->connections_.push_back(std::move(connection));
  }
  return pool;
}

Connection* ReaderPool::Take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !free_.empty(); });
  Connection* const connection = free_.back();
  free_.pop_back();
  return connection;
}

void ReaderPool::GiveBack(Connection* connection) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(connection);
  }
  returned_.notify_one();
}

}  // namespace kms::store
