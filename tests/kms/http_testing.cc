// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/http_testing.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "tests/testlib/status.h"

namespace kms::http {
namespace {

constexpr std::chrono::seconds kPatience{20};

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return text;
}

// Reads the lines of `head` after the first into `headers`.
void ReadHeaders(std::string_view head,
                 std::map<std::string, std::string>& headers) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, at - begin);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      headers[Lower(std::string(line.substr(0, colon)))] =
          line.substr(colon + 2);
    }
  }
}

}  // namespace

RawClient::RawClient(int fd) : fd_(fd) {
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

RawClient RawClient::Tcp(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address),
                        sizeof(address)) != 0) {
    Die("connect");
  }
  return RawClient(fd);
}

RawClient RawClient::Unix(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address),
                        sizeof(address)) != 0) {
    Die("connect");
  }
  return RawClient(fd);
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      received_(std::move(other.received_)) {}

RawClient::~RawClient() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::FinishSending() { shutdown(fd_, SHUT_WR); }

bool RawClient::Fill() {
  std::array<char, 65536> bytes;
  const ssize_t size = recv(fd_, bytes.data(), bytes.size(), 0);
  if (size < 0 && errno == EAGAIN) {
    ADD_FAILURE() << "the server was silent for 20 s";
  }
  if (size <= 0) {
    return false;
  }
  received_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

WireReply RawClient::Read() {
  std::size_t head_end = 0;
  while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) {
      return {};
    }
  }
  WireReply reply;
  reply.status = static_cast<int>(
      std::strtol(received_.c_str() + sizeof("HTTP/1.1"), nullptr, 10));
  ReadHeaders(std::string_view(received_).substr(0, head_end), reply.headers);
  const auto length = static_cast<std::size_t>(
      std::strtoul(reply.headers["content-length"].c_str(), nullptr, 10));
  while (received_.size() < head_end + 4 + length) {
    if (!Fill()) {
      return {};
    }
  }
  reply.body = received_.substr(head_end + 4, length);
  received_.erase(0, head_end + 4 + length);
  received_.shrink_to_fit();  // Tests measure the heap.
  return reply;
}

WireReply RawClient::Call(std::string_view bytes) {
  Send(bytes);
  return Read();
}

bool RawClient::IsAtEnd() { return received_.empty() && !Fill(); }

std::string PostOf(std::string_view body, std::string_view more_headers) {
  return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(more_headers) +
         "\r\n" + std::string(body);
}

ServerThread::ServerThread(Handler handler, ServerLimits limits)
    : server_(std::make_unique<HttpServer>(io_, clock_, limits,
                                           std::move(handler))),
      work_(io_.get_executor()),
      thread_([this] { io_.run(); }) {}

ServerThread::~ServerThread() {
  Run([this] { server_.reset(); });
  work_.reset();
  io_.stop();
  thread_.join();
}

std::uint16_t ServerThread::Listen() {
  return Run(
      [this] { return testlib::Take(server_->ListenTcp("127.0.0.1", 0)); });
}

void ServerThread::Pass(std::chrono::seconds time) {
  // A client may have a reply before the server's write has returned; then it
  // is in the queue when the first of these runs.
  Run([] {});
  Run([] {});
  clock_.Advance(time);
  Run([this] { server_->Sweep(); });
}

std::future<bool> ServerThread::Shutdown(std::chrono::seconds limit) {
  // On the io thread co_spawn() runs the coroutine until it first waits.
  return Run([this, limit] {
    return boost::asio::co_spawn(io_, server_->Shutdown(limit),
                                 boost::asio::use_future);
  });
}

bool ServerThread::WaitUntil(std::function<bool()> is_so) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    if (Run(is_so)) {
      return true;
    }
    std::this_thread::yield();
  }
  return false;
}

boost::asio::awaitable<HttpResponse> Echo(const HttpRequest& request) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body.append(request.method)
      .append(" ")
      .append(request.target)
      .append(" ")
      .append(request.body);
  co_return response;
}

}  // namespace kms::http
