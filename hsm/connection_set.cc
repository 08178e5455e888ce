// SPDX-License-Identifier: Apache-2.0
#include "hsm/connection_set.h"

#include <cstddef>
#include <utility>

#include "base/log.h"
#include "hsm/socket.h"

namespace hsm {
namespace {

// One for each io thread of clavigerd, and what is left of broken ones.
constexpr std::size_t kMaxConnections = 256;

}  // namespace

std::vector<pollfd>& ConnectionSet::Wanted() {
  wanted_.clear();
  wanted_.push_back({control_.get(), POLLIN, 0});
  for (const auto& connection : connections_) {
    const short events = connection->WantsToWrite() ? POLLOUT : POLLIN;
    wanted_.push_back({connection->fd(), events, 0});
  }
  return wanted_;
}

std::optional<WorkerExit> ConnectionSet::OnReady(
    const Connection::ExecuteFn& execute) {
  // New connections come last: they move the others.
  for (std::size_t i = connections_.size(); i-- > 0;) {
    const short events = wanted_[i + 1].revents;
    if (events == 0) {
      continue;
    }
    // Nobody waits for what a client that has gone still asked for: the next
    // one settles what this one began, and must not be overtaken.
    const Connection::Next next = (events & POLLHUP) != 0
                                      ? Connection::Next::kClose
                                      : connections_[i]->OnReady(execute);
    if (next == Connection::Next::kTokenGone) {
      base::LogError("the token is gone; this worker ends");
      // Before the clients see their connections end and ask for others: the
      // supervisor must not send them here again.
      control_.Close();
      return WorkerExit::kTokenGone;
    }
    if (next == Connection::Next::kClose) {
      connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return wanted_[0].revents != 0 ? TakeConnection() : std::nullopt;
}

// What was read before a socket filled up is executed as soon as it is empty:
// nothing else may come to say so.
void ConnectionSet::Flush(const Connection::ExecuteFn& execute) {
  std::erase_if(connections_, [&execute](const auto& connection) {
    return connection->WantsToWrite() &&
           connection->OnReady(execute) == Connection::Next::kClose;
  });
}

std::optional<WorkerExit> ConnectionSet::TakeConnection() {
  auto packet = ReceivePacket(control_.get());
  if (!packet) {
    return packet.error().code == base::ErrorCode::kBusy
               ? std::nullopt
               : std::optional(WorkerExit::kSystemError);
  }
  if (packet->bytes.empty()) {
    return WorkerExit::kStopped;
  }
  // Too many: the descriptor is closed, which the other side sees.
  if (packet->fd.valid() && connections_.size() < kMaxConnections) {
    connections_.push_back(std::make_shared<Connection>(std::move(packet->fd)));
  }
  return std::nullopt;
}

}  // namespace hsm
