// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "hsm/client/pool.h"

namespace hsm::client {
namespace {

namespace asio = boost::asio;

// How often deadlines are looked at.
constexpr std::chrono::milliseconds kSweepPeriod{100};
// How long calls wait for a worker when there is none: a worker that died is
// back within this time, an outage is not worth a client's wait.
constexpr base::MonotonicTime kOutageGrace = std::chrono::seconds{1};
// A worker that has been silent for so long is asked whether it is well, or
// whether it has got the keys that it lacked.
constexpr base::MonotonicTime kSilence = std::chrono::seconds{5};
// How long calls that fail do not have a worker asked again for its keys, if it
// had them when one did.
constexpr base::MonotonicTime kBelief = std::chrono::seconds{5};

}  // namespace

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
  for (PoolToken& token : tokens_) {
    for (PoolWorker& worker : token.workers) {
      if (worker.link == nullptr) {
        continue;
      }
      const bool late = worker.link->IsOverdue(now) ||
                        (worker.ending && now >= worker.heard + kShortDeadline);
      // Twice: if it was we who slept, the reply is here, and is read now.
      if (std::exchange(worker.late, late) && late) {
        worker.overdue = true;
        worker.link->Close();  // KeepConnected() does the rest.
      } else if (!late) {
        LookAfter(worker, now);
      }
    }
    token.stats.calls_in_flight.Set(token.CallsInFlight());
    NoteStatus(token);
    ExpireLine(token.line, &token, now);
  }
  ExpireLine(any_, nullptr, now);
  evicted_->Forget(now);
}

void Pool::LookAfter(PoolWorker& worker, base::MonotonicTime now) {
  const PoolToken& token = worker.token;
  const bool silent = now >= worker.heard + kSilence;
  if (worker.asked || worker.ending) {
    return;
  }
  if (!worker.fit) {
    if (silent && required_ != nullptr) {
      asio::co_spawn(io_, CheckKeys(worker), asio::detached);
    }
  } else if (token.circuit.WantsProbe(now) ||
             (silent && !token.config.drain &&
              worker.link->outstanding_calls() == 0)) {
    asio::co_spawn(io_, AskHealth(worker), asio::detached);
  }
}

// What the reply to `call` tells of the health of its worker's token.
void Pool::NoteReply(PoolWorker& worker, const Call& call,
                     const base::Status& status, base::MonotonicTime now) {
  PoolToken& token = worker.token;
  worker.heard = now;
  if (worker.link != nullptr) {
    worker.link->NotePace(call.row->cost, now);
  }
  token.stats.calls.Add(1);
  if (!status && status.error().code == base::ErrorCode::kHsmUnavailable) {
    token.stats.failures.Add(1);
    token.circuit.Failed(now);
    worker.ending = true;  // docs/protocol/worker.md, "Status"
    Update();
    return;
  }
  const bool was_closed = token.circuit.closed();
  if (call.submitted) {
    token.circuit.Succeeded();
  } else if (call.row->number == RowOf<HealthRequest>().number) {
    token.circuit.ProbeSucceeded();
  }
  if (was_closed != token.circuit.closed()) {
    Update();
  }
}

// Past the queues and the window. The reply stays in this coroutine's frame.
template <typename Request>
Awaitable<ReplyTo<Request>> Pool::AskWorker(PoolWorker& worker,
                                            Request request) {
  ReplyTo<Request> reply;
  auto send = [&, call = MakeCall(request, reply)](auto done) mutable {
    call.done = std::move(done);
    call.issued = clock_.Monotonic();
    if (worker.token.IsSlow(worker)) {
      // It may be making a key pair for another thread.
      call.patience = kLongDeadline;
    }
    if (worker.link != nullptr) {
      Send(*worker.link, std::move(call));
    } else {
      Fail(std::move(call), worker.reason);
    }
  };
  CO_RETURN_IF_ERROR(
      (co_await asio::async_initiate<const asio::use_awaitable_t<>,
                                     void(base::Status)>(std::move(send),
                                                         asio::use_awaitable)));
  co_return base::Result<ReplyTo<Request>>(std::move(reply));
}

// NoteReply() sees the answer, the next Sweep() that there was none. A further
// token can be well and have lost its keys.
asio::awaitable<void> Pool::AskHealth(PoolWorker& worker) {
  const std::shared_ptr<Pool> self = shared_from_this();
  const std::shared_ptr<Link> link = worker.link;
  if (link == nullptr) {
    co_return;
  }
  worker.asked = true;
  const HealthRequest request;
  static_cast<void>(co_await AskWorker(worker, request));
  if (worker.link != link) {
    co_return;
  }
  worker.asked = false;
  if (&worker.token != HomeToken() && required_ != nullptr && !worker.ending) {
    co_await CheckKeys(worker);
  }
}

