// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace kms::audit {
namespace {

constexpr std::uint64_t kZeroStep = 1U << 20;
// Small, where others use the disk meanwhile.
constexpr std::uint64_t kZeroStepBeside = 1U << 18;
constexpr int kFlags = O_RDWR | O_CLOEXEC | O_DSYNC | O_NOFOLLOW;

std::uint64_t WholeBlocks(std::uint64_t size) {
  return (size + Segment::kBlock - 1) / Segment::kBlock * Segment::kBlock;
}

char* AlignedBytes(std::size_t size) {
  auto* bytes = static_cast<char*>(std::aligned_alloc(Segment::kBlock, size));
  if (bytes == nullptr) {
    std::abort();
  }
  std::memset(bytes, 0, size);
  return bytes;
}

const char* Zeros() {
  static const char* const zeros = AlignedBytes(kZeroStep);
  return zeros;
}

// Makes the name of a new file durable.
base::Status SyncFolderOf(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const FileDescriptor file(
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.valid() || fsync(file.get()) != 0) {
    return IoError("sync folder", folder);
  }
  return {};
}

}  // namespace

Segment::Segment(std::string path, FileDescriptor file)
    : path_(std::move(path)),
      file_(std::move(file)),
      buffer_(AlignedBytes(kBuffer)) {}

base::Result<std::unique_ptr<Segment>> Segment::Create(const std::string& path,
                                                       Options options) {
  FileDescriptor file(open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0640));
  if (!file.valid()) {
    return IoError("create", path);
  }
  std::unique_ptr<Segment> segment(new Segment(path, std::move(file)));
  base::Status ready = LockFile(segment->file_.get(), path);
  if (ready) {
    ready = segment->Preallocate(options.bytes);
  }
  if (ready) {
    ready = SyncFolderOf(path);
  }
  if (!ready) {
    unlink(path.c_str());
    return std::move(ready).error();
  }
  if (options.direct) {
    segment->TryDirect();
  }
  return segment;
}

base::Result<std::unique_ptr<Segment>> Segment::Reopen(const std::string& path,
                                                       std::uint64_t size,
                                                       Options options) {
  FileDescriptor file(open(path.c_str(), kFlags));
  if (!file.valid()) {
    return IoError("open", path);
  }
  std::unique_ptr<Segment> segment(new Segment(path, std::move(file)));
  RETURN_IF_ERROR(LockFile(segment->file_.get(), path));
  if (ftruncate(segment->file_.get(), static_cast<off_t>(size)) != 0) {
    return IoError("cut", path);
  }
  RETURN_IF_ERROR(segment->LoadTail(size));
  RETURN_IF_ERROR(segment->Preallocate(std::max(options.bytes, size)));
  if (fsync(segment->file_.get()) != 0) {
    return IoError("sync", path);
  }
  if (options.direct) {
    segment->TryDirect();
  }
  return segment;
}

base::Status Segment::LoadTail(std::uint64_t size) {
  size_ = size;
  zeroed_ = WholeBlocks(size);
  filled_ = tail();
  const ssize_t count =
      pread(file_.get(), buffer_.get(), filled_, static_cast<off_t>(base()));
  if (count < 0 || static_cast<std::size_t>(count) != filled_) {
    return IoError("read", path_);
  }
  return {};
}

// Takes less than asked for where there is not as much: a nearly full disk
// still takes records for a while.
base::Status Segment::Preallocate(std::uint64_t bytes) {
  const std::uint64_t least = WholeBlocks(size_) + kBuffer;
  for (capacity_ = WholeBlocks(bytes);;
       capacity_ = WholeBlocks(capacity_ / 2)) {
    const int error =
        posix_fallocate(file_.get(), 0, static_cast<off_t>(capacity_));
    if (error == 0) {
      return {};
    }
    if ((error != ENOSPC && error != EFBIG && error != EDQUOT) ||
        capacity_ / 2 < least) {
      errno = error;
      return IoError("preallocate", path_);
    }
  }
}

bool Segment::GroupHasRoomFor(std::size_t bytes) const {
  return filled_ + bytes <= kBuffer;
}

