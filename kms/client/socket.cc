// SPDX-License-Identifier: Apache-2.0
#include "kms/client/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

Error IoError(std::string_view what, int number) {
  return Error{ErrorCode::kIo,
               std::string(what) + ": " + std::strerror(number)};
}

base::Status WaitFor(int descriptor, short events, const Deadline& deadline) {
  for (;;) {
    pollfd waiter = {descriptor, events, 0};
    const int ready = poll(&waiter, 1, deadline.PollTimeout());
    if (ready > 0) {
      return {};
    }
    if (ready == 0) {
      return Error{ErrorCode::kTimeout, "the server did not answer in time"};
    }
    if (errno != EINTR) {
      return IoError("poll", errno);
    }
  }
}

// Finishes what connect() started on a non-blocking socket.
base::Status FinishConnect(int descriptor, const Deadline& deadline) {
  RETURN_IF_ERROR(WaitFor(descriptor, POLLOUT, deadline));
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
    error = errno;
  }
  return error == 0 ? base::Status() : base::Status(IoError("connect", error));
}

base::Result<std::unique_ptr<Socket>> ConnectTo(const sockaddr* address,
                                                socklen_t size,
                                                const Deadline& deadline) {
  const int descriptor =
      socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return IoError("socket", errno);
  }
  auto connected = std::make_unique<Socket>(descriptor);
  if (address->sa_family != AF_UNIX) {
    // A request is one write: nothing is gained by waiting for more of it.
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (connect(descriptor, address, size) != 0) {
    // EAGAIN is a Unix socket's full backlog: poll() would not tell its end.
    if (errno != EINPROGRESS && errno != EINTR) {
      return IoError("connect", errno);
    }
    RETURN_IF_ERROR(FinishConnect(descriptor, deadline));
  }
  return connected;
}

base::Result<std::unique_ptr<Socket>> ConnectUnix(const std::string& path,
                                                  const Deadline& deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the path is longer than a socket's may be (" +
                     std::to_string(sizeof(address.sun_path) - 1) + " bytes)"};
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  return ConnectTo(reinterpret_cast<const sockaddr*>(&address), sizeof(address),
                   deadline);
}

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

base::Result<std::unique_ptr<Socket>> ConnectTcp(const Endpoint& endpoint,
                                                 const Deadline& deadline) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  const int failure =
      getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) {
    return Error{ErrorCode::kIo, gai_strerror(failure)};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(
      found, freeaddrinfo);
  Error last{ErrorCode::kIo, "the name has no address"};
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (endpoint.transport == Transport::kHttp && !IsLoopback(each->ai_addr)) {
      last = Error{ErrorCode::kIo,
                   "the name is not that of this machine: plain http is for "
                   "loopback only"};
      continue;
    }
    auto connected = ConnectTo(each->ai_addr, each->ai_addrlen, deadline);
    if (connected.has_value()) {
      return connected;
    }
    last = std::move(connected).error();
  }
  return last;
}

}  // namespace

int Deadline::PollTimeout() const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(end_ - clock_->Monotonic());
  return static_cast<int>(
      std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, INT_MAX));
}

base::Result<std::unique_ptr<Socket>> Socket::Connect(
    const Endpoint& endpoint, const Deadline& deadline) {
  auto connected = endpoint.transport == Transport::kUnix
                       ? ConnectUnix(endpoint.path, deadline)
                       : ConnectTcp(endpoint, deadline);
  if (!connected.has_value()) {
    return Error{connected.error().code, "cannot connect to " +
                                             Describe(endpoint) + ": " +
                                             connected.error().message};
  }
  return connected;
}

Socket::~Socket() { close(descriptor_); }

base::Status Socket::Write(base::ByteView bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    const ssize_t sent =
        send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      NoteSent();
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      RETURN_IF_ERROR(WaitFor(descriptor_, POLLOUT, deadline));
    } else if (errno != EINTR) {
      return IoError("send", errno);
    }
  }
  return {};
}

base::Result<std::size_t> Socket::Read(std::span<std::uint8_t> into,
                                       const Deadline& deadline) {
  for (;;) {
    const ssize_t got = recv(descriptor_, into.data(), into.size(), 0);
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (errno == EAGAIN) {
      RETURN_IF_ERROR(WaitFor(descriptor_, POLLIN, deadline));
    } else if (errno != EINTR) {
      return IoError("receive", errno);
    }
  }
}

bool Socket::IsReadable() const {
  pollfd waiter = {descriptor_, POLLIN, 0};
  return poll(&waiter, 1, 0) != 0;
}

bool Socket::IsQuiet(const Deadline&) { return !IsReadable(); }

}  // namespace kms::client
