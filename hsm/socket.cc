// SPDX-License-Identifier: Apache-2.0
#include "hsm/socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace hsm {
namespace {

base::Result<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "the socket path '" + path +
                           "' is empty or longer than 107 bytes: choose a "
                           "shorter folder"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int Connect(int socket, const sockaddr_un& address) {
  return connect(socket, reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address));
}

base::Result<ucred> PeerOf(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return ErrnoError("ask who is at the other end");
  }
  return peer;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::Close() {
  if (fd_ >= 0) {
    close(std::exchange(fd_, -1));
  }
}

base::Error ErrnoError(const std::string& what) {
  const int error = errno;
  return {base::ErrorCode::kIo,
          "cannot " + what + ": " + std::generic_category().message(error)};
}

base::Result<SocketPair> MakeSocketPair(int type) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return ErrnoError("make a socket pair");
  }
  return SocketPair{Fd(ends[0]), Fd(ends[1])};
}

base::Result<Fd> ListenAt(const std::string& path) {
  ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  // One whose queue is full is there, too. What is no socket is told below.
  const base::Result<Fd> other = ConnectTo(path);
  struct stat status {};
  if (other || other.error().code == base::ErrorCode::kBusy) {
    return base::Error{base::ErrorCode::kBusy,
                       "another claviger-hsm already serves " + path};
  }
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return base::Error{base::ErrorCode::kInvalidArgument,
                         path + " exists and is not a socket"};
    }
    unlink(path.c_str());
  }
  Fd socket(
      ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Bound under umask 0111 it would be open to all from its first moment; that
  // is what is meant, so chmod says it without touching the process's umask.
  if (!socket.valid() ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0 ||
      chmod(path.c_str(), 0666) != 0 || listen(socket.get(), 64) != 0) {
    return ErrnoError("listen at " + path);
  }
  return socket;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat status {};
  if (lstat(path_.c_str(), &status) == 0) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
  }
}

void SocketFile::Remove() const {
  const SocketFile now(path_);
  if (inode_ != 0 && now.inode_ == inode_ && now.device_ == device_) {
    unlink(path_.c_str());
  }
}

base::Result<Fd> ConnectTo(const std::string& path) {
  ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  Fd socket(
      ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid() || Connect(socket.get(), address) != 0) {
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    const bool full = socket.valid() && errno == EAGAIN;
    base::Error error = ErrnoError("connect to " + path);
    error.code = nobody ? base::ErrorCode::kNotFound
                 : full ? base::ErrorCode::kBusy
                        : error.code;
    return error;
  }
  return socket;
}

base::Result<uid_t> PeerUid(int socket) {
  ASSIGN_OR_RETURN(const ucred peer, PeerOf(socket));
  return peer.uid;
}

base::Result<pid_t> PeerPid(int socket) {
  ASSIGN_OR_RETURN(const ucred peer, PeerOf(socket));
  return peer.pid;
}

base::Status SendPacket(int socket, base::ByteView bytes, int fd) {
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &fd, sizeof(int));
  }
  if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    return ErrnoError("send a message");
  }
  return {};
}

base::Result<Packet> ReceivePacket(int socket) {
  Packet packet{base::Bytes(kMaxPacket), Fd()};
  iovec part{packet.bytes.data(), packet.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size =
      recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) {
    const bool nothing = errno == EAGAIN || errno == EINTR;
    base::Error error = ErrnoError("receive a message");
    error.code = nothing ? base::ErrorCode::kBusy : error.code;
    return error;
  }
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head != nullptr && head->cmsg_level == SOL_SOCKET &&
      head->cmsg_type == SCM_RIGHTS &&
      head->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof(int));
    packet.fd = Fd(fd);
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return base::Error{base::ErrorCode::kCorrupt, "a message was too long"};
  }
  packet.bytes.resize(static_cast<std::size_t>(size));
  return packet;
}

}  // namespace hsm
