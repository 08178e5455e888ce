// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CONNECTION_H_
#define HSM_CONNECTION_H_

#include <cstddef>

#include "base/wiping.h"
#include "hsm/fd.h"
#include "hsm/frame.h"
#include "hsm/token/token.h"

namespace hsm {

// A Connection is the worker's end of one stream of frames. It owns the socket
// and both buffers, and never waits. Not synchronised.
class Connection {
 public:
  // What is to become of it.
  enum class Next { kRead, kWrite, kClose, kTokenGone };

  explicit Connection(Fd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  // Whether it waits to write; otherwise it waits to read.
  bool WantsToWrite() const { return sent_ < out_.size(); }

  // Call when the socket is ready for what it waits for: writes what was left,
  // reads once, and executes every whole frame.
  Next OnReady(token::Token& token);

 private:
  Next Read();
  Next Execute(token::Token& token);
  bool PeerHasGone() const;
  // kRead when everything is written.
  Next Flush();

  Fd socket_;
  FrameBuffer in_;
  base::WipingBytes out_;
  std::size_t sent_ = 0;  // Of out_.
};

}  // namespace hsm

#endif  // HSM_CONNECTION_H_
