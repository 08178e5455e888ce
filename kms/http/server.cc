// SPDX-License-Identifier: Apache-2.0
#include "kms/http/server.h"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "kms/http/connection.h"
#include "kms/http/listener.h"
#include "kms/http/socket_file.h"
#include "kms/http/tls.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;
namespace ip = boost::asio::ip;
using asio::local::stream_protocol;
using boost::system::error_code;
using std::chrono::seconds;

constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);
constexpr int kBacklog = 1024;
constexpr std::string_view kTooManyConnections =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Length: 0\r\nConnection: close\r\n\r\n";

using ReusePort =
    asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

base::Result<ip::tcp::endpoint> EndpointOf(std::string_view address,
                                           std::uint16_t port) {
  error_code error;
  const ip::address parsed = ip::make_address(std::string(address), error);
  if (error) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "listen address '" + std::string(address) +
                           "' is not a numeric IPv4 or IPv6 address"};
  }
  return ip::tcp::endpoint(parsed, port);
}

// Opens and binds a socket that listens. `open` sets its options.
template <typename Protocol>
base::Result<Acceptor<Protocol>> Bind(
    asio::io_context& io, const typename Protocol::endpoint& endpoint,
    void (*set_options)(Acceptor<Protocol>&, error_code&)) {
  Acceptor<Protocol> acceptor(io.get_executor());
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    set_options(acceptor, error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(kBacklog, error);
  }
  if (error) {
    std::ostringstream where;
    where << endpoint;
    return base::Error{base::ErrorCode::kIo, "cannot listen on " + where.str() +
                                                 ": " + error.message()};
  }
  return acceptor;
}

void SetTcpOptions(Acceptor<ip::tcp>& acceptor, error_code& error) {
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) {
    acceptor.set_option(ReusePort(true), error);
  }
}

void SetNoOptions(Acceptor<stream_protocol>&, error_code&) {}

template <typename Protocol>
void SayTooMany(Socket<Protocol>& socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(kTooManyConnections), ignored);
}

void SayNothing(TcpSocket&) {}

// IPv4 callers of an IPv6 listener appear as ::ffff:192.0.2.7.
std::string AddressText(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

asio::awaitable<void> SweepEachSecond(std::shared_ptr<ServerState> state) {
  error_code error;
  while (!error) {
    state->sweep_timer.expires_after(seconds(1));
    std::tie(error) = co_await state->sweep_timer.async_wait(kAwaitTuple);
    state->Sweep();
  }
}

}  // namespace

std::optional<Peer> PeerOf(TcpSocket& socket) {
  error_code error;
  const ip::tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) {
    return std::nullopt;
  }
  socket.set_option(ip::tcp::no_delay(true), error);
  return Peer{.address = AddressText(endpoint.address()),
              .unix_peer = std::nullopt};
}

std::optional<Peer> PeerOf(UnixSocket& socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials,
                 &size) != 0 ||
      size != sizeof(credentials)) {
    return std::nullopt;
  }
  return Peer{.address = "unix",
              .unix_peer = UnixPeer{credentials.uid, credentials.pid}};
}

struct HttpServer::Listeners {
  base::Result<std::uint16_t> AddTcp(const ip::tcp::endpoint& endpoint,
                                     Listener<ip::tcp>::Serve serve,
                                     Listener<ip::tcp>::Reject reject);
  void StopAll();

  std::shared_ptr<ServerState> state;
  std::vector<std::shared_ptr<Listener<ip::tcp>>> tcp;
  std::vector<std::shared_ptr<Listener<stream_protocol>>> unix_sockets;
  std::vector<SocketFile> socket_files;
};

base::Result<std::uint16_t> HttpServer::Listeners::AddTcp(
    const ip::tcp::endpoint& endpoint, Listener<ip::tcp>::Serve serve,
    Listener<ip::tcp>::Reject reject) {
  ASSIGN_OR_RETURN(auto acceptor,
                   Bind<ip::tcp>(state->io, endpoint, SetTcpOptions));
  const std::uint16_t port = acceptor.local_endpoint().port();
  tcp.push_back(std::make_shared<Listener<ip::tcp>>(
      state, std::move(acceptor), std::move(serve), std::move(reject)));
  asio::co_spawn(state->io, tcp.back()->Run(), asio::detached);
  return port;
}

