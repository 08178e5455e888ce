// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/outbox.h"

#include <set>
#include <utility>

#include "base/log.h"

namespace kms::operations {

namespace asio = boost::asio;

asio::awaitable<base::Status> AppendCommitted(Environment& environment,
                                              store::OutboxEvent event) {
  const base::Status status = co_await environment.log.Append(event.text);
  if (status) {
    environment.store.ForgetOutbox(std::move(event.event_id));
  } else {
    environment.unlogged.push_back(std::move(event));
  }
  co_return status;
}

asio::awaitable<void> RetryUnlogged(Environment& environment) {
  while (!environment.unlogged.empty()) {
    store::OutboxEvent event = std::move(environment.unlogged.front());
    environment.unlogged.erase(environment.unlogged.begin());
    const base::Status status =
        co_await AppendCommitted(environment, std::move(event));
    if (!status) {
      co_return;
    }
  }
}

base::Status CompleteLog(store::Store& store, audit::Log& log,
                         const std::string& folder) {
  ASSIGN_OR_RETURN(const auto outbox, store.ListOutbox());
  std::set<std::string> ids;
  for (const store::OutboxEvent& event : outbox) {
    ids.insert(event.event_id);
  }
  if (ids.empty()) {
    return {};
  }
  ASSIGN_OR_RETURN(const auto logged, audit::FindEvents(folder, ids));
  for (const store::OutboxEvent& event : outbox) {
    if (!logged.contains(event.event_id)) {
      base::LogInfo("completing the audit log with event {}", event.event_id);
      RETURN_IF_ERROR(log.AppendNow(event.text));
    }
    store.ForgetOutbox(event.event_id);
  }
  return {};
}

}  // namespace kms::operations
