// SPDX-License-Identifier: Apache-2.0
#include "kms/http/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace kms::http {
namespace {

base::Error Failed(const std::string& path, int error) {
  return {base::ErrorCode::kIo,
          "socket " + path + ": " + std::generic_category().message(error)};
}

// Returns 0 if somebody listens at `path`, else the reason for thinking not.
int TryToConnect(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return errno;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int error = connect(fd, reinterpret_cast<const sockaddr*>(&address),
                            sizeof(address)) == 0
                        ? 0
                        : errno;
  close(fd);
  return error;
}

}  // namespace

base::Status ClearSocketPath(const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "socket path must have 1 to 107 bytes: " + path};
  }
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? base::Status() : Failed(path, errno);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       path +
                           " exists and is not a socket; remove it or "
                           "configure another path"};
  }
  const int error = TryToConnect(path);
  if (error != ECONNREFUSED) {
    return base::Error{base::ErrorCode::kBusy,
                       "another process seems to listen on " + path + " (" +
                           std::generic_category().message(error) + ")"};
  }
  if (unlink(path.c_str()) != 0) {
    return Failed(path, errno);
  }
  return {};
}

base::Result<SocketFile> SocketFile::Open(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return Failed(path, errno);
  }
  SocketFile file(path, status.st_dev, status.st_ino);
  if (chmod(path.c_str(), 0666) != 0) {
    return Failed(path, errno);
  }
  return file;
}

SocketFile::SocketFile(std::string path, dev_t device, ino_t inode)
    : path_(std::move(path)), device_(device), inode_(inode) {}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

SocketFile::~SocketFile() {
  struct stat status {};
  if (!path_.empty() && lstat(path_.c_str(), &status) == 0 &&
      status.st_dev == device_ && status.st_ino == inode_) {
    unlink(path_.c_str());
  }
}

}  // namespace kms::http
