// SPDX-License-Identifier: Apache-2.0
#include "hsm/client/link.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "hsm/status_codes.h"

namespace hsm::client {
namespace {

namespace asio = boost::asio;

// In cost units. Deep enough that the worker never waits for us, shallow enough
// that a call which comes later does not wait long in a worker's buffer.
constexpr int kWindow = 64;
// One executing and one at hand, whatever they cost.
constexpr int kMinInFlight = 2;
// Without a limit the io thread, the workers and the disk take turns.
constexpr int kBatch = 8;
// The pace is that of about so many replies.
constexpr int kPaceReplies = 32;

}  // namespace

base::Result<std::shared_ptr<Link>> Link::Create(asio::io_context& io,
                                                 Fd socket,
                                                 Generation generation) {
  Socket stream(io);
  boost::system::error_code error;
  stream.assign(asio::local::stream_protocol(), socket.get(), error);
  if (error) {
    return base::Error{base::ErrorCode::kIo,
                       "cannot use the worker's socket: " + error.message()};
  }
  static_cast<void>(socket.Release());
  stream.non_blocking(true, error);
  return std::shared_ptr<Link>(new Link(io, std::move(stream), generation));
}

Link::Link(asio::io_context& io, Socket socket, Generation generation)
    : io_(io), socket_(std::move(socket)), generation_(generation) {}

bool Link::HasRoomFor(const OperationRow& row) const {
  return !closed_ && (outstanding_calls_ < kMinInFlight ||
                      outstanding_cost_ + row.cost <= kWindow);
}

base::Status Link::Send(Call& call, base::MonotonicTime now) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  RETURN_IF_ERROR(call.encode(call.request, slot, out_));
  free_.pop_back();
  if (outstanding_calls_ == 0) {
    busy_since_ = now;
  }
  outstanding_cost_ += call.row->cost;
  ++outstanding_calls_;
  // A worker executes in order: what is behind a long call may take as much
  // longer. An eviction does not wait: it has its own, short, deadline, and
  // where it must not disturb, the patience that it was given.
  call.due = now + call.row->deadline + call.patience;
  if (long_calls_ > 0 && call.row->number != RowOf<EvictKeyRequest>().number) {
    call.due = std::max(now, long_due_) + call.row->deadline;
  }
  if (HoldsUp(call.row->lane)) {
    ++long_calls_;
    long_due_ = call.due;
  }
  slots_[slot] = std::move(call);
  if (++batch_ >= kBatch) {
    Flush();
  } else {
    FlushSoon();
  }
  return {};
}

// Several replies may come in one go: the first of them is then charged with
// the time of all, which is why the last few are averaged.
void Link::NotePace(int cost, base::MonotonicTime now) {
  pace_ += ((now - busy_since_) / cost - pace_) / kPaceReplies;
  busy_since_ = now;
}

base::MonotonicTime Link::Backlog(base::MonotonicTime now) const {
  return outstanding_calls_ == 0
             ? base::MonotonicTime{}
             : std::max(outstanding_cost_ * pace_, now - busy_since_);
}

asio::awaitable<Link::End> Link::Run(const Completion& complete) {
  const std::shared_ptr<Link> self = shared_from_this();
  End end = End::kClosed;
  while (!closed_) {
    const std::span<std::uint8_t> space = in_.Space();
    const auto [error, size] = co_await socket_.async_read_some(
        asio::buffer(space.data(), space.size()),
        asio::as_tuple(asio::use_awaitable));
    if (error || closed_) {
      break;
    }
    in_.Filled(size);
    if (Deliver(complete) == End::kMalformed) {
      end = End::kMalformed;
      break;
    }
  }
  Close();
  co_return end;
}

// Returns kClosed if all is well: the stream then just has no more for now.
Link::End Link::Deliver(const Completion& complete) {
  while (!closed_) {
    const auto head = in_.Head();
    if (!head) {
      break;
    }
    if (head->slot >= slots_.size() || slots_[head->slot].row == nullptr ||
        head->length < kMinFrame ||
        head->length > slots_[head->slot].row->max_reply) {
      return End::kMalformed;
    }
    const auto frame = in_.Take(*head);
    if (!frame) {
      break;
    }
    const Call& call = slots_[frame->slot];
    base::Status status;
    if (frame->tag != kStatusOk) {
      std::optional<base::Error> error = DecodeError(*frame);
      if (!error) {
        return End::kMalformed;
      }
      status = *std::move(error);
    } else if (!call.decode(frame->payload, call.reply)) {
      return End::kMalformed;
    }
    complete(Release(frame->slot), std::move(status));
  }
  return End::kClosed;
}

Call Link::Release(std::uint32_t slot) {
  Call call = std::move(slots_[slot]);
  slots_[slot] = Call();
  free_.push_back(slot);
  outstanding_cost_ -= call.row->cost;
  --outstanding_calls_;
  long_calls_ -= HoldsUp(call.row->lane) ? 1 : 0;
  return call;
}

bool Link::IsOverdue(base::MonotonicTime now) const {
  return std::ranges::any_of(slots_, [now](const Call& call) {
    return call.row != nullptr && now >= call.due;
  });
}

void Link::Close() {
  if (!closed_) {
    closed_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
}

std::vector<Call> Link::TakeOutstanding() {
  std::vector<Call> calls;
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].row != nullptr) {
      calls.push_back(Release(slot));
    }
  }
  return calls;
}

// At the end of this turn of the loop: what is ready to run runs first, and may
// add to the batch.
void Link::FlushSoon() {
  if (!std::exchange(flush_posted_, true)) {
    asio::post(io_, [self = shared_from_this()] {
      self->flush_posted_ = false;
      self->Flush();
    });
  }
}

// Writes without a detour through the reactor: the socket's buffer holds a
// whole window of ordinary requests.
void Link::Flush() {
  batch_ = 0;
  if (closed_ || writable_awaited_) {
    return;
  }
  while (sent_ < out_.size()) {
    const ssize_t size =
        ::send(socket_.native_handle(), out_.data() + sent_,
               out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN) {
      FlushWhenWritable();
      return;
    } else if (errno != EINTR) {
      // The read side will find the end too, after the replies that still came.
      break;
    }
  }
  WipeAndClear(out_);
  sent_ = 0;
}

void Link::FlushWhenWritable() {
  writable_awaited_ = true;
  socket_.async_wait(Socket::wait_write,
                     [self = shared_from_this()](auto error) {
                       self->writable_awaited_ = false;
                       if (!error) {
                         self->Flush();
                       }
                     });
}

}  // namespace hsm::client
