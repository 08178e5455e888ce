// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <system_error>

namespace kms::audit {
namespace {

constexpr std::string_view kPrefix = "audit-";
constexpr std::string_view kSuffix = ".jsonl";
constexpr std::size_t kDigits = 20;  // Those of the largest u64.

std::optional<std::uint64_t> ParseSegmentName(std::string_view name) {
  if (name.size() != kPrefix.size() + kDigits + kSuffix.size() ||
      !name.starts_with(kPrefix) || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const char* begin = name.data() + kPrefix.size();
  std::uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(begin, begin + kDigits, sequence);
  if (error != std::errc{} || end != begin + kDigits) {
    return std::nullopt;
  }
  return sequence;
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

base::Error IoError(std::string_view what, std::string_view path) {
  const std::string reason = std::generic_category().message(errno);
  return base::Error{base::ErrorCode::kIo,
                     fmt::format("{} {}: {}", what, path, reason)};
}

std::string SegmentName(std::uint64_t first_sequence) {
  return fmt::format("{}{:020}{}", kPrefix, first_sequence, kSuffix);
}

base::Result<std::vector<SegmentFile>> ListSegments(const std::string& folder) {
  const std::unique_ptr<DIR, CloseFolder> open(opendir(folder.c_str()));
  if (open == nullptr) {
    return IoError("read folder", folder);
  }
  std::vector<SegmentFile> segments;
  errno = 0;  // readdir tells an error from the end by errno only.
  while (const dirent* entry = readdir(open.get())) {
    if (const auto sequence = ParseSegmentName(entry->d_name)) {
      segments.push_back({*sequence, entry->d_name});
    }
    errno = 0;
  }
  if (errno != 0) {
    return IoError("read folder", folder);
  }
  std::ranges::sort(segments, {}, &SegmentFile::first_sequence);
  return segments;
}

base::Result<std::string> ReadFile(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0) {
    return IoError("read", path);
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return IoError("read", path);
    }
    if (count == 0) {
      break;  // A live segment was closed, and cut to its size, meanwhile.
    }
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

base::Result<FileDescriptor> LockFolder(const std::string& folder) {
  FileDescriptor file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.valid()) {
    return IoError("open folder", folder);
  }
  RETURN_IF_ERROR(LockFile(file.get(), folder));
  return file;
}

base::Status LockFile(int fd, const std::string& path) {
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    return {};
  }
  if (errno == EWOULDBLOCK) {
    return base::Error{
        base::ErrorCode::kBusy,
        fmt::format("another process writes the audit log {}: stop it first",
                    path)};
  }
  return IoError("lock", path);
}

}  // namespace kms::audit
