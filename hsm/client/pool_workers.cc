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
  PoolToken& home = tokens_.front();
  std::vector<Connected> connected;
  for (PoolWorker& worker : home.workers) {
    auto first =
        co_await AskConnect(home.config.supervisor_socket, worker.number,
                            kStartPatience, worker.asking);
    if (!first) {
      co_return InStore(first.error());
    }
    connected.push_back(*std::move(first));
  }
  if (stopped_) {
    co_return Outage(nullptr);
  }
  started_ = true;
  for (PoolToken& token : tokens_) {
    for (PoolWorker& worker : token.workers) {
      Connected first;
      if (&token == &home) {
        first = std::move(connected[worker.number]);
      }
      asio::co_spawn(io_, KeepConnected(worker, std::move(first)),
                     asio::detached);
    }
  }
  ScheduleSweep();
  co_return base::Status();
}

void Pool::Stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  sweep_timer_.cancel();
  const auto drop = [this](Line& line) {
    for (Line::Queue& queue : line.queues) {
      while (!queue.calls.empty()) {
        Fail(Unqueue(queue), Outage(nullptr));
      }
    }
  };
  for (PoolToken& token : tokens_) {
    for (PoolWorker& worker : token.workers) {
      if (worker.link != nullptr) {
        worker.link->Close();
      }
      worker.asking.Cancel();
      worker.pause.cancel();
    }
    drop(token.line);
  }
  drop(any_);
}

// One coroutine for each worker, from Start() to Stop().
asio::awaitable<void> Pool::KeepConnected(PoolWorker& worker, Connected first) {
  const std::shared_ptr<Pool> self = shared_from_this();
  PoolToken& token = worker.token;
  if (first.socket.valid()) {
    co_await ServeLink(worker, std::move(first));
  }
  milliseconds next_pause = kFirstPause;
  while (!HasEnded(worker)) {
    auto connected =
        co_await AskConnect(token.config.supervisor_socket, worker.number,
                            milliseconds{0}, worker.asking);
    if (connected) {
      co_await ServeLink(worker, *std::move(connected));
      next_pause = kFirstPause;
      continue;
    }
    worker.reason = connected.error();
    token.tried = true;
    NoteStatus(token);
    if (!HasEnded(worker)) {
      worker.pause.expires_after(next_pause);
      co_await worker.pause.async_wait(asio::as_tuple(asio::use_awaitable));
      next_pause = std::min(next_pause * 2, kLongestPause);
    }
  }
  if (!stopped_) {
    co_await Dismiss(worker);
  }
}

// Uses one connection until it ends. Before anything else the worker is told
// which keys are gone: what was on its way to a worker that died of an eviction
// must not bring the key back to life here.
asio::awaitable<void> Pool::ServeLink(PoolWorker& worker, Connected connected) {
  auto link =
      Link::Create(io_, std::move(connected.socket), connected.generation);
  if (!link || HasEnded(worker)) {
    co_return;
  }
  SetLink(worker, *link);
  TellEvicted(worker);
  if (!worker.fit && required_ != nullptr) {
    asio::co_spawn(io_, CheckKeys(worker), asio::detached);
  }
  SendQueued();
  const Link::End end =
      co_await (*link)->Run([this, &worker](Call call, base::Status status) {
        Complete(worker, std::move(call), std::move(status));
      });
  SetLink(worker, nullptr);
  co_await EndCalls(worker, **link, end);
}

void Pool::SetLink(PoolWorker& worker, std::shared_ptr<Link> link) {
  worker.link = std::move(link);
  worker.fit = &worker.token == &tokens_.front();
  worker.asked = false;
  worker.ending = false;
  worker.late = false;
  worker.heard = clock_.Monotonic();
  worker.token.tried = true;
  Update();
}

// Ends the calls that were in flight. Those that may be are sent to another
// worker, the others fail. After a missed deadline they learn it only when the
// worker is dead: then nothing of theirs can still happen.
asio::awaitable<void> Pool::EndCalls(PoolWorker& worker, Link& link,
                                     Link::End end) {
  PoolToken& token = worker.token;
  std::vector<Call> calls = link.TakeOutstanding();
  const bool overdue = std::exchange(worker.overdue, false);
  base::Error error{base::ErrorCode::kHsmUnavailable,
                    "the HSM worker died; the operation may have happened"};
  bool died = false;
  if (stopped_) {
    error = Outage(nullptr);
  } else if (overdue || end == Link::End::kMalformed) {
    base::LogWarning("{}: worker {} {}: replacing it", Named(token),
                     worker.number,
                     overdue ? "missed a deadline" : "broke the protocol");
    stats_.workers_replaced.Add(1);
    token.stats.failures.Add(1);
    token.circuit.Failed(clock_.Monotonic());
    Update();
    const base::Status replaced = co_await AskReplace(
        token.config.supervisor_socket, worker.number, link.generation());
    if (overdue && replaced) {
      error = {base::ErrorCode::kTimeout,
               "the HSM did not answer in time; its worker was replaced"};
    }
  } else {
    died = true;
    if (!token.removed) {
      base::LogWarning("{}: lost worker {}", Named(token), worker.number);
      stats_.worker_losses.Add(1);
    }
  }
  worker.reason = error;
  std::ranges::reverse(calls);  // Repeat() puts each before the others.
  for (Call& call : calls) {
    if (died && call.may_repeat && !(token.removed && call.token == &token)) {
      Repeat(token, std::move(call));
    } else {
      Fail(std::move(call), error);
    }
  }
  SendQueued();
}

// A worker that no longer belongs to us would not be told which keys it must
// forget. Until it has ended, evictions end it (EvictEverywhere).
asio::awaitable<void> Pool::Dismiss(PoolWorker& worker) {
  milliseconds next_pause = kFirstPause;
  while (!worker.dismissed && !stopped_) {
    const base::Status ended = co_await EndProcess(worker, kWhicheverServes);
    if (ended) {
      co_return;
    }
    if (next_pause == kFirstPause) {
      base::LogWarning(
          "{}: worker {} could not be made to end, and is asked again; no key "
          "can be deleted until it has ended: stop its claviger-hsm ({})",
          Named(worker.token), worker.number, ended.error().message);
    }
    if (!stopped_) {
      worker.pause.expires_after(next_pause);
      co_await worker.pause.async_wait(asio::as_tuple(asio::use_awaitable));
      next_pause = std::min(next_pause * 2, kLongestPause);
    }
  }
}

}  // namespace hsm::client
