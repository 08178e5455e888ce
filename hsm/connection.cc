// SPDX-License-Identifier: Apache-2.0
#include "hsm/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <span>

#include "hsm/operations.h"

namespace hsm {
namespace {

// Replies that are written together while more requests are at hand.
constexpr int kBatch = 8;

bool IsLong(std::uint8_t tag) {
  return tag >= 1 && tag <= kOperationCount &&
         HoldsUp(kOperationRows[tag - 1].lane);
}

}  // namespace

Connection::Next Connection::OnReady(const ExecuteFn& execute) {
  if (WantsToWrite()) {
    // What was read before the socket filled up is still to be executed.
    const Next next = Flush();
    return next == Next::kRead ? Execute(execute) : next;
  }
  const Next next = Read();
  return next == Next::kRead ? Execute(execute) : next;
}

Connection::Next Connection::Read() {
  const std::span<std::uint8_t> space = in_.Space();
  const ssize_t size =
      recv(socket_.get(), space.data(), space.size(), MSG_DONTWAIT);
  if (size > 0) {
    in_.Filled(static_cast<std::size_t>(size));
    return Next::kRead;
  }
  const bool again = size < 0 && (errno == EAGAIN || errno == EINTR);
  return again ? Next::kRead : Next::kClose;
}

Connection::Next Connection::Execute(const ExecuteFn& execute) {
  int unsent = 0;
  while (const auto head = in_.Head()) {
    if (head->length < kMinFrame || head->length > kMaxFrame) {
      return Next::kClose;
    }
    // Nobody's reply waits for the long operation of somebody else.
    if (unsent >= kBatch || (unsent > 0 && IsLong(head->tag))) {
      if (const Next next = Flush(); next != Next::kRead) {
        return next;
      }
      unsent = 0;
    }
    const auto frame = in_.Take(*head);
    if (!frame) {
      break;
    }
    if (IsLong(frame->tag) && PeerHasGone()) {
      return Next::kClose;
    }
    const Outcome outcome = execute(*frame, *this);
    ++unsent;
    if (outcome == Outcome::kMalformed) {
      return Next::kClose;
    }
    if (outcome == Outcome::kTokenGone) {
      Flush();
      return Next::kTokenGone;
    }
  }
  return Flush();
}

// A key that nobody waits for must not appear after somebody has looked for
// what the peer left behind.
bool Connection::PeerHasGone() const {
  pollfd polled = {socket_.get(), 0, 0};
  return poll(&polled, 1, 0) == 1 && (polled.revents & POLLHUP) != 0;
}

Connection::Next Connection::Flush() {
  while (WantsToWrite()) {
    const ssize_t size = send(socket_.get(), out_.data() + sent_,
                              out_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return errno == EAGAIN ? Next::kWrite : Next::kClose;
    }
    sent_ += static_cast<std::size_t>(size);
  }
  WipeAndClear(out_);
  sent_ = 0;
  return Next::kRead;
}

}  // namespace hsm
