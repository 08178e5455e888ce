// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_READER_POOL_H_
#define KMS_STORE_READER_POOL_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kms/store/connection.h"

namespace kms::store {

// A ReaderPool lends connections for reading, one thread at a time each; who
// finds none free waits for the fraction of a millisecond that a read takes.
// Safe to call from any thread. It outlives every loan.
class ReaderPool {
 public:
  static base::Result<std::unique_ptr<ReaderPool>> Open(
      const ConnectionOptions& options, int size);

  // Calls `read` with a connection and returns what it returns.
  template <typename Read>
  auto With(Read&& read) {
    const Loan loan(*this);
    return std::forward<Read>(read)(*loan.connection);
  }

 private:
  struct Loan {
    explicit Loan(ReaderPool& from) : pool(from), connection(from.Take()) {}
    ~Loan() { pool.GiveBack(connection); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    ReaderPool& pool;
    Connection* connection;
  };

  ReaderPool() = default;
  Connection* Take();
  void GiveBack(Connection* connection);

  std::vector<std::unique_ptr<Connection>> connections_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Connection*> free_;  // Guarded by mutex_.
};

}  // namespace kms::store

#endif  // KMS_STORE_READER_POOL_H_
