// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/completion.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <utility>
#include <vector>

#include "kms/audit/text_buffer.h"

namespace kms::audit {
namespace {

namespace asio = boost::asio;

// The coroutines of one executor that learn the same.
struct Batch {
  asio::any_io_executor executor;
  std::vector<ResumeHandler> handlers;
  std::vector<std::string> events;
};

// A server has few executors; where each connection has one (strands), looking
// at the latest few is enough to group what belongs together.
Batch& BatchOf(const asio::any_io_executor& executor,
               std::vector<Batch>& batches) {
  constexpr std::size_t kLookBack = 8;
  const std::size_t count = std::min(batches.size(), kLookBack);
  for (Batch& batch : std::span(batches).last(count)) {
    if (batch.executor == executor) {
      return batch;
    }
  }
  return batches.emplace_back(Batch{executor, {}, {}});
}

void Post(Batch batch, const base::Status& status) {
  asio::any_io_executor executor = batch.executor;
  asio::post(executor, [batch = std::move(batch), status]() mutable {
    for (std::string& event : batch.events) {
      KeepSpareText(std::move(event));
    }
    for (ResumeHandler& handler : batch.handlers) {
      std::move(handler)(status);
    }
  });
}

}  // namespace

Waiter::Waiter(ResumeHandler handler)
    : executor_(asio::prefer(handler.get_executor(),
                             asio::execution::outstanding_work.tracked)),
      resume_(std::move(handler)) {}

Waiter::Waiter(std::promise<base::Status> promise)
    : resume_(std::move(promise)) {}

void Complete(std::span<Waiter> waiters, std::span<std::string> events,
              const base::Status& status) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < waiters.size(); ++i) {
    Waiter& waiter = waiters[i];
    if (auto* handler = std::get_if<ResumeHandler>(&waiter.resume_)) {
      Batch& batch = BatchOf(waiter.executor_, batches);
      batch.handlers.push_back(std::move(*handler));
      batch.events.push_back(std::move(events[i]));
    } else {
      std::get<std::promise<base::Status>>(waiter.resume_).set_value(status);
    }
  }
  for (Batch& batch : batches) {
    Post(std::move(batch), status);
  }
}

}  // namespace kms::audit