void HttpServer::Listeners::StopAll() {
  for (const auto& listener : tcp) {
    listener->Stop();
  }
  for (const auto& listener : unix_sockets) {
    listener->Stop();
  }
  tcp.clear();
  unix_sockets.clear();
  socket_files.clear();
}

HttpResponse RefuseInPlainText(const Refusal& refusal) {
  return PlainText(refusal.status, refusal.reason);
}

HttpServer::HttpServer(asio::io_context& io, const base::Clock& clock,
                       const ServerLimits& limits, Handler handler,
                       Refuser refuser)
    : listeners_(std::make_unique<Listeners>()) {
  listeners_->state = std::make_shared<ServerState>(
      io, clock, limits, std::move(handler), std::move(refuser));
  asio::co_spawn(io, SweepEachSecond(listeners_->state), asio::detached);
}

HttpServer::~HttpServer() {
  for (const auto& listener : listeners_->tcp) {
    listener->Cut();
  }
  for (const auto& listener : listeners_->unix_sockets) {
    listener->Cut();
  }
  listeners_->state->CutAll();
  listeners_->state->sweep_timer.cancel();
}

base::Result<std::uint16_t> HttpServer::ListenTcp(std::string_view address,
                                                  std::uint16_t port) {
  ASSIGN_OR_RETURN(const auto endpoint, EndpointOf(address, port));
  if (!endpoint.address().is_loopback()) {
    return base::Error{
        base::ErrorCode::kInvalidArgument,
        "plain HTTP is served on loopback addresses only (127.0.0.1, ::1), "
        "not on " +
            std::string(address) +
            "; configure a certificate to listen there with TLS"};
  }
  return listeners_->AddTcp(
      endpoint,
      [state = listeners_->state](TcpSocket socket, Peer peer) {
        ServePlain(state, std::move(socket), std::move(peer));
      },
      SayTooMany<ip::tcp>);
}

base::Result<std::uint16_t> HttpServer::ListenTls(
    std::string_view address, std::uint16_t port,
    std::shared_ptr<TlsContext> tls) {
  ASSIGN_OR_RETURN(const auto endpoint, EndpointOf(address, port));
  return listeners_->AddTcp(
      endpoint,
      [state = listeners_->state, tls = std::move(tls)](TcpSocket socket,
                                                        Peer peer) {
        ServeTls(state, std::move(socket), std::move(peer), *tls->current());
      },
      SayNothing);
}

base::Status HttpServer::ListenUnix(const std::string& path) {
  RETURN_IF_ERROR(ClearSocketPath(path));
  const auto& state = listeners_->state;
  ASSIGN_OR_RETURN(
      auto acceptor,
      Bind<stream_protocol>(state->io, stream_protocol::endpoint(path),
                            SetNoOptions));
  ASSIGN_OR_RETURN(auto file, SocketFile::Open(path));
  listeners_->socket_files.push_back(std::move(file));
  listeners_->unix_sockets.push_back(
      std::make_shared<Listener<stream_protocol>>(
          state, std::move(acceptor),
          [state](UnixSocket socket, Peer peer) {
            ServeUnix(state, std::move(socket), std::move(peer));
          },
          SayTooMany<stream_protocol>));
  asio::co_spawn(state->io, listeners_->unix_sockets.back()->Run(),
                 asio::detached);
  return {};
}

void HttpServer::Sweep() { listeners_->state->Sweep(); }

asio::awaitable<bool> HttpServer::Shutdown(seconds limit) {
  const std::shared_ptr<ServerState> state = listeners_->state;
  listeners_->StopAll();
  state->StartDraining(limit);
  if (!state->live.empty()) {
    state->all_ended.expires_at(asio::steady_timer::time_point::max());
    co_await state->all_ended.async_wait(kAwaitTuple);
  }
  const bool all_ended = state->live.empty();
  state->CutAll();
  co_return all_ended;
}

std::size_t HttpServer::connections() const {
  return listeners_->state->count.load(std::memory_order_relaxed);
}

}  // namespace kms::http
