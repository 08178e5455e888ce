// SPDX-License-Identifier: Apache-2.0
#include "kms/client/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

Error IoError(std::string_view what, int number) {
  return Error{ErrorCode::kIo,
               std::string(what) + ": " + std::strerror(number)};
}

// A socket. Never one of the first three descriptors, to which the host and its
// libraries write lines even where somebody has closed them.
int NewSocket(int family, int type) {
  constexpr int kFirst = STDERR_FILENO + 1;
  const int descriptor = socket(family, type | SOCK_CLOEXEC, 0);
  if (descriptor < 0 || descriptor >= kFirst) {
    return descriptor;
  }
  const int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, kFirst);
  const int error = errno;
  close(descriptor);
  errno = error;
  return moved;
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

base::Result<Socket> ConnectTo(const addrinfo& address,
                               const Deadline& deadline, DescriptorSet& set) {
  const int descriptor =
      NewSocket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK);
  if (descriptor < 0) {
    return IoError("socket", errno);
  }
  Socket connected(descriptor, set);
  // A request is one write: nothing is gained by waiting for more of it.
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(descriptor, address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) {
      return IoError("connect", errno);
    }
    RETURN_IF_ERROR(FinishConnect(descriptor, deadline));
  }
  return connected;
}

// Connects to a Unix socket. While its backlog is full, a non-blocking
// connect() fails at once and poll() does not tell when to try again; so this
// one blocks, for as long as there is time.
base::Status BlockingConnect(int descriptor, const sockaddr_un& address,
                             const Deadline& deadline) {
  for (;;) {
    const int left = std::max(1, deadline.PollTimeout());
    const timeval patience = {left / 1000, left % 1000 * 1000};
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience,
               sizeof(patience));
    if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) == 0) {
      return {};
    }
    if (errno == EAGAIN) {
      return Error{ErrorCode::kTimeout,
                   "the server did not accept the connection in time"};
    }
    if (errno != EINTR) {
      return IoError("connect", errno);
    }
  }
}

base::Result<Socket> ConnectUnix(const std::string& path,
                                 const Deadline& deadline, DescriptorSet& set) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the path is longer than a socket's may be (" +
                     std::to_string(sizeof(address.sun_path) - 1) + " bytes)"};
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  const int descriptor = NewSocket(AF_UNIX, SOCK_STREAM);
  if (descriptor < 0) {
    return IoError("socket", errno);
  }
  Socket connected(descriptor, set);
  RETURN_IF_ERROR(BlockingConnect(descriptor, address, deadline));
  const int nonblocking = 1;
  if (ioctl(descriptor, FIONBIO, &nonblocking) != 0) {
    return IoError("ioctl", errno);
  }
  return connected;
}

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

base::Result<Socket> ConnectTcp(const Endpoint& endpoint,
                                const Deadline& deadline, DescriptorSet& set) {
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
    base::Result<Socket> connected = ConnectTo(*each, deadline, set);
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

base::Result<Socket> Socket::Connect(const Endpoint& endpoint,
                                     const Deadline& deadline,
                                     DescriptorSet& set) {
  base::Result<Socket> connected =
      endpoint.transport == Transport::kUnix
          ? ConnectUnix(endpoint.path, deadline, set)
          : ConnectTcp(endpoint, deadline, set);
  if (!connected.has_value()) {
    return Error{connected.error().code, "cannot connect to " +
                                             Describe(endpoint) + ": " +
                                             connected.error().message};
  }
  return connected;
}

Socket::~Socket() {
  if (descriptor_ >= 0) {
    DescriptorSet::Close(*entry_);
  }
}

Socket::Socket(Socket&& other) noexcept
    : Stream(other),
      descriptor_(std::exchange(other.descriptor_, -1)),
      entry_(other.entry_) {}

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

bool Socket::IsQuiet(const Deadline&) { return IsIntact() && !IsReadable(); }

}  // namespace kms::client
