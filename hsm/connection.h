// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CONNECTION_H_
#define HSM_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/wiping.h"
#include "hsm/fd.h"
#include "hsm/frame.h"

namespace hsm {

enum class Outcome : std::uint8_t {
  kReplied,    // Success or failure: the reply is appended.
  kPending,    // The reply will be appended to the Connection's out() later.
  kTokenGone,  // The reply, kHsmUnavailable, is appended; nothing more works.
  kMalformed   // Not a request: no reply.
};

// A Connection is the worker's end of one stream of frames. It owns the socket
// and both buffers, and never waits. Not synchronised. It is shared with those
// who still have to reply to it, and who must not keep it alive.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // What is to become of it.
  enum class Next { kRead, kWrite, kClose, kTokenGone };

  // Does what a frame asks for, and appends the reply to the connection's
  // out().
  using ExecuteFn = std::function<Outcome(const Frame&, Connection&)>;

  explicit Connection(Fd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  // Whether it waits to write; otherwise it waits to read.
  bool WantsToWrite() const { return sent_ < out_.size(); }

  // Call when the socket is ready for what it waits for: writes what was left,
  // reads once, and executes every whole frame.
  Next OnReady(const ExecuteFn& execute);

  // Replies that are not sent yet. Whoever appends to it outside of OnReady()
  // calls Flush() afterwards.
  base::WipingBytes& out() { return out_; }
  // kRead when everything is written.
  Next Flush();

 private:
  Next Read();
  Next Execute(const ExecuteFn& execute);
  bool PeerHasGone() const;

  Fd socket_;
  FrameBuffer in_;
  base::WipingBytes out_;
  std::size_t sent_ = 0;  // Of out_.
};

}  // namespace hsm

#endif  // HSM_CONNECTION_H_
