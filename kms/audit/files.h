// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_FILES_H_
#define KMS_AUDIT_FILES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

// The files of a log: segments in one folder, named for their first record.
namespace kms::audit {

// A FileDescriptor owns one, and closes it. Movable.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// kIo: "`what` `path`: " and the text of errno.
base::Error IoError(std::string_view what, std::string_view path);

// "audit-00000000000000000001.jsonl" for 1.
std::string SegmentName(std::uint64_t first_sequence);

struct SegmentFile {
  std::uint64_t first_sequence = 0;
  std::string name;
};

// The segments in `folder`, oldest first. Other files are passed over.
base::Result<std::vector<SegmentFile>> ListSegments(const std::string& folder);

// A whole file, as it is now.
base::Result<std::string> ReadFile(const std::string& path);

// Opens `folder` and locks it against other logs, for as long as the result
// lives. Fails with kBusy if another process (or another Log in this one) has
// it.
base::Result<FileDescriptor> LockFolder(const std::string& folder);

// Takes the same lock on an open segment, so that a tool can see that the file
// is being written. `path` is for the message.
base::Status LockFile(int fd, const std::string& path);

}  // namespace kms::audit

#endif  // KMS_AUDIT_FILES_H_
