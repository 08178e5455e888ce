// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_CONNECTION_H_
#define KMS_HTTP_CONNECTION_H_

#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <unordered_set>

#include "base/clock.h"
#include "kms/http/reply.h"
#include "kms/http/server.h"

// Between server.cc and connection.cc; nobody else includes this.
namespace kms::http {

// Sockets name their executor's type: a type-erased one costs at every step.
template <typename Protocol>
using Socket =
    boost::asio::basic_stream_socket<Protocol,
                                     boost::asio::io_context::executor_type>;
using TcpSocket = Socket<boost::asio::ip::tcp>;
using UnixSocket = Socket<boost::asio::local::stream_protocol>;

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
              const ServerLimits& server_limits, Handler server_handler)
      : io(server_io),
        clock(server_clock),
        limits(server_limits),
        handler(std::move(server_handler)),
        sweep_timer(server_io),
        all_ended(server_io) {}

  void Add(LiveConnection& connection);
  void Remove(LiveConnection& connection);

  // Ends what is overdue.
  void Sweep();
  void StartDraining(std::chrono::seconds limit);
  void CutAll();

  boost::asio::io_context& io;
  const base::Clock& clock;
  const ServerLimits limits;
  const Handler handler;
  std::unordered_set<LiveConnection*> live;
  std::atomic<std::size_t> count = 0;  // Of `live`, for other threads.
  bool draining = false;
  base::MonotonicTime drain_deadline = base::MonotonicTime::max();
  boost::asio::steady_timer sweep_timer;
  boost::asio::steady_timer all_ended;  // Cancelled when draining is over.
  DateLine date;
};

// Serves one connection until it ends.
void ServePlain(std::shared_ptr<ServerState> state, TcpSocket socket,
                Peer peer);
void ServeUnix(std::shared_ptr<ServerState> state, UnixSocket socket,
               Peer peer);
void ServeTls(std::shared_ptr<ServerState> state, TcpSocket socket, Peer peer,
              boost::asio::ssl::context& tls);

}  // namespace kms::http

#endif  // KMS_HTTP_CONNECTION_H_
