// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_POOL_H_
#define HSM_CLIENT_POOL_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/client/ask.h"
#include "hsm/client/call.h"
#include "hsm/client/client.h"
#include "hsm/client/evicted_keys.h"
#include "hsm/client/link.h"
#include "hsm/client/pool_token.h"
#include "hsm/client/stats.h"

namespace hsm::client {

// A Pool is the inside of a Client: it decides which worker of which token gets
// a call and when (pool.cc), keeps a Link to each worker for as long as it runs
// (pool_workers.cc, pool_evict.cc), looks after their deadlines and health
// (pool_sweep.cc) and knows which tokens there are (pool_tokens.cc). Its own
// coroutines share its ownership, so it outlives the Client until they have
// noticed Stop(). It belongs to the thread that runs its io_context.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(boost::asio::io_context& io, ClientConfig config,
       const base::Clock& clock);

  boost::asio::awaitable<base::Status> Start();
  // Fails every call that has not ended, through the io_context.
  void Stop();

  void Require(std::vector<RequiredKey> keys, Algorithm algorithm);
  // Whether every token that serves has this key.
  bool IsRequired(const Locator& key) const;
  void SetFurtherTokens(std::vector<FurtherToken> tokens);
  std::vector<TokenStatus> Tokens() const;
  PoolToken* HomeToken() { return &tokens_.front(); }
  // Fails with kNotFound if there is none. It stays valid for ever.
  base::Result<PoolToken*> FindToken(std::string_view name);

  // Whether a call of this kind for this token (null: any) can be taken now;
  // kThrottled if its lane's queue is full, kHsmUnavailable if no worker has
  // been there for a while.
  base::Status Admit(const OperationRow& row, const PoolToken* token);
  // Takes an admitted call. Its `done` is called later, never from here.
  void Submit(Call call);

  boost::asio::awaitable<base::Status> EvictEverywhere(Locator locator,
                                                       SlowWorker slow_worker);

  bool Ready() const { return any_.open; }
  const Stats& stats() const { return stats_; }

 private:
  using Keys = std::shared_ptr<const std::vector<RequiredKey>>;

  // Scheduling.
  bool MayTake(const PoolWorker& worker, const PoolToken* token) const;
  bool AnyMayTake(const PoolToken* token) const;
  bool OthersServe(const PoolToken& token) const;
  Link* Pick(const Call& call);
  bool MayJoin(const Link& link, const OperationRow& row) const;
  int Rank(const PoolWorker& worker, const OperationRow& row) const;
  Line& LineOf(const Call& call);
  const Line& LineOf(const PoolToken* token) const;
  void Send(Link& link, Call call);
  void SendQueued();
  void SendQueue(Line::Queue& queue);
  void Complete(PoolWorker& worker, Call call, base::Status status);
  void Fail(Call call, base::Error error);
  void Repeat(const PoolToken& died, Call call);
  void Count(const Call& call, const base::Status& status,
             base::MonotonicTime now);
  Call Unqueue(Line::Queue& queue);
  void Discount(Line::Queue& queue, const Call& call);

  // Deadlines and health.
  void ScheduleSweep();
  void Sweep();
  void LookAfter(PoolWorker& worker, base::MonotonicTime now);
  void NoteReply(PoolWorker& worker, const Call& call,
                 const base::Status& status, base::MonotonicTime now);
  boost::asio::awaitable<void> AskHealth(PoolWorker& worker);
  void Doubt(PoolWorker& worker);
  boost::asio::awaitable<void> CheckKeys(PoolWorker& worker);
  boost::asio::awaitable<base::Status> CheckAlgorithm(PoolWorker& worker);
  boost::asio::awaitable<base::Status> FindMissing(PoolWorker& worker,
                                                   Keys keys);
  template <typename Request>
  Awaitable<ReplyTo<Request>> AskWorker(PoolWorker& worker, Request request);
  void ExpireLine(Line& line, const PoolToken* token, base::MonotonicTime now);
  bool IsOutage(const Line& line, base::MonotonicTime now) const;
  base::Error Outage(const PoolToken* token) const;

  // Tokens.
  void AddToken(FurtherToken token);
  void RemoveToken(PoolToken& token);
  TokenStats& StatsOf(const std::string& name);
  void Update();
  void UpdateStats(const PoolToken& token);
  void NoteStatus(PoolToken& token);
  std::string Named(const PoolToken& token) const;

  // Workers.
  bool HasEnded(const PoolWorker& worker) const {
    return stopped_ || worker.token.removed;
  }
  boost::asio::awaitable<void> KeepConnected(PoolWorker& worker,
                                             Connected first);
  boost::asio::awaitable<void> ServeLink(PoolWorker& worker,
                                         Connected connected);
  boost::asio::awaitable<void> EndCalls(PoolWorker& worker, Link& link,
                                        Link::End end);
  void SetLink(PoolWorker& worker, std::shared_ptr<Link> link);
  boost::asio::awaitable<void> Dismiss(PoolWorker& worker);
  boost::asio::awaitable<base::Status> EndProcess(PoolWorker& worker,
                                                  Generation generation);
  boost::asio::awaitable<std::vector<bool>> EvictByAsking(
      const std::vector<PoolWorker*>& workers, Locator locator,
      SlowWorker slow_worker);
  void TellEvicted(PoolWorker& worker);

  base::Error InStore(const base::Error& error) const;

  boost::asio::io_context& io_;
  const std::string key_store_;
  const base::Clock& clock_;
  boost::asio::steady_timer sweep_timer_;
  bool started_ = false;
  bool stopped_ = false;
  Stats stats_;
  TokenStats unnamed_;  // Of tokens for which there is no room in stats_.
  // The home token first. Nothing is erased: coroutines and calls point to it.
  std::deque<PoolToken> tokens_;
  Line any_;               // What any token may do.
  Keys required_;          // Null: not known yet.
  Algorithm algorithm_{};  // Likewise, while that is null.
  const std::shared_ptr<EvictedKeys> evicted_;
  std::size_t token_turn_ = 0;  // Who comes first among equals.
  std::size_t line_turn_ = 0;
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_POOL_H_
