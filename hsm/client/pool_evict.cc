// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "hsm/client/pool.h"

namespace hsm::client {
namespace {

namespace asio = boost::asio;

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
  std::vector<Generation> generations;
  for (const Worker& worker : workers_) {
    generations.push_back(worker.link != nullptr ? worker.link->generation()
                                                 : kWhicheverServes);
  }
  const std::vector<bool> confirmed =
      co_await EvictByAsking(locator, slow_worker);
  // A worker that has no link may serve other clients; one that failed or did
  // not answer may hold the key. A dead process holds nothing.
  for (std::uint32_t index = 0; index < workers_.size(); ++index) {
    if (confirmed[index]) {
      continue;
    }
    const base::Status replaced = co_await AskReplace(
        config_.supervisor_socket, index, generations[index]);
    if (!replaced) {
      co_return base::Error{
          base::ErrorCode::kHsmUnavailable,
          "key store " + config_.key_store + ": worker " +
              std::to_string(index) +
              " may still hold the key: " + replaced.error().message};
    }
  }
  co_return base::Status();
}

// Asks all workers at once, past the queues and the windows.
asio::awaitable<std::vector<bool>> Pool::EvictByAsking(Locator locator,
                                                       SlowWorker slow_worker) {
  const auto eviction = std::make_shared<Eviction>();
  eviction->request.locator = locator;
  eviction->confirmed.resize(workers_.size());
  for (std::size_t index = 0; index < workers_.size(); ++index) {
    // Never completes from within Send(): `waiting` cannot reach 0 too early.
    if (workers_[index].link == nullptr) {
      continue;
    }
    ++eviction->waiting;
    Call call = MakeCall(eviction->request, eviction->reply);
    call.issued = clock_.Monotonic();
    const bool is_slow = config_.slow_worker && index + 1 == workers_.size();
    if (is_slow && slow_worker == SlowWorker::kWaitFor) {
      call.patience = kLongDeadline;
    }
    call.done = [eviction, index](const base::Status& status) {
      eviction->confirmed[index] = status.has_value();
      if (--eviction->waiting == 0) {
        std::move(eviction->done)();
      }
    };
    Send(*workers_[index].link, std::move(call));
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

}  // namespace hsm::client
