// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/random.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

Error AlreadyExists(const std::string& path) {
  return Error{ErrorCode::kInvalidArgument,
               path + " exists already; --force replaces it"};
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) {
    close(number_);
  }
}

Descriptor::Descriptor(Descriptor&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Error SystemError(const std::string& path) {
  return Error{ErrorCode::kIo, path + ": " + std::strerror(errno)};
}

base::Status WriteAll(int descriptor, base::ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return SystemError("cannot write");
    }
  }
  return {};
}

InputFile::InputFile(std::string path, Descriptor descriptor,
                     std::optional<std::uint64_t> size)
    : path_(std::move(path)), descriptor_(std::move(descriptor)), size_(size) {}

base::Result<InputFile> InputFile::Open(const std::string& path) {
  const bool standard = path == "-";
  Descriptor descriptor(standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                 : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (descriptor.get() < 0 || fstat(descriptor.get(), &status) != 0) {
    return SystemError(path);
  }
  if (S_ISDIR(status.st_mode)) {
    return Error{ErrorCode::kInvalidArgument, path + " is a folder"};
  }
  std::optional<std::uint64_t> size;
  if (S_ISREG(status.st_mode)) {
    size = static_cast<std::uint64_t>(status.st_size);
  }
  return InputFile(standard ? "standard input" : path, std::move(descriptor),
                   size);
}

Source InputFile::source() const {
  return [this](std::span<std::uint8_t> into) -> base::Result<std::size_t> {
    for (;;) {
      const ssize_t got = read(descriptor_.get(), into.data(), into.size());
      if (got >= 0) {
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR) {
        return SystemError(path_);
      }
    }
  };
}

base::Result<OutputFile> OutputFile::Create(const std::string& path,
                                            IfExists if_exists) {
  std::string target = path;
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (if_exists == IfExists::kRefuse) {
      return AlreadyExists(path);
    }
    // A symbolic link stays; what it leads to is replaced.
    std::error_code error;
    target = std::filesystem::canonical(path, error).string();
    if (error || stat(target.c_str(), &status) != 0 ||
        !S_ISREG(status.st_mode)) {
      return Error{ErrorCode::kInvalidArgument,
                   path +
                       " is no regular file; '-o -' writes to standard "
                       "output"};
    }
  }
  OutputFile file(std::move(target), if_exists);
  RETURN_IF_ERROR(file.OpenTemporary());
  return file;
}

std::string OutputFile::Folder() const {
  const std::string folder = std::filesystem::path(path_).parent_path();
  return folder.empty() ? "." : folder;
}

base::Status OutputFile::OpenTemporary() {
  // The way from such a file to a name leads through /proc.
  if (access("/proc/self/fd", F_OK) == 0) {
    descriptor_ = Descriptor(
        open(Folder().c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  }
  if (descriptor_.get() < 0) {
    std::string name = Folder() + "/.claviger-XXXXXX";
    descriptor_ = Descriptor(mkostemp(name.data(), O_CLOEXEC));
    if (descriptor_.get() < 0) {
      return SystemError(Folder());
    }
    temporary_ = std::move(name);
  }
  return {};
}

OutputFile::~OutputFile() {
  if (descriptor_.get() >= 0 && !temporary_.empty()) {
    unlink(temporary_.c_str());
  }
}

base::Status OutputFile::Write(base::ByteView bytes) {
  return WriteAll(descriptor_.get(), bytes);
}

base::Status OutputFile::Commit() {
  if (fsync(descriptor_.get()) != 0) {
    return SystemError(path_);
  }
  RETURN_IF_ERROR(NameTemporary());
  RETURN_IF_ERROR(Publish());
  const Descriptor folder(
      open(Folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || fsync(folder.get()) != 0) {
    return SystemError(Folder());
  }
  return {};
}

base::Status OutputFile::NameTemporary() {
  if (!temporary_.empty()) {
    return {};
  }
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor_.get());
  std::string name = Folder() + "/.claviger-" + base::NewUuidText();
  if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(),
             AT_SYMLINK_FOLLOW) != 0) {
    return SystemError(name);
  }
  temporary_ = std::move(name);
  return {};
}

base::Status OutputFile::Publish() {
  const unsigned int flags =
      if_exists_ == IfExists::kRefuse ? RENAME_NOREPLACE : 0;
  int result =
      renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), flags);
  if (result != 0 && errno == EINVAL) {
    // A file system that cannot rename so carefully (NFS) can link so.
    result = link(temporary_.c_str(), path_.c_str());
    if (result == 0) {
      unlink(temporary_.c_str());
    }
  }
  if (result != 0) {
    return errno == EEXIST ? AlreadyExists(path_) : SystemError(path_);
  }
  temporary_.clear();
  return {};
}

}  // namespace tools::claviger
