// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_LISTENER_H_
#define KMS_HTTP_LISTENER_H_

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "kms/http/connection.h"
#include "kms/http/log_limit.h"

// Part of server.cc; nobody else includes this.
namespace kms::http {

template <typename Protocol>
using Acceptor =
    boost::asio::basic_socket_acceptor<Protocol,
                                       boost::asio::io_context::executor_type>;

// Who is at the other end; nothing if the connection is gone already.
std::optional<Peer> PeerOf(TcpSocket& socket);
std::optional<Peer> PeerOf(UnixSocket& socket);

// A Listener accepts the connections of one listening socket. Its coroutine
// keeps it alive.
template <typename Protocol>
class Listener : public std::enable_shared_from_this<Listener<Protocol>> {
 public:
  // Serves an accepted socket.
  using Serve = std::function<void(Socket<Protocol>, Peer)>;
  // Says no to one too many, or says nothing.
  using Reject = std::function<void(Socket<Protocol>&)>;

  Listener(std::shared_ptr<ServerState> state, Acceptor<Protocol> acceptor,
           Serve serve, Reject reject)
      : state_(std::move(state)),
        acceptor_(std::move(acceptor)),
        serve_(std::move(serve)),
        reject_(std::move(reject)),
        log_limit_(state_->clock, std::chrono::seconds(10)) {}

  boost::asio::awaitable<void> Run();

  // Takes what the kernel has already accepted for us, and closes.
  void Stop();
  // Closes.
  void Cut();

 private:
  void Take(Socket<Protocol> socket);
  void Warn(std::string_view what);

  const std::shared_ptr<ServerState> state_;
  Acceptor<Protocol> acceptor_;
  const Serve serve_;
  const Reject reject_;
  LogLimit log_limit_;
};

template <typename Protocol>
boost::asio::awaitable<void> Listener<Protocol>::Run() {
  namespace asio = boost::asio;
  constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);
  const auto self = this->shared_from_this();
  asio::steady_timer pause(state_->io);
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwaitTuple);
    if (!error) {
      Take(std::move(socket));
    } else if (error != asio::error::operation_aborted &&
               error != asio::error::connection_aborted) {
      // No descriptor or no memory left: wait until some come back.
      Warn(error.message());
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(kAwaitTuple);
    }
  }
}

template <typename Protocol>
void Listener<Protocol>::Stop() {
  boost::system::error_code error;
  acceptor_.non_blocking(true, error);
  while (!error) {
    Socket<Protocol> socket(state_->io.get_executor());
    acceptor_.accept(socket, error);
    if (!error) {
      Take(std::move(socket));
    }
  }
  Cut();
}

template <typename Protocol>
void Listener<Protocol>::Cut() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

template <typename Protocol>
void Listener<Protocol>::Take(Socket<Protocol> socket) {
  if (state_->live.size() >= state_->limits.connections) {
    Warn("the limit of connections is reached");
    return reject_(socket);
  }
  if (std::optional<Peer> peer = PeerOf(socket)) {
    serve_(std::move(socket), *std::move(peer));
  }
}

template <typename Protocol>
void Listener<Protocol>::Warn(std::string_view what) {
  if (const auto passed_over = log_limit_.Count()) {
    base::LogWarning("http: cannot take a connection: {} ({} more not logged)",
                     what, *passed_over);
  }
}

}  // namespace kms::http

#endif  // KMS_HTTP_LISTENER_H_
