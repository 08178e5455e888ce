// SPDX-License-Identifier: Apache-2.0
#include "hsm/client/pool.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace hsm::client {
namespace {

namespace asio = boost::asio;

constexpr int kTogether = 3;  // The rank of a worker that may be joined.

// How much may wait in each lane of each line, in cost units, of which a worker
// does some 100 in a millisecond: a call that cannot be answered soon is
// refused at once. A lane that is full refuses nobody in another one. Two
// hundred RSA signatures may wait, and a hundred key pairs.
constexpr std::array<int, kLaneCount> kMaxQueuedCost = {4096, 8192, 16'384,
                                                        4096};

std::size_t IndexOf(Lane lane) { return static_cast<std::size_t>(lane); }

bool IsUnavailable(const base::Status& status) {
  return !status && status.error().code == base::ErrorCode::kHsmUnavailable;
}

// What a token answers that has lost a wrapping key, or got another one in its
// place; and for a key that is gone or damaged itself.
bool MayLackKeys(const base::Status& status) {
  return !status && (status.error().code == base::ErrorCode::kNotFound ||
                     status.error().code == base::ErrorCode::kCorrupt);
}

}  // namespace

Pool::Pool(asio::io_context& io, ClientConfig config, const base::Clock& clock)
    : io_(io),
      key_store_(std::move(config.key_store)),
      clock_(clock),
      sweep_timer_(io),
      evicted_(config.evicted != nullptr ? std::move(config.evicted)
                                         : std::make_shared<EvictedKeys>()) {
  any_.closed_since = clock.Monotonic();
  AddToken({.name = std::string(kHomeToken),
            .supervisor_socket = std::move(config.supervisor_socket),
            .workers = config.workers,
            .slow_worker = config.slow_worker});
  for (FurtherToken& token : config.further_tokens) {
    AddToken(std::move(token));
  }
}

base::Status Pool::Admit(const OperationRow& row, const PoolToken* token) {
  const Line& line = LineOf(token);
  if (stopped_ || IsOutage(line, clock_.Monotonic())) {
    return Outage(token);
  }
  const std::size_t lane = IndexOf(row.lane);
  if (line.queues[lane].cost + row.cost > kMaxQueuedCost[lane]) {
    stats_.throttled.Add(1);
    return base::Error{base::ErrorCode::kThrottled,
                       "the HSM's queue is full; try again later"};
  }
  return {};
}

void Pool::Submit(Call call) {
  call.issued = clock_.Monotonic();
  call.submitted = true;
  call.may_repeat = call.row->scope == Scope::kShared;
  Line::Queue& queue = LineOf(call).queues[IndexOf(call.row->lane)];
  Link* link = queue.calls.empty() ? Pick(call) : nullptr;
  if (link != nullptr) {
    Send(*link, std::move(call));
    return;
  }
  queue.cost += call.row->cost;
  stats_.queued_cost.Add(call.row->cost);
  queue.calls.push_back(std::move(call));
}

// A further token that does not serve can still be spoken to by its name.
bool Pool::MayTake(const PoolWorker& worker, const PoolToken* token) const {
  if (worker.link == nullptr || worker.ending) {
    return false;
  }
  if (token == nullptr) {
    return worker.fit && worker.token.MayServe();
  }
  return token == &worker.token &&
         (token != &tokens_.front() || token->MayServe());
}

bool Pool::AnyMayTake(const PoolToken* token) const {
  return std::ranges::any_of(tokens_, [&](const PoolToken& one) {
    return std::ranges::any_of(one.workers, [&](const PoolWorker& worker) {
      return MayTake(worker, token);
    });
  });
}

bool Pool::OthersServe(const PoolToken& token) const {
  return std::ranges::any_of(tokens_, [&](const PoolToken& other) {
    return &other != &token && other.MayServe() && other.ReadyWorkers() > 0;
  });
}

// Short calls stay together while they wait for next to nothing: a worker that
// has several at hand takes and answers them in one go, and no other need be
// woken (measured: 5 to 9 % of the processor time of a request). SoftHSM has
// some twenty at hand then. A token that takes a millisecond for each has one.
bool Pool::MayJoin(const Link& link, const OperationRow& row) const {
  constexpr std::chrono::microseconds kNextToNothing{500};
  return row.lane == Lane::kShort && link.HasRoomFor(row) &&
         link.Backlog(clock_.Monotonic()) < kNextToNothing;
}

// How well a worker suits a call; a living one that suits better is waited for.
// A slow worker serves its own lane and nothing else. A long call leaves the
// first worker of several alone, and a short one does not go behind a long one.
int Pool::Rank(const PoolWorker& worker, const OperationRow& row) const {
  const PoolToken& token = worker.token;
  const bool is_slow = token.IsSlow(worker);
  const bool is_first = worker.number == 0 && (token.config.workers > 1 ||
                                               &token == &tokens_.front());
  switch (row.lane) {
    case Lane::kShort:
    case Lane::kQuick:
      if (is_slow) {
        return 0;
      }
      if (worker.link->has_long_call()) {
        return 1;
      }
      return MayJoin(*worker.link, row) ? kTogether : 2;
    case Lane::kLong:
      return is_slow ? 0 : is_first ? 1 : 2;
    case Lane::kSlow:
      return is_slow ? 2 : is_first ? 0 : 1;
  }
  return 0;
}

