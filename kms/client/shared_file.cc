// SPDX-License-Identifier: Apache-2.0
#include "kms/client/shared_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "kms/client/ini.h"

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kNothing = "/dev/null";

Error IoError(const SharedFile& file, int number) {
  return Error{ErrorCode::kIo, file.path + ": " + std::strerror(number) +
                                   "; make it readable, or name another file"};
}

// A file descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

base::Result<base::WipingString> ReadAll(const SharedFile& file,
                                         int descriptor) {
  // One byte more than is taken: the reader then says what is wrong.
  base::WipingString text(IniFile::kMaxBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got =
        read(descriptor, text.data() + size, text.size() - size);
    if (got < 0 && errno != EINTR) {
      return IoError(file, errno);
    }
    if (got == 0) {
      break;
    }
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  text.resize(size);
  return text;
}

}  // namespace

FileStamp StampOf(const SharedFile& file) {
  struct stat found {};
  if (file.path.empty() || stat(file.path.c_str(), &found) != 0) {
    return {};
  }
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {found.st_dev, found.st_ino, found.st_size,
          found.st_mtim.tv_sec * kSecond + found.st_mtim.tv_nsec};
}

base::Result<base::WipingString> ReadShared(const SharedFile& file) {
  if (file.path.empty() || file.path == kNothing) {
    return base::WipingString();
  }
  const Descriptor descriptor(
      open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (descriptor.get() < 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    const bool foreign = errno == EACCES && !file.named;
    if (absent || foreign) {
      return base::WipingString();
    }
    return IoError(file, errno);
  }
  struct stat found {};
  if (fstat(descriptor.get(), &found) != 0) {
    return IoError(file, errno);
  }
  if (!S_ISREG(found.st_mode)) {
    return Error{ErrorCode::kInvalidArgument,
                 file.path + ": no regular file; copy it into one"};
  }
  return ReadAll(file, descriptor.get());
}

}  // namespace kms::client
