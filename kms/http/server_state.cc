// SPDX-License-Identifier: Apache-2.0
#include "kms/http/server_state.h"

namespace kms::http {

void ServerState::Add(LiveConnection& connection) {
  live.insert(&connection);
  count.store(live.size(), std::memory_order_relaxed);
}

void ServerState::Remove(LiveConnection& connection) {
  live.erase(&connection);
  count.store(live.size(), std::memory_order_relaxed);
  if (live.empty() && draining) {
    all_ended.cancel();
  }
}

void ServerState::BeginHandshake(LiveConnection& connection) {
  if (handshakes.size() >= limits.handshakes) {
    LiveConnection* const oldest = handshakes.front();
    handshakes.pop_front();
    oldest->Cut();
  }
  handshakes.push_back(&connection);
}

void ServerState::EndHandshake(LiveConnection& connection) {
  std::erase(handshakes, &connection);
}

void ServerState::Sweep() {
  const base::MonotonicTime now = clock.Monotonic();
  for (LiveConnection* connection : live) {
    connection->Expire(now);
  }
  if (now >= drain_deadline) {
    all_ended.cancel();
  }
}

void ServerState::StartDraining(std::chrono::seconds limit) {
  draining = true;
  drain_deadline = clock.Monotonic() + limit;
  for (LiveConnection* connection : live) {
    connection->Wake();
  }
}

void ServerState::CutAll() {
  for (LiveConnection* connection : live) {
    connection->Cut();
  }
}

}  // namespace kms::http
