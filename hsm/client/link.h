// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_LINK_H_
#define HSM_CLIENT_LINK_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/wiping.h"
#include "hsm/client/call.h"
#include "hsm/fd.h"
#include "hsm/frame.h"
#include "hsm/supervisor_protocol.h"

namespace hsm::client {

// A Link is the connection to one worker process: the calls in flight, and the
// bytes to and from it. It lives as long as the process behind it; a new
// process gets a new Link. It belongs to the thread that runs its io_context.
class Link : public std::enable_shared_from_this<Link> {
 public:
  // Takes each call whose reply has come, in the order of arrival. It may use
  // this Link, and close it.
  using Completion = std::function<void(Call call, base::Status status)>;

  enum class End {
    kClosed,    // By the worker, or by Close().
    kMalformed  // The worker broke the protocol: it must be replaced.
  };

  // Fails with kIo if the socket cannot be used.
  static base::Result<std::shared_ptr<Link>> Create(boost::asio::io_context& io,
                                                    Fd socket,
                                                    Generation generation);

  // Whether a call that costs as much should be sent now.
  bool HasRoomFor(const OperationRow& row) const;
  int outstanding_cost() const { return outstanding_cost_; }
  int outstanding_calls() const { return outstanding_calls_; }
  // How long a call that is sent now waits until it is begun: going by how long
  // those before it took, or by how long the next reply is awaited already.
  base::MonotonicTime Backlog(base::MonotonicTime now) const;
  bool has_long_call() const { return long_calls_ > 0; }
  Generation generation() const { return generation_; }

  // Puts the call into a slot and its frame into the batch. The call comes back
  // if its request cannot be encoded.
  base::Status Send(Call& call, base::MonotonicTime now);

  // A reply to a call of that cost has come.
  void NotePace(int cost, base::MonotonicTime now);

  // Reads replies and completes their calls, until the connection ends.
  boost::asio::awaitable<End> Run(const Completion& complete);

  // Whether a call in flight is past its deadline.
  bool IsOverdue(base::MonotonicTime now) const;

  // Ends Run().
  void Close();
  // The calls in flight, for the owner to fail. Call after Run() has ended.
  std::vector<Call> TakeOutstanding();

 private:
  using Socket = boost::asio::local::stream_protocol::socket;

  Link(boost::asio::io_context& io, Socket socket, Generation generation);

  End Deliver(const Completion& complete);
  Call Release(std::uint32_t slot);
  void FlushSoon();
  void Flush();
  void FlushWhenWritable();

  boost::asio::io_context& io_;
  Socket socket_;
  const Generation generation_;
  bool closed_ = false;

  std::vector<Call> slots_;          // A free slot has no row.
  std::vector<std::uint32_t> free_;  // Slots; the last is used next.
  int outstanding_cost_ = 0;
  int outstanding_calls_ = 0;
  int long_calls_ = 0;
  base::MonotonicTime long_due_{};  // When the last long call must be done.

  // Of a cost unit, by the last replies; slow, until it is known.
  base::MonotonicTime pace_ = std::chrono::milliseconds(1);
  base::MonotonicTime busy_since_{};  // With the call that is replied to next.

  FrameBuffer in_;
  base::WipingBytes out_;
  std::size_t sent_ = 0;  // Of out_.
  int batch_ = 0;         // Frames in out_ since the last flush.
  bool flush_posted_ = false;
  bool writable_awaited_ = false;
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_LINK_H_
