// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/answering_connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace bench {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxAnswer = 64 << 10;
constexpr std::string_view kLength = "\r\nContent-Length: ";
constexpr std::string_view kVersion = "HTTP/1.1 ";

Error SystemError(const char* what) {
  return {ErrorCode::kIo, std::string(what) + ": " + std::strerror(errno)};
}

// The decimal number at the front of `text`.
std::optional<std::size_t> NumberAt(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace

AnsweringConnection::AnsweringConnection(hsm::Fd socket)
    : socket_(std::move(socket)), buffer_(kMaxAnswer, '\0') {}

base::Result<AnsweringConnection> AnsweringConnection::Open(std::uint16_t port,
                                                            SSL_CTX* tls) {
  hsm::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (socket.get() < 0 ||
      setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) !=
          0 ||
      connect(socket.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    return SystemError("cannot connect to the server");
  }
  AnsweringConnection connection(std::move(socket));
  if (tls != nullptr) {
    RETURN_IF_ERROR(connection.Shake(tls));
  }
  return connection;
}

base::Status AnsweringConnection::Shake(SSL_CTX* tls) {
  ssl_.reset(SSL_new(tls));
  if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket_.get()) != 1 ||
      SSL_connect(ssl_.get()) != 1) {
    return Error{ErrorCode::kIo, "the server refuses a TLS handshake"};
  }
  const int flags = fcntl(socket_.get(), F_GETFL);
  if (fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return SystemError("fcntl");
  }
  return {};
}

base::Status AnsweringConnection::Send(std::string_view request) {
  received_ = 0;
  if (ssl_ != nullptr) {
    const int size = static_cast<int>(request.size());
    if (SSL_write(ssl_.get(), request.data(), size) != size) {
      return Error{ErrorCode::kIo, "cannot send a request within TLS"};
    }
    return {};
  }
  const ssize_t sent =
      send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) {
    return SystemError("cannot send a request");
  }
  return {};
}

base::Result<std::optional<std::size_t>> AnsweringConnection::Read() {
  const ssize_t size = recv(socket_.get(), buffer_.data() + received_,
                            buffer_.size() - received_, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    return std::nullopt;
  }
  if (size <= 0) {
    return Error{ErrorCode::kIo, "the server closed a connection"};
  }
  return static_cast<std::size_t>(size);
}

base::Result<std::optional<std::size_t>> AnsweringConnection::ReadTls() {
  const int size = SSL_read(ssl_.get(), buffer_.data() + received_,
                            static_cast<int>(buffer_.size() - received_));
  if (size > 0) {
    return static_cast<std::size_t>(size);
  }
  if (SSL_get_error(ssl_.get(), size) == SSL_ERROR_WANT_READ) {
    return std::nullopt;
  }
  return Error{ErrorCode::kIo, "the server closed a connection within TLS"};
}

// What has come is read whole: TLS may hold more than the socket shows.
base::Result<std::optional<Answer>> AnsweringConnection::Receive() {
  for (;;) {
    ASSIGN_OR_RETURN(const std::optional<std::size_t> size,
                     ssl_ == nullptr ? Read() : ReadTls());
    if (!size) {
      return std::nullopt;
    }
    received_ += *size;
    ASSIGN_OR_RETURN(const std::optional<Answer> answer, Parse());
    if (answer) {
      return answer;
    }
  }
}

base::Result<std::optional<Answer>> AnsweringConnection::Parse() const {
  const std::string_view text(buffer_.data(), received_);
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t at = text.substr(0, head).find(kLength);
  if (!text.starts_with(kVersion) || at == std::string_view::npos) {
    return Error{ErrorCode::kCorrupt, "the server's answer is not as expected"};
  }
  const auto status = NumberAt(text.substr(kVersion.size()));
  const auto length = NumberAt(text.substr(at + kLength.size()));
  if (!status || !length) {
    return Error{ErrorCode::kCorrupt, "the server's answer lacks a number"};
  }
  const std::string_view body = text.substr(head + 4);
  if (body.size() < *length) {
    return std::nullopt;
  }
  return Answer{static_cast<int>(*status), body};
}

}  // namespace bench