bool Segment::HasRoomFor(std::size_t bytes) const {
  return base() + filled_ + bytes <= capacity_;
}

void Segment::Stage(std::string_view line) {
  std::memcpy(buffer_.get() + filled_, line.data(), line.size());
  filled_ += line.size();
}

base::Status Segment::Commit() {
  const std::size_t size = WholeBlocks(filled_);
  std::memset(buffer_.get() + filled_, 0, size - filled_);
  base::Status written = ZeroAhead(base() + size);
  if (written) {
    written = Write(buffer_.get(), size, base());
  }
  if (!written) {
    dirty_end_ = std::max(dirty_end_, base() + size);
    filled_ = tail();
    return written;
  }
  const std::uint64_t old_base = base();
  size_ = old_base + filled_;
  std::memmove(buffer_.get(), buffer_.get() + (base() - old_base), tail());
  filled_ = tail();
  return {};
}

base::Status Segment::Repair() {
  if (dirty_end_ == 0) {
    return {};
  }
  // A group never reaches further than the buffer, so neither does its remains.
  const std::size_t size = dirty_end_ - base();
  std::memset(buffer_.get() + tail(), 0, size - tail());
  RETURN_IF_ERROR(Write(buffer_.get(), size, base()));
  dirty_end_ = 0;
  return {};
}

bool Segment::IsThere() const {
  struct stat found {};
  return fstat(file_.get(), &found) != 0 || found.st_nlink > 0;
}

base::Status Segment::Close() {
  if (ftruncate(file_.get(), static_cast<off_t>(size_)) != 0 ||
      fsync(file_.get()) != 0) {
    return IoError("close", path_);
  }
  return {};
}

// Writes NULs over the next megabyte before text reaches it. The first write to
// preallocated space makes the file system commit its journal; a larger one
// that does so now and then costs less than one in every group (measured on
// ext4: a third of the time of a 16 KiB group).
base::Status Segment::ZeroAhead(std::uint64_t end) {
  while (zeroed_ < end && zeroed_ < capacity_) {
    const std::uint64_t step = std::min(kZeroStep, capacity_ - zeroed_);
    RETURN_IF_ERROR(Write(Zeros(), step, zeroed_));
    zeroed_ += step;
  }
  return {};
}

bool Segment::ZeroWhole(const std::atomic<bool>& stop) {
  while (zeroed_ < capacity_ && !stop) {
    const std::uint64_t step = std::min(kZeroStepBeside, capacity_ - zeroed_);
    if (!Write(Zeros(), step, zeroed_)) {
      return false;
    }
    zeroed_ += step;
  }
  return zeroed_ == capacity_;
}

base::Status Segment::MoveTo(const std::string& path) {
  if (rename(path_.c_str(), path.c_str()) != 0) {
    return IoError("rename " + path_ + " to", path);
  }
  path_ = path;
  return SyncFolderOf(path);
}

base::Status Segment::Write(const char* bytes, std::size_t size,
                            std::uint64_t at) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = pwrite(file_.get(), bytes + done, size - done,
                                 static_cast<off_t>(at + done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno == EINVAL && direct_) {
      LeaveDirect();  // Or a short write has left an odd remainder.
      continue;
    }
    if (count <= 0) {
      return IoError("write", path_);
    }
    done += static_cast<std::size_t>(count);
  }
  return {};
}

// Set after opening: open() with O_CREAT and O_DIRECT makes the file even where
// it then refuses.
void Segment::TryDirect() {
  const int flags = fcntl(file_.get(), F_GETFL);
  direct_ = flags >= 0 && fcntl(file_.get(), F_SETFL, flags | O_DIRECT) == 0;
}

void Segment::LeaveDirect() {
  direct_ = false;
  const int flags = fcntl(file_.get(), F_GETFL);
  if (flags < 0 || fcntl(file_.get(), F_SETFL, flags & ~O_DIRECT) != 0) {
    base::LogWarning("audit: cannot leave direct I/O on {}", path_);
  }
}

}  // namespace kms::audit
