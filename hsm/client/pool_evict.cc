// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "hsm/client/pool.h"

namespace hsm::client {
namespace {

namespace asio = boost::asio;

// For so long the slow worker may go on with the key pair that it is making,
// and no longer with one that it will never finish: a deletion waits for it.
constexpr std::chrono::milliseconds kSlowEviction{30'000};

// What EvictByAsking() waits for. Each call holds a share of it.
struct Eviction {
  EvictKeyRequest request;
  EmptyReply reply;
  std::vector<bool> confirmed;  // By worker.
  std::size_t waiting = 0;
  DoneHandler<> done;
};

}  // namespace

asio::awaitable<base::Status> Pool::EvictEverywhere(Locator locator,
                                                    SlowWorker slow_worker) {
  const std::shared_ptr<Pool> self = shared_from_this();
  evicted_->Add(locator, clock_.Monotonic());
  std::vector<PoolWorker*> workers;
  std::vector<Generation> generations;
  for (PoolToken& token : tokens_) {
    for (PoolWorker& worker : token.workers) {
      if (!token.removed || !worker.dismissed) {
        workers.push_back(&worker);
        generations.push_back(worker.link != nullptr ? worker.link->generation()
                                                     : kWhicheverServes);
      }
    }
  }
  const std::vector<bool> confirmed =
      co_await EvictByAsking(workers, locator, slow_worker);
  // A worker that has no link may serve other clients; one that failed or did
  // not answer may hold the key. A dead process holds nothing.
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if (confirmed[i]) {
      continue;
    }
    PoolWorker& worker = *workers[i];
    const base::Status ended = co_await EndProcess(worker, generations[i]);
    if (!ended) {
      co_return base::Error{
          base::ErrorCode::kHsmUnavailable,
          Named(worker.token) + ": worker " + std::to_string(worker.number) +
              " may still hold the key: " + ended.error().message};
    }
  }
  co_return base::Status();
}

// What followed `generation` has been told, but not by us if its token was
// removed.
asio::awaitable<base::Status> Pool::EndProcess(PoolWorker& worker,
                                               Generation generation) {
  const std::string& socket = worker.token.config.supervisor_socket;
  if (!worker.token.removed) {
    co_return co_await AskReplace(socket, worker.number, generation);
  }
  base::Status ended = co_await AskDismiss(socket, worker.number);
  worker.dismissed = worker.dismissed || ended;
  co_return ended;
}

// Asks all workers at once, past the queues and the windows.
asio::awaitable<std::vector<bool>> Pool::EvictByAsking(
    const std::vector<PoolWorker*>& workers, Locator locator,
    SlowWorker slow_worker) {
  const auto eviction = std::make_shared<Eviction>();
  eviction->request.locator = locator;
  eviction->confirmed.resize(workers.size());
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const PoolWorker& worker = *workers[i];
    // Never completes from within Send(): `waiting` cannot reach 0 too early.
    if (worker.link == nullptr || worker.token.removed) {
      continue;
    }
    ++eviction->waiting;
    Call call = MakeCall(eviction->request, eviction->reply);
    call.issued = clock_.Monotonic();
    if (worker.token.IsSlow(worker) && slow_worker == SlowWorker::kWaitFor) {
      call.patience = kSlowEviction - call.row->deadline;
    }
    call.done = [eviction, i](const base::Status& status) {
      eviction->confirmed[i] = status.has_value();
      if (--eviction->waiting == 0) {
        std::move(eviction->done)();
      }
    };
    Send(*worker.link, std::move(call));
  }
  if (eviction->waiting > 0) {
    auto wait = [eviction](auto handler) {
      eviction->done = std::move(handler);
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        std::move(wait), asio::use_awaitable);
  }
  co_return eviction->confirmed;
}

// A new process executes in order: what comes after this cannot use the keys.
void Pool::TellEvicted(PoolWorker& worker) {
  for (const Locator& locator : evicted_->All()) {
    const auto eviction = std::make_shared<Eviction>();
    eviction->request.locator = locator;
    Call call = MakeCall(eviction->request, eviction->reply);
    call.issued = clock_.Monotonic();
    if (worker.token.IsSlow(worker)) {
      call.patience = kLongDeadline;
    }
    call.done = [eviction](const base::Status&) {};
    Send(*worker.link, std::move(call));
  }
}

}  // namespace hsm::client
