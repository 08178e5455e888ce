// SPDX-License-Identifier: Apache-2.0
#include "hsm/client/pool.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace hsm::client {
namespace {

namespace asio = boost::asio;

// How much may wait in each lane, in cost units, of which a worker does some
// 100 in a millisecond: a call that cannot be answered soon is refused at once.
// A lane that is full refuses nobody in another one. Two hundred RSA signatures
// may wait, and a hundred key pairs.
constexpr std::array<int, kLaneCount> kMaxQueuedCost = {4096, 8192, 16'384,
                                                        4096};
// How often deadlines are looked at.
constexpr std::chrono::milliseconds kSweepPeriod{100};
// How long calls wait for a worker when there is none: a worker that died is
// back within this time, an outage is not worth a client's wait.
constexpr base::MonotonicTime kOutageGrace = std::chrono::seconds{1};

}  // namespace

Pool::Pool(asio::io_context& io, ClientConfig config, const base::Clock& clock)
    : io_(io),
      config_(std::move(config)),
      clock_(clock),
      sweep_timer_(io),
      down_since_(clock.Monotonic()) {
  const int workers = std::clamp(config_.workers, 1, 64);
  for (int i = 0; i < workers + (config_.slow_worker ? 1 : 0); ++i) {
    workers_.emplace_back(io);
  }
}

base::Status Pool::Admit(const OperationRow& row) {
  if (stopped_ || IsOutage(clock_.Monotonic())) {
    return Outage();
  }
  const auto lane = static_cast<std::size_t>(row.lane);
  if (queues_[lane].cost + row.cost > kMaxQueuedCost[lane]) {
    stats_.throttled.Add(1);
    return base::Error{base::ErrorCode::kThrottled,
                       "the HSM's queue is full; try again later"};
  }
  return {};
}

void Pool::Submit(Call call) {
  call.issued = clock_.Monotonic();
  Queue& queue = queues_[static_cast<std::size_t>(call.row->lane)];
  Link* link = queue.calls.empty() ? Pick(*call.row) : nullptr;
  if (link != nullptr) {
    Send(*link, std::move(call));
    return;
  }
  queue.cost += call.row->cost;
  stats_.queued_cost.Add(call.row->cost);
  queue.calls.push_back(std::move(call));
}

// How well a worker suits a lane; a living one that suits better is waited for.
// The slow worker serves its own lane and nothing else. A long call leaves the
// first worker alone, and a short one does not go behind a long one.
int Pool::Rank(std::size_t worker, Lane lane) const {
  const bool is_slow = config_.slow_worker && worker + 1 == workers_.size();
  switch (lane) {
    case Lane::kShort:
    case Lane::kQuick:
      return is_slow ? 0 : workers_[worker].link->has_long_call() ? 1 : 2;
    case Lane::kLong:
      return is_slow ? 0 : worker == 0 ? 1 : 2;
    case Lane::kSlow:
      return is_slow ? 2 : worker == 0 ? 0 : 1;
  }
  return 0;
}

// Of the workers that suit best, the one with the least to do that has room.
Link* Pool::Pick(const OperationRow& row) {
  Link* best = nullptr;
  int best_rank = -1;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Link* link = workers_[i].link.get();
    const int rank = link == nullptr ? -1 : Rank(i, row.lane);
    if (rank < best_rank || link == nullptr) {
      continue;
    }
    if (rank > best_rank) {
      best = nullptr;
      best_rank = rank;
    }
    if (link->HasRoomFor(row) &&
        (best == nullptr ||
         link->outstanding_cost() < best->outstanding_cost())) {
      best = link;
    }
  }
  return best;
}

void Pool::Send(Link& link, Call call) {
  if (base::Status sent = link.Send(call, clock_.Monotonic()); !sent) {
    Fail(std::move(call), std::move(sent).error());
  }
}

// Long calls after short ones: theirs are the lanes that may wait.
void Pool::SendQueued() {
  for (Queue& queue : queues_) {
    while (!queue.calls.empty()) {
      Link* link = Pick(*queue.calls.front().row);
      if (link == nullptr) {
        break;
      }
      Send(*link, Unqueue(queue));
    }
  }
}

Call Pool::Unqueue(Queue& queue) {
  Call call = std::move(queue.calls.front());
  queue.calls.pop_front();
  queue.cost -= call.row->cost;
  stats_.queued_cost.Add(-call.row->cost);
  return call;
}

// A reply has come. What waits is sent before the caller goes on, so that the
// worker does not run dry; the caller goes on right here, without a detour
// through the scheduler.
void Pool::Complete(Call call, base::Status status) {
  SendQueued();
  Count(call, status);
  std::move(call.done)(std::move(status));
}

// Never from within the caller's own call: through the loop.
void Pool::Fail(Call call, base::Error error) {
  base::Status status = InStore(error);
  Count(call, status);
  asio::post(
      io_, [done = std::move(call.done), status = std::move(status)]() mutable {
        std::move(done)(std::move(status));
      });
}

void Pool::Count(const Call& call, const base::Status& status) {
  const base::MonotonicTime took = clock_.Monotonic() - call.issued;
  OperationStats& stats = stats_.operations[call.row->number - 1U];
  stats.calls.Add(1);
  stats.errors.Add(status ? 0 : 1);
  stats.latency_ns.Add(took.count());
  const auto bucket = std::ranges::lower_bound(kLatencyBounds, took);
  stats.latency[static_cast<std::size_t>(bucket - kLatencyBounds.begin())].Add(
      1);
}

void Pool::ScheduleSweep() {
  sweep_timer_.expires_after(kSweepPeriod);
  sweep_timer_.async_wait([self = shared_from_this()](auto error) {
    if (!error && !self->stopped_) {
      self->Sweep();
      self->ScheduleSweep();
    }
  });
}

void Pool::Sweep() {
  const base::MonotonicTime now = clock_.Monotonic();
  for (Worker& worker : workers_) {
    if (worker.link != nullptr && worker.link->IsOverdue(now)) {
      worker.overdue = true;
      worker.link->Close();  // KeepConnected() does the rest.
    }
  }
  for (Queue& queue : queues_) {
    ExpireQueue(queue, now);
  }
}

void Pool::ExpireQueue(Queue& queue, base::MonotonicTime now) {
  const bool outage = IsOutage(now);
  const auto is_over = [&](const Call& call) {
    return outage || now >= call.issued + call.row->deadline;
  };
  while (!queue.calls.empty() && is_over(queue.calls.front())) {
    stats_.throttled.Add(outage ? 0 : 1);
    Fail(Unqueue(queue), outage ? Outage()
                                : base::Error{base::ErrorCode::kThrottled,
                                              "the HSM is too busy; the "
                                              "request was not tried"});
  }
}

bool Pool::IsOutage(base::MonotonicTime now) const {
  return !Ready() && now - down_since_ >= kOutageGrace;
}

base::Error Pool::Outage() const {
  return {base::ErrorCode::kHsmUnavailable,
          stopped_ ? "the client was stopped"
                   : "no HSM worker is available: " +
                         workers_.front().reason.message};
}

base::Error Pool::InStore(const base::Error& error) const {
  base::Error named = error;
  if (!named.message.empty()) {
    named.message = "key store " + config_.key_store + ": " + named.message;
  }
  return named;
}

}  // namespace hsm::client