// Of the workers that suit best, the one with the least to do that has room, or
// the first that may be joined; among equals, that of the token whose turn it
// is.
Link* Pool::Pick(const Call& call) {
  const OperationRow& row = *call.row;
  const PoolToken* const avoided =
      call.avoids != nullptr && OthersServe(*call.avoids) ? call.avoids
                                                          : nullptr;
  Link* best = nullptr;
  int best_rank = -1;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    PoolToken& one = tokens_[(token_turn_ + i) % tokens_.size()];
    if (&one == avoided) {
      continue;
    }
    for (PoolWorker& worker : one.workers) {
      const int rank = MayTake(worker, call.token) ? Rank(worker, row) : -1;
      if (rank < 0 || rank < best_rank) {
        continue;
      }
      if (rank > best_rank) {
        best = nullptr;
        best_rank = rank;
      }
      Link* const link = worker.link.get();
      if (link->HasRoomFor(row) &&
          (best == nullptr ||
           (rank != kTogether &&
            link->outstanding_cost() < best->outstanding_cost()))) {
        best = link;
      }
    }
  }
  token_turn_ = (token_turn_ + 1) % tokens_.size();
  return best;
}

Line& Pool::LineOf(const Call& call) {
  return call.token != nullptr ? call.token->line : any_;
}

const Line& Pool::LineOf(const PoolToken* token) const {
  return token != nullptr ? token->line : any_;
}

void Pool::Send(Link& link, Call call) {
  if (base::Status sent = link.Send(call, clock_.Monotonic()); !sent) {
    Fail(std::move(call), std::move(sent).error());
  }
}

// Long calls after short ones: theirs are the lanes that may wait. No line
// comes first always.
void Pool::SendQueued() {
  const std::size_t lines = tokens_.size() + 1;
  for (std::size_t lane = 0; lane < kLaneCount; ++lane) {
    for (std::size_t i = 0; i < lines; ++i) {
      const std::size_t at = (line_turn_ + i) % lines;
      Line& line = at < tokens_.size() ? tokens_[at].line : any_;
      SendQueue(line.queues[lane]);
    }
  }
  line_turn_ = (line_turn_ + 1) % lines;
}

void Pool::SendQueue(Line::Queue& queue) {
  while (!queue.calls.empty()) {
    const Call& next = queue.calls.front();
    Link* const link = Pick(next);
    if (link == nullptr) {
      return;
    }
    Send(*link, Unqueue(queue));
  }
}

Call Pool::Unqueue(Line::Queue& queue) {
  Call call = std::move(queue.calls.front());
  queue.calls.pop_front();
  Discount(queue, call);
  return call;
}

void Pool::Discount(Line::Queue& queue, const Call& call) {
  queue.cost -= call.row->cost;
  stats_.queued_cost.Add(-call.row->cost);
}

// A reply has come. What waits is sent before the caller goes on, so that the
// worker does not run dry; the caller goes on right here, without a detour
// through the scheduler.
void Pool::Complete(PoolWorker& worker, Call call, base::Status status) {
  const base::MonotonicTime now = clock_.Monotonic();
  NoteReply(worker, call, status, now);
  const bool is_doubtful = call.submitted && call.token == nullptr &&
                           &worker.token != HomeToken() && MayLackKeys(status);
  if (is_doubtful) {
    Doubt(worker);
  }
  const bool elsewhere = (IsUnavailable(status) || is_doubtful) &&
                         call.may_repeat && call.token == nullptr &&
                         OthersServe(worker.token);
  if (elsewhere) {
    Repeat(worker.token, std::move(call));
    SendQueued();
    return;
  }
  SendQueued();
  Count(call, status, now);
  std::move(call.done)(std::move(status));
}

// Puts a call that its worker did not live to answer, or could not, before all
// that wait.
void Pool::Repeat(const PoolToken& died, Call call) {
  call.may_repeat = false;
  call.avoids = call.token == nullptr ? &died : nullptr;
  stats_.repeated.Add(1);
  Line::Queue& queue = LineOf(call).queues[IndexOf(call.row->lane)];
  queue.cost += call.row->cost;
  stats_.queued_cost.Add(call.row->cost);
  queue.calls.push_front(std::move(call));
}

// Never from within the caller's own call: through the loop.
void Pool::Fail(Call call, base::Error error) {
  base::Status status = InStore(error);
  Count(call, status, clock_.Monotonic());
  asio::post(
      io_, [done = std::move(call.done), status = std::move(status)]() mutable {
        std::move(done)(std::move(status));
      });
}

void Pool::Count(const Call& call, const base::Status& status,
                 base::MonotonicTime now) {
  const base::MonotonicTime took = now - call.issued;
  OperationStats& stats = stats_.operations[call.row->number - 1U];
  stats.calls.Add(1);
  stats.errors.Add(status ? 0 : 1);
  stats.latency_ns.Add(took.count());
  const auto bucket = std::ranges::lower_bound(kLatencyBounds, took);
  stats.latency[static_cast<std::size_t>(bucket - kLatencyBounds.begin())].Add(
      1);
}

base::Error Pool::InStore(const base::Error& error) const {
  base::Error named = error;
  if (!named.message.empty()) {
    named.message = "key store " + key_store_ + ": " + named.message;
  }
  return named;
}

}  // namespace hsm::client