// A worker of a further token gets no calls until it has shown that it has the
// keys. Whoever is asking it already will ask that, or just did. If it has,
// then what failed was a key of somebody's, who must not have all workers asked
// with each call: it is believed for a while.
void Pool::Doubt(PoolWorker& worker) {
  if (clock_.Monotonic() < worker.believed_until) {
    return;
  }
  worker.doubted = true;
  worker.fit = false;
  Update();
  if (worker.link != nullptr && !worker.ending && required_ != nullptr) {
    asio::co_spawn(io_, CheckKeys(worker), asio::detached);
  }
}

// Lets a worker of a further token serve if it has the keys.
asio::awaitable<void> Pool::CheckKeys(PoolWorker& worker) {
  const std::shared_ptr<Pool> self = shared_from_this();
  const std::shared_ptr<Link> link = worker.link;
  if (link == nullptr || worker.asked) {
    co_return;
  }
  worker.asked = true;
  base::Status found;
  Keys asked;
  do {
    asked = required_;
    found = co_await FindMissing(worker, asked);
  } while (worker.link == link && asked != required_);
  if (worker.link != link) {
    co_return;  // Another process: it is asked itself.
  }
  worker.asked = false;
  worker.heard = clock_.Monotonic();
  worker.fit = found.has_value();
  if (std::exchange(worker.doubted, false) && worker.fit) {
    worker.believed_until = worker.heard + kBelief;
  }
  worker.token.missing = found ? "" : found.error().message;
  Update();
  SendQueued();
}

// New keys are made for one algorithm, whichever token is asked.
asio::awaitable<base::Status> Pool::CheckAlgorithm(PoolWorker& worker) {
  const CapabilitiesRequest request;
  CO_ASSIGN_OR_RETURN(const Capabilities capabilities,
                      co_await AskWorker(worker, request));
  if (capabilities.algorithm != algorithm_) {
    co_return base::Error{
        base::ErrorCode::kUnsupportedOperation,
        "it encrypts in another way than the home token: the tokens of a key "
        "store must be of one kind (docs/operations.md)"};
  }
  co_return base::Status();
}

asio::awaitable<base::Status> Pool::FindMissing(PoolWorker& worker, Keys keys) {
  CO_RETURN_IF_ERROR(co_await CheckAlgorithm(worker));
  for (const RequiredKey& required : *keys) {
    const CheckKeyRequest request = {required.key};
    const auto checked = co_await AskWorker(worker, request);
    const std::string name = base::HexEncode(required.key.locator.bytes);
    if (!checked) {
      const bool lacks = checked.error().code == base::ErrorCode::kNotFound;
      co_return base::Error{
          checked.error().code,
          lacks ? fmt::format("it does not have the wrapping key {}: pair it "
                              "(docs/pairing.md)",
                              name)
                : fmt::format("its wrapping key {} cannot be used: {}", name,
                              checked.error().message)};
    }
    if (checked->check_value != required.check_value) {
      co_return base::Error{
          base::ErrorCode::kIncorrectKey,
          fmt::format("it has another key in the place of the wrapping key {}: "
                      "it is not the token that was paired (docs/pairing.md)",
                      name)};
    }
  }
  co_return base::Status();
}

void Pool::ExpireLine(Line& line, const PoolToken* token,
                      base::MonotonicTime now) {
  const bool outage = IsOutage(line, now);
  const auto may_wait = [&](const Call& call) {
    return !outage && now < call.issued + call.row->deadline;
  };
  for (Line::Queue& queue : line.queues) {
    // Operations of one lane have different deadlines: one that is over may be
    // behind others that are not.
    const auto over =
        std::stable_partition(queue.calls.begin(), queue.calls.end(), may_wait);
    for (auto call = over; call != queue.calls.end(); ++call) {
      Discount(queue, *call);
      stats_.throttled.Add(outage ? 0 : 1);
      Fail(std::move(*call), outage ? Outage(token)
                                    : base::Error{base::ErrorCode::kThrottled,
                                                  "the HSM is too busy; the "
                                                  "request was not tried"});
    }
    queue.calls.erase(over, queue.calls.end());
  }
}

bool Pool::IsOutage(const Line& line, base::MonotonicTime now) const {
  return !line.open && now - line.closed_since >= kOutageGrace;
}

base::Error Pool::Outage(const PoolToken* token) const {
  if (stopped_) {
    return {base::ErrorCode::kHsmUnavailable, "the client was stopped"};
  }
  std::string reasons;
  for (const PoolToken& one : tokens_) {
    if (one.removed || (token != nullptr && token != &one)) {
      continue;
    }
    TokenStatus status = one.Status();
    if (status.reason.empty()) {
      status.reason = status.state == TokenState::kServing
                          ? one.workers.front().reason.message
                          : std::string(NameOf(status.state));
    }
    reasons += reasons.empty() ? "" : "; ";
    reasons += tokens_.size() > 1
                   ? fmt::format("token {}: {}", status.name, status.reason)
                   : status.reason;
  }
  return {base::ErrorCode::kHsmUnavailable,
          "no HSM worker is available: " + reasons};
}

}  // namespace hsm::client
