// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_POOL_H_
#define HSM_CLIENT_POOL_H_

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/client/ask.h"
#include "hsm/client/call.h"
#include "hsm/client/client.h"
#include "hsm/client/link.h"
#include "hsm/client/stats.h"

namespace hsm::client {

// A Pool is the inside of a Client: it decides which worker gets a call and
// when (pool.cc), and keeps a Link to each worker for as long as it runs
// (pool_workers.cc, pool_evict.cc). Its own coroutines share its ownership, so
// it outlives the Client until they have noticed Stop(). It belongs to the
// thread that runs its io_context.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(boost::asio::io_context& io, ClientConfig config,
       const base::Clock& clock);

  boost::asio::awaitable<base::Status> Start();
  // Fails every call that has not ended, through the io_context.
  void Stop();

  // Whether a call of this kind can be taken now; kThrottled if its lane's
  // queue is full, kHsmUnavailable if no worker has been there for a while.
  base::Status Admit(const OperationRow& row);
  // Takes an admitted call. Its `done` is called later, never from here.
  void Submit(Call call);

  boost::asio::awaitable<base::Status> EvictEverywhere(Locator locator,
                                                       SlowWorker slow_worker);

  bool Ready() const { return stats_.ready_workers.Get() > 0; }
  const Stats& stats() const { return stats_; }

 private:
  struct Worker {
    explicit Worker(boost::asio::io_context& io) : pause(io) {}

    std::shared_ptr<Link> link;  // Null while there is none.
    bool overdue = false;        // The link was closed for a missed deadline.
    base::Error reason{base::ErrorCode::kHsmUnavailable, "not started"};
    Asking asking;                    // For a new connection.
    boost::asio::steady_timer pause;  // Before it is asked for again.
  };

  // What waits in one lane.
  struct Queue {
    std::deque<Call> calls;
    int cost = 0;  // Of all of them.
  };

  // Scheduling.
  Link* Pick(const OperationRow& row);
  int Rank(std::size_t worker, Lane lane) const;
  void Send(Link& link, Call call);
  void SendQueued();
  void Complete(Call call, base::Status status);
  void Fail(Call call, base::Error error);
  void Count(const Call& call, const base::Status& status);
  Call Unqueue(Queue& queue);

  // Deadlines.
  void ScheduleSweep();
  void Sweep();
  void ExpireQueue(Queue& queue, base::MonotonicTime now);
  bool IsOutage(base::MonotonicTime now) const;
  base::Error Outage() const;

  // Workers.
  boost::asio::awaitable<void> KeepConnected(std::uint32_t index,
                                             Connected first);
  boost::asio::awaitable<void> ServeLink(std::uint32_t index,
                                         Connected connected);
  boost::asio::awaitable<void> EndCalls(std::uint32_t index, Link& link,
                                        Link::End end);
  void SetLink(std::uint32_t index, std::shared_ptr<Link> link);
  boost::asio::awaitable<std::vector<bool>> EvictByAsking(
      Locator locator, SlowWorker slow_worker);

  base::Error InStore(const base::Error& error) const;

  boost::asio::io_context& io_;
  const ClientConfig config_;
  const base::Clock& clock_;
  boost::asio::steady_timer sweep_timer_;
  bool stopped_ = false;
  std::deque<Worker> workers_;
  std::array<Queue, kLaneCount> queues_;  // By Lane.
  base::MonotonicTime down_since_{};      // If no worker has a link.
  Stats stats_;
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_POOL_H_
