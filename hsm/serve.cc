// SPDX-License-Identifier: Apache-2.0
#include "hsm/serve.h"

#include <poll.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "base/log.h"
#include "hsm/connection.h"
#include "hsm/socket.h"

namespace hsm {
namespace {

// One for each io thread of clavigerd, and what is left of broken ones.
constexpr std::size_t kMaxConnections = 256;

// A Loop is the state of one Serve().
class Loop {
 public:
  Loop(token::Token& token, Fd control)
      : token_(token), control_(std::move(control)) {}

  WorkerExit Run() {
    std::optional<WorkerExit> exit;
    while (!exit) {
      exit = Turn();
    }
    return *exit;
  }

 private:
  // Waits until something can be done, and does it.
  std::optional<WorkerExit> Turn() {
    const std::vector<pollfd>& ready = Wait();
    if (ready.empty()) {
      return WorkerExit::kSystemError;
    }
    // New connections come last: they move the others.
    for (std::size_t i = connections_.size(); i-- > 0;) {
      if (ready[i + 1].revents == 0) {
        continue;
      }
      // Nobody waits for what a client that has gone still asked for: the next
      // one settles what this one began, and must not be overtaken.
      const Connection::Next next = (ready[i + 1].revents & POLLHUP) != 0
                                        ? Connection::Next::kClose
                                        : connections_[i]->OnReady(token_);
      if (next == Connection::Next::kTokenGone) {
        base::LogError("the token is gone; this worker ends");
        // Before the clients see their connections end and ask for others:
        // the supervisor must not send them here again.
        control_.Close();
        return WorkerExit::kTokenGone;
      }
      if (next == Connection::Next::kClose) {
        connections_.erase(connections_.begin() +
                           static_cast<std::ptrdiff_t>(i));
      }
    }
    if (ready[0].revents != 0) {
      return TakeConnection();
    }
    return std::nullopt;
  }

  // Empty if poll fails.
  const std::vector<pollfd>& Wait() {
    polled_.clear();
    polled_.push_back({control_.get(), POLLIN, 0});
    for (const auto& connection : connections_) {
      const short events = connection->WantsToWrite() ? POLLOUT : POLLIN;
      polled_.push_back({connection->fd(), events, 0});
    }
    while (poll(polled_.data(), polled_.size(), -1) < 0) {
      if (errno != EINTR) {
        polled_.clear();
        break;
      }
    }
    return polled_;
  }

  std::optional<WorkerExit> TakeConnection() {
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
      connections_.push_back(
          std::make_unique<Connection>(std::move(packet->fd)));
    }
    return std::nullopt;
  }

  token::Token& token_;
  Fd control_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<pollfd> polled_;  // The control socket, then connections_.
};

}  // namespace

WorkerExit Serve(token::Token& token, Fd control) {
  return Loop(token, std::move(control)).Run();
}

}  // namespace hsm
