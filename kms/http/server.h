// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_SERVER_H_
#define KMS_HTTP_SERVER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kms/http/head.h"
#include "kms/http/message.h"
#include "kms/http/request_reader.h"

namespace kms::http {

class TlsContext;

// How long a connection may stay in one phase. A deadline counts from the
// start of its phase: bytes that trickle in do not move it.
struct PhaseLimits {
  std::chrono::seconds handshake{10};
  std::chrono::seconds idle{75};    // Between two requests.
  std::chrono::seconds header{10};  // Also from accept to the first byte.
  std::chrono::seconds body{30};
  std::chrono::seconds write{30};
  std::chrono::seconds close{2};  // To read what a refused client still sends.
};

struct ServerLimits {
  RequestLimits request;
  PhaseLimits phases;
  std::size_t connections = 4096;
  std::size_t handshakes = 512;  // In progress; of more the oldest ends.
};

// Answers one request, on the io thread. The request is borrowed until the
// coroutine has returned.
using Handler =
    std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;

// What is told to whom no handler answers: the bytes are no request, or too
// many. The connection is closed.
using Refuser = std::function<HttpResponse(const Refusal&)>;
HttpResponse RefuseInPlainText(const Refusal& refusal);

// An HttpServer is the HTTP/1.1 listeners and connections of one io thread:
// one coroutine a connection, requests of a connection answered in order, one
// write a reply. Several threads have one HttpServer each; on TCP they share a
// port (SO_REUSEPORT), a Unix socket belongs to one of them.
//
// `io` must outlive the server, run on one thread, and be destroyed before
// what the handler refers to. All members are called on that thread, or before
// it runs; connections() from any thread.
class HttpServer {
 public:
  HttpServer(boost::asio::io_context& io, const base::Clock& clock,
             const ServerLimits& limits, Handler handler,
             Refuser refuser = RefuseInPlainText);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens and returns the port, which matters when `port` is 0. `address` is
  // numeric. Plain HTTP is for loopback addresses only: kInvalidArgument for
  // any other. kIo if the system refuses (address in use).
  base::Result<std::uint16_t> ListenTcp(std::string_view address,
                                        std::uint16_t port);
  base::Result<std::uint16_t> ListenTls(std::string_view address,
                                        std::uint16_t port,
                                        std::shared_ptr<TlsContext> tls);

  // Listens on a Unix socket that every user may connect to: callers are told
  // apart by the kernel's word for their uid. A socket file that nobody
  // listens on is replaced; kBusy if somebody does, kInvalidArgument if the
  // path is too long or another kind of file. Removes the file when it stops.
  base::Status ListenUnix(const std::string& path);

  // Ends the phases that are overdue. A timer calls it every second; a test
  // with a FakeClock calls it itself.
  void Sweep();

  // Accepts no more, answers what has arrived with "Connection: close", and
  // returns whether all connections have ended within `limit`; those that have
  // not are then cut.
  boost::asio::awaitable<bool> Shutdown(std::chrono::seconds limit);

  std::size_t connections() const;

 private:
  class Listeners;
  std::unique_ptr<Listeners> listeners_;
};

}  // namespace kms::http

#endif  // KMS_HTTP_SERVER_H_
