// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_SERVER_STATE_H_
#define KMS_HTTP_SERVER_STATE_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <unordered_set>
#include <utility>

#include "base/clock.h"
#include "kms/http/reply.h"
#include "kms/http/server.h"

// Between server.cc, its listeners and its connections.
namespace kms::http {

// A LiveConnection is how the server reaches a connection from outside its
// coroutine.
class LiveConnection {
 public:
  virtual ~LiveConnection() = default;

  // Ends the current phase if its deadline is over.
  virtual void Expire(base::MonotonicTime now) = 0;
  // Lets a connection that waits for a request look whether to go on.
  virtual void Wake() = 0;
  // Closes the socket, whatever is going on.
  virtual void Cut() = 0;
};

// What a server's connections share. They keep it alive; the server may go
// first.
struct ServerState {
  ServerState(boost::asio::io_context& server_io,
              const base::Clock& server_clock,
              const ServerLimits& server_limits, Handler server_handler,
              Refuser server_refuser)
      : io(server_io),
        clock(server_clock),
        limits(server_limits),
        handler(std::move(server_handler)),
        refuser(std::move(server_refuser)),
        sweep_timer(server_io),
        all_ended(server_io) {}

  void Add(LiveConnection& connection);
  void Remove(LiveConnection& connection);

  // A TLS handshake is in progress until it ends. If there are too many, the
  // oldest is cut off: an honest one takes a round trip or two, so it is that
  // of a client that stays silent.
  void BeginHandshake(LiveConnection& connection);
  void EndHandshake(LiveConnection& connection);

  // Ends what is overdue.
  void Sweep();
  void StartDraining(std::chrono::seconds limit);
  void CutAll();

  boost::asio::io_context& io;
  const base::Clock& clock;
  const ServerLimits limits;
  const Handler handler;
  const Refuser refuser;
  std::unordered_set<LiveConnection*> live;
  std::atomic<std::size_t> count = 0;      // Of `live`, for other threads.
  std::deque<LiveConnection*> handshakes;  // The oldest first.
  bool draining = false;
  base::MonotonicTime drain_deadline = base::MonotonicTime::max();
  boost::asio::steady_timer sweep_timer;
  boost::asio::steady_timer all_ended;  // Cancelled when draining is over.
  DateLine date;
};

}  // namespace kms::http

#endif  // KMS_HTTP_SERVER_STATE_H_
