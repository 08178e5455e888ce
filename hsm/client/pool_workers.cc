// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/log.h"
#include "hsm/client/pool.h"

namespace hsm::client {
namespace {

namespace asio = boost::asio;

using std::chrono::milliseconds;

// At start, claviger-hsm may be a moment later than clavigerd.
constexpr milliseconds kStartPatience{2'000};
// Between attempts to reach a worker that is not there. The supervisor has
// back-off of its own against workers that die.
constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{1'000};

}  // namespace

asio::awaitable<base::Status> Pool::Start() {
  std::vector<Connected> connected;
  for (std::uint32_t index = 0; index < workers_.size(); ++index) {
    auto worker = co_await AskConnect(config_.supervisor_socket, index,
                                      kStartPatience, workers_[index].asking);
    if (!worker) {
      co_return InStore(worker.error());
    }
    connected.push_back(*std::move(worker));
  }
  if (stopped_) {
    co_return Outage();
  }
  for (std::uint32_t index = 0; index < workers_.size(); ++index) {
    asio::co_spawn(io_, KeepConnected(index, std::move(connected[index])),
                   asio::detached);
  }
  ScheduleSweep();
  co_return base::Status();
}

void Pool::Stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  sweep_timer_.cancel();
  for (Worker& worker : workers_) {
    if (worker.link != nullptr) {
      worker.link->Close();
    }
    worker.asking.Cancel();
    worker.pause.cancel();
  }
  for (Queue& queue : queues_) {
    while (!queue.calls.empty()) {
      Fail(Unqueue(queue), Outage());
    }
  }
}

// One coroutine for each worker, from Start() to Stop().
asio::awaitable<void> Pool::KeepConnected(std::uint32_t index,
                                          Connected first) {
  const std::shared_ptr<Pool> self = shared_from_this();
  co_await ServeLink(index, std::move(first));
  Worker& worker = workers_[index];
  milliseconds next_pause = kFirstPause;
  while (!stopped_) {
    auto connected = co_await AskConnect(config_.supervisor_socket, index,
                                         milliseconds{0}, worker.asking);
    if (connected) {
      co_await ServeLink(index, *std::move(connected));
      next_pause = kFirstPause;
      continue;
    }
    worker.reason = connected.error();
    if (!stopped_) {
      worker.pause.expires_after(next_pause);
      co_await worker.pause.async_wait(asio::as_tuple(asio::use_awaitable));
      next_pause = std::min(next_pause * 2, kLongestPause);
    }
  }
}

// Uses one connection until it ends.
asio::awaitable<void> Pool::ServeLink(std::uint32_t index,
                                      Connected connected) {
  auto link =
      Link::Create(io_, std::move(connected.socket), connected.generation);
  if (!link || stopped_) {
    co_return;
  }
  SetLink(index, *link);
  SendQueued();
  const Link::End end =
      co_await (*link)->Run([this](Call call, base::Status status) {
        Complete(std::move(call), std::move(status));
      });
  SetLink(index, nullptr);
  co_await EndCalls(index, **link, end);
}

void Pool::SetLink(std::uint32_t index, std::shared_ptr<Link> link) {
  Worker& worker = workers_[index];
  const bool had = worker.link != nullptr;
  const bool has = link != nullptr;
  worker.link = std::move(link);
  stats_.ready_workers.Add((has ? 1 : 0) - (had ? 1 : 0));
  if (!Ready()) {
    down_since_ = clock_.Monotonic();
  }
}

// Fails the calls that were in flight. After a missed deadline they learn it
// only when the worker is dead: then nothing of theirs can still happen.
asio::awaitable<void> Pool::EndCalls(std::uint32_t index, Link& link,
                                     Link::End end) {
  std::vector<Call> calls = link.TakeOutstanding();
  const bool overdue = std::exchange(workers_[index].overdue, false);
  base::Error error{base::ErrorCode::kHsmUnavailable,
                    "the HSM worker died; the operation may have happened"};
  if (stopped_) {
    error = Outage();
  } else if (overdue || end == Link::End::kMalformed) {
    base::LogWarning("key store {}: worker {} {}: replacing it",
                     config_.key_store, index,
                     overdue ? "missed a deadline" : "broke the protocol");
    stats_.workers_replaced.Add(1);
    const base::Status replaced = co_await AskReplace(config_.supervisor_socket,
                                                      index, link.generation());
    if (overdue && replaced) {
      error = {base::ErrorCode::kTimeout,
               "the HSM did not answer in time; its worker was replaced"};
    }
  } else {
    base::LogWarning("key store {}: lost worker {}", config_.key_store, index);
    stats_.worker_losses.Add(1);
  }
  workers_[index].reason = error;
  for (Call& call : calls) {
    Fail(std::move(call), error);
  }
}

}  // namespace hsm::client
