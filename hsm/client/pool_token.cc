// SPDX-License-Identifier: Apache-2.0
#include "hsm/client/pool_token.h"

#include <algorithm>
#include <utility>

namespace hsm::client {

PoolToken::PoolToken(boost::asio::io_context& io, FurtherToken its_config,
                     TokenStats& its_stats)
    : config(std::move(its_config)), stats(its_stats) {
  const int count =
      std::clamp(config.workers, 1, 64) + (config.slow_worker ? 1 : 0);
  for (int i = 0; i < count; ++i) {
    workers.emplace_back(io, *this, static_cast<std::uint32_t>(i));
  }
}

bool PoolToken::HasLink() const {
  return std::ranges::any_of(workers, [](const PoolWorker& worker) {
    return worker.link != nullptr && !worker.ending;
  });
}

int PoolToken::CallsInFlight() const {
  int calls = 0;
  for (const PoolWorker& worker : workers) {
    calls += worker.link != nullptr ? worker.link->outstanding_calls() : 0;
  }
  return calls;
}

int PoolToken::ReadyWorkers() const {
  return static_cast<int>(
      std::ranges::count_if(workers, [](const PoolWorker& worker) {
        return worker.link != nullptr && worker.fit && !worker.ending;
      }));
}

TokenStatus PoolToken::Status() const {
  TokenStatus status{.name = config.name,
                     .state = TokenState::kServing,
                     .reason = {},
                     .workers = static_cast<int>(workers.size()),
                     .ready_workers = ReadyWorkers(),
                     .calls_in_flight = CallsInFlight()};
  if (config.drain) {
    status.state = status.calls_in_flight == 0 ? TokenState::kDrained
                                               : TokenState::kDraining;
  } else if (!circuit.closed()) {
    status.state = TokenState::kFailing;
    status.reason = "several calls in a row failed; it is tried again later";
  } else if (!HasLink()) {
    status.state = TokenState::kDown;
    status.reason = workers.front().reason.message;
  } else if (status.ready_workers == 0) {
    status.state = TokenState::kKeptOut;
    status.reason =
        missing.empty() ? "it has not been asked for its keys yet" : missing;
  }
  return status;
}

}  // namespace hsm::client
