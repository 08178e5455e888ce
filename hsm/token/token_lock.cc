// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/token_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace hsm::token {
namespace {

base::Error IoError(const std::string& what) {
  return base::Error{base::ErrorCode::kIo,
                     what + ": " + std::generic_category().message(errno)};
}

}  // namespace

base::Result<TokenLock> TokenLock::Open(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) {
    return IoError(fmt::format("cannot open {} to lock the token", path));
  }
  return TokenLock(fd);
}

base::Result<TokenLock> TokenLock::OfDirectory(const std::string& path) {
  return Open(path, O_RDONLY | O_DIRECTORY);
}

base::Result<TokenLock> TokenLock::OfFile(const std::string& path) {
  ASSIGN_OR_RETURN(TokenLock lock, Open(path, O_RDWR | O_CREAT | O_NOFOLLOW));
  // A command that root runs must not leave workers a file that they cannot
  // open.
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  struct stat owner {};
  if (geteuid() == 0 && (stat(folder.c_str(), &owner) != 0 ||
                         fchown(lock.fd_, owner.st_uid, owner.st_gid) != 0)) {
    return IoError(fmt::format("cannot give away {}", path));
  }
  return lock;
}

TokenLock::TokenLock(TokenLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

TokenLock::~TokenLock() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

base::Result<TokenLock::Hold> TokenLock::Take() const {
  while (flock(fd_, LOCK_EX) != 0) {
    if (errno != EINTR) {
      return IoError("cannot lock the token");
    }
  }
  return Hold(fd_);
}

base::Status TokenLock::SyncFileSystem() const {
  if (syncfs(fd_) != 0) {
    return IoError("cannot make the token's objects durable");
  }
  return {};
}

TokenLock::Hold::Hold(Hold&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

TokenLock::Hold::~Hold() {
  if (fd_ >= 0) {
    flock(fd_, LOCK_UN);
  }
}

}  // namespace hsm::token
