// SPDX-License-Identifier: Apache-2.0
#include "kms/store/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

// " by process 1234", as far as the file says. Anybody who may write the folder
// may have written it: only digits are repeated.
std::string HolderOf(int fd) {
  std::array<char, 20> text{};
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  std::string_view digits(text.data(), size < 0 ? 0 : size);
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  return digits.empty() ? "" : fmt::format(" by process {}", digits);
}

// For people only: a failure does not matter.
void WriteHolder(int fd) {
  const std::string text = fmt::format("{}\n", getpid());
  if (ftruncate(fd, 0) == 0) {
    [[maybe_unused]] const ssize_t written =
        pwrite(fd, text.data(), text.size(), 0);
  }
}

}  // namespace

base::Result<FileLock> FileLock::Acquire(const std::string& path) {
  const int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Error{ErrorCode::kIo,
                 fmt::format("cannot open the lock file {}: {}. Its folder "
                             "must exist and belong to this user",
                             path, std::strerror(errno))};
  }
  FileLock lock(fd);
  int result = flock(fd, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR) {
    result = flock(fd, LOCK_EX | LOCK_NB);
  }
  if (result == 0) {
    WriteHolder(fd);
    return lock;
  }
  if (errno == EWOULDBLOCK) {
    return Error{ErrorCode::kBusy,
                 fmt::format("the store is in use{} (lock file {}): stop that "
                             "clavigerd first, or give this one another state "
                             "folder",
                             HolderOf(fd), path)};
  }
  return Error{ErrorCode::kIo,
               fmt::format("cannot lock {}: {}", path, std::strerror(errno))};
}

FileLock::~FileLock() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

FileLock::FileLock(FileLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

}  // namespace kms::store
