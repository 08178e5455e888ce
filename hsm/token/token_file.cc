// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/token_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <system_error>
#include <thread>

#include "base/buffer.h"
#include "base/log.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = std::filesystem;

constexpr std::string_view kTokenFile = "token.object";
constexpr std::string_view kCopy = "token.object.claviger";
constexpr std::size_t kMaxFile = 64 * 1024;

// SoftHSM, OSAttributes.h and ObjectFile.cpp (the kinds of a stored value).
constexpr std::uint64_t kTokenLabel = 0x80005349;
constexpr std::uint64_t kTokenSerial = 0x8000534A;
constexpr std::uint64_t kTokenFlags = 0x8000534B;
constexpr std::uint64_t kSoPin = 0x8000534C;
constexpr std::uint64_t kUserPin = 0x8000534D;
constexpr std::array kRequired = {kTokenLabel, kTokenSerial, kTokenFlags,
                                  kSoPin, kUserPin};
constexpr std::uint64_t kKindBoolean = 1;
constexpr std::uint64_t kKindUlong = 2;
constexpr std::uint64_t kKindBytes = 3;
constexpr std::size_t kGenerationSize = 8;  // A counter before the attributes.

using Attributes = std::map<std::uint64_t, base::ByteView>;

base::Result<base::ByteView> TakeValue(base::Reader& reader) {
  ASSIGN_OR_RETURN(const std::uint64_t kind, reader.U64());
  switch (kind) {
    case kKindBoolean:
      return reader.Take(1);
    case kKindUlong:
      return reader.Take(8);
    case kKindBytes: {
      ASSIGN_OR_RETURN(const std::uint64_t size, reader.U64());
      return reader.Take(size);
    }
    default:
      return Error{ErrorCode::kCorrupt, "unknown kind of attribute"};
  }
}

base::Result<Attributes> Parse(base::ByteView content) {
  base::Reader reader(content);
  RETURN_IF_ERROR(reader.Take(kGenerationSize));
  Attributes attributes;
  while (reader.left() > 0) {
    ASSIGN_OR_RETURN(const std::uint64_t type, reader.U64());
    ASSIGN_OR_RETURN(attributes[type], TakeValue(reader));
  }
  const bool whole = std::ranges::all_of(kRequired, [&](std::uint64_t type) {
    return attributes.contains(type) && !attributes[type].empty();
  });
  if (!whole) {
    return Error{ErrorCode::kCorrupt, "an attribute of the token is missing"};
  }
  return attributes;
}

Error IoError(std::string_view what, const fs::path& path) {
  return Error{ErrorCode::kIo,
               fmt::format("cannot {} {}: {}", what, path.string(),
                           std::generic_category().message(errno))};
}

