// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_WRITER_H_
#define KMS_STORE_WRITER_H_

#include <atomic>
#include <boost/asio/any_completion_handler.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kms/store/connection.h"
#include "kms/store/group.h"
#include "kms/store/store.h"

namespace kms::store {

// A Writer is the thread that owns the connection for writing. It takes all
// changes that wait, commits them as one group, and completes them; what waits
// by then is the next group, so groups grow with the load and nobody lingers.
//
// Safe to call from any thread. Destroying it commits what still waits.
class Writer {
 public:
  // Called on the writer's thread with a change's result.
  using Completion = boost::asio::any_completion_handler<void(base::Status)>;

  struct Options {
    std::uint64_t revision = 0;  // Of the store now.
    // How long a forgotten event may wait for a change to go with.
    std::chrono::milliseconds outbox_idle{1000};
    // Called on the writer's thread after a commit, before its changes
    // complete.
    std::function<void(const Touched&)> on_commit;
  };

  Writer(std::unique_ptr<Connection> connection, Options options);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Enqueue(Store::Change change, Completion completion);
  void ForgetOutbox(std::string event_id);

  std::size_t waiting() const { return waiting_.load(); }
  std::uint64_t revision() const { return revision_.load(); }

 private:
  struct Pending {
    Store::Change change;
    Completion completion;
  };
  struct Work {
    std::vector<Pending> changes;
    std::vector<std::string> forgotten;
  };

  void Run();
  bool WaitForWork(Work& work);
  void Take(Work& work);
  void Process(Work work);
  void KeepForgotten(std::vector<std::string> forgotten);
  void NoteHealth(const base::Result<Committed>& done);

  const std::unique_ptr<Connection> connection_;  // The writer thread's.
  const Options options_;
  std::atomic<std::uint64_t> revision_;
  std::atomic<std::size_t> waiting_{0};
  bool failing_ = false;  // The writer thread's.

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Pending> changes_;        // Guarded by mutex_.
  std::vector<std::string> forgotten_;  // Guarded by mutex_.
  bool stopping_ = false;               // Guarded by mutex_.

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace kms::store

#endif  // KMS_STORE_WRITER_H_
