// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_STREAM_H_
#define KMS_CLIENT_STREAM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace kms::client {

// A Deadline is a point of monotonic time. The clock is borrowed.
class Deadline {
 public:
  Deadline(const base::Clock& clock, std::chrono::milliseconds from_now)
      : clock_(&clock), end_(clock.Monotonic() + from_now) {}

  // What is left, for poll(): rounded up, so that a wait that ends has ended;
  // 0 when the time has come.
  int PollTimeout() const;

 private:
  const base::Clock* clock_;
  base::MonotonicTime end_;
};

// A Stream is a connected byte stream to the server. Not synchronised.
// Destroying one closes the descriptor, if it is still this stream's, and
// writes nothing, so that a child process can drop what it inherited without
// disturbing its parent.
class Stream {
 public:
  Stream() = default;
  virtual ~Stream() = default;

  // Writes all of `bytes`, or fails with kTimeout or kIo.
  virtual base::Status Write(base::ByteView bytes,
                             const Deadline& deadline) = 0;

  // Reads what is there, at least one byte; 0 says that the peer has closed.
  // Fails with kTimeout, kIo or, on TLS, kCorrupt.
  virtual base::Result<std::size_t> Read(std::span<std::uint8_t> into,
                                         const Deadline& deadline) = 0;

  // Whether the host has left the descriptor alone, and the peer has neither
  // closed nor sent anything unasked, so that a request may be sent on this
  // stream. Does not wait for the peer.
  virtual bool IsQuiet(const Deadline& deadline) = 0;

  // Whether Write has given the kernel any byte of application data since
  // ForgetSent(): if not, the peer cannot have seen a request.
  bool HasSent() const { return sent_; }
  void ForgetSent() { sent_ = false; }

 protected:
  void NoteSent() { sent_ = true; }

 private:
  bool sent_ = false;
};

}  // namespace kms::client

#endif  // KMS_CLIENT_STREAM_H_