// An open file descriptor.
class File {
 public:
  File(const fs::path& path, int flags)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// The content of a small file; a missing one is empty.
base::Result<base::Bytes> ReadSmall(const fs::path& path) {
  const File file(path, O_RDONLY | O_NOFOLLOW);
  if (!file.ok()) {
    if (errno == ENOENT) {
      return base::Bytes();
    }
    return IoError("open", path);
  }
  base::Bytes content(kMaxFile);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t n =
        read(file.fd(), content.data() + size, content.size() - size);
    if (n < 0 && errno != EINTR) {
      return IoError("read", path);
    }
    if (n == 0) {
      break;
    }
    size += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  content.resize(size);
  return content;
}

base::Status WriteAll(int fd, base::ByteView content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno != EINTR) {
      return IoError("write", path);
    }
    content = content.subspan(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  return {};
}

// A command that root runs must not leave the worker a file it cannot read.
base::Status GiveToOwnerOf(const fs::path& directory, int fd,
                           const fs::path& path) {
  struct stat owner {};
  if (stat(directory.c_str(), &owner) != 0) {
    return IoError("look at", directory);
  }
  if (geteuid() == 0 && fchown(fd, owner.st_uid, owner.st_gid) != 0) {
    return IoError("change the owner of", path);
  }
  return {};
}

// Replaces `path` whole or not at all, whatever happens to us or to the power.
base::Status WriteDurably(const fs::path& path, base::ByteView content) {
  const fs::path temporary = path.string() + ".new";
  {
    const File file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!file.ok()) {
      return IoError("create", temporary);
    }
    RETURN_IF_ERROR(GiveToOwnerOf(path.parent_path(), file.fd(), temporary));
    RETURN_IF_ERROR(WriteAll(file.fd(), content, temporary));
    if (fsync(file.fd()) != 0) {
      return IoError("sync", temporary);
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return IoError("replace", path);
  }
  const File directory(path.parent_path(), O_RDONLY | O_DIRECTORY);
  if (!directory.ok() || fsync(directory.fd()) != 0) {
    return IoError("sync", path.parent_path());
  }
  return {};
}

// The directories in `token_directory`: SoftHSM keeps one per token.
base::Result<std::vector<fs::path>> Tokens(const std::string& token_directory) {
  std::error_code error;
  std::vector<fs::path> tokens;
  for (fs::directory_iterator it(token_directory, error);
       !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code ignored;  // Gone meanwhile: not a directory.
    if (it->is_directory(ignored)) {
      tokens.push_back(it->path());
    }
  }
  if (error) {
    return Error{ErrorCode::kIo,
                 fmt::format("cannot list SoftHSM's token directory {}: {}",
                             token_directory, error.message())};
  }
  return tokens;
}

base::Status RestoreIfTorn(const fs::path& token) {
  ASSIGN_OR_RETURN(base::Bytes copy, ReadSmall(token / kCopy));
  if (!IsTokenObject(copy)) {
    return {};
  }
  ASSIGN_OR_RETURN(base::Bytes content, ReadSmall(token / kTokenFile));
  if (!IsTokenObject(content)) {
    // A foreign tool, which knows nothing of our lock, may be inside C_Login
    // at this moment: give it the time to finish.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ASSIGN_OR_RETURN(content, ReadSmall(token / kTokenFile));
  }
  if (IsTokenObject(content)) {
    return {};
  }
  base::LogWarning(
      "{} is torn ({} bytes), as a kill during C_Login leaves it: restoring "
      "the copy made before the last login",
      (token / kTokenFile).string(), content.size());
  return WriteDurably(token / kTokenFile, copy);
}

}  // namespace

bool IsTokenObject(base::ByteView content) {
  return Parse(content).has_value();
}

base::Result<std::string> TokenSerial(base::ByteView content) {
  ASSIGN_OR_RETURN(const Attributes attributes, Parse(content));
  return std::string(base::AsText(attributes.at(kTokenSerial)));
}

base::Status RestoreTokenFiles(const std::string& token_directory) {
  ASSIGN_OR_RETURN(const auto tokens, Tokens(token_directory));
  for (const fs::path& token : tokens) {
    RETURN_IF_ERROR(RestoreIfTorn(token));
  }
  return {};
}

base::Status BackUpTokenFile(const std::string& token_directory,
                             const std::string& serial) {
  ASSIGN_OR_RETURN(const auto tokens, Tokens(token_directory));
  for (const fs::path& token : tokens) {
    ASSIGN_OR_RETURN(const base::Bytes content, ReadSmall(token / kTokenFile));
    const auto found = TokenSerial(content);
    if (!found.has_value() || *found != serial) {
      continue;
    }
    ASSIGN_OR_RETURN(const base::Bytes copy, ReadSmall(token / kCopy));
    // The generation grows with every login and means nothing to us.
    const bool same = std::ranges::equal(
        base::ByteView(content).subspan(kGenerationSize),
        base::ByteView(copy).subspan(std::min(kGenerationSize, copy.size())));
    return same ? base::Status() : WriteDurably(token / kCopy, content);
  }
  return Error{ErrorCode::kNotFound,
               fmt::format("no whole token.object of token {} in {}", serial,
                           token_directory)};
}

}  // namespace hsm::token
