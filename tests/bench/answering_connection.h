// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_ANSWERING_CONNECTION_H_
#define TESTS_BENCH_ANSWERING_CONNECTION_H_

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hsm/fd.h"

namespace bench {

struct Answer {
  int status = 0;
  std::string_view body;  // Until the next Send().
};

// An AnsweringConnection is a keep-alive connection to a server on 127.0.0.1
// that has at most one request in flight. It reads just as much of HTTP as our
// own server writes, so that the load generator costs little beside the server
// it shares a machine with.
class AnsweringConnection {
 public:
  // Within TLS if `tls`, which is borrowed, is not null.
  static base::Result<AnsweringConnection> Open(std::uint16_t port,
                                                SSL_CTX* tls = nullptr);

  // Sends a whole request. It is small: the socket takes it at once.
  base::Status Send(std::string_view request);

  // Reads what has come, without waiting. Nothing: the answer is not whole yet.
  base::Result<std::optional<Answer>> Receive();

  int fd() const { return socket_.get(); }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  explicit AnsweringConnection(hsm::Fd socket);

  base::Status Shake(SSL_CTX* tls);
  // Bytes that have come, at the end of the buffer: none yet is nullopt.
  base::Result<std::optional<std::size_t>> Read();
  base::Result<std::optional<std::size_t>> ReadTls();
  base::Result<std::optional<Answer>> Parse() const;

  hsm::Fd socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string buffer_;
  std::size_t received_ = 0;  // Of buffer_.
};

}  // namespace bench

#endif  // TESTS_BENCH_ANSWERING_CONNECTION_H_
