// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_SEGMENT_H_
#define KMS_AUDIT_SEGMENT_H_

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/audit/files.h"

namespace kms::audit {

// A Segment is one file of the log, open for appending: preallocated, locked,
// and written in whole 4 KiB blocks with O_DIRECT and O_DSYNC, the last,
// partial block again with every group. Where a file system refuses O_DIRECT
// the same writes go through the page cache; O_DSYNC makes them durable either
// way. What lies behind the text is NUL, up to the end of the file; Close cuts
// it off.
//
// Lines are staged, then committed together. It owns its file and one buffer.
// Not synchronised.
class Segment {
 public:
  static constexpr std::size_t kBlock = 4096;
  static constexpr std::size_t kBuffer = 1U << 20;  // The largest group.

  struct Options {
    std::uint64_t bytes = 0;  // To preallocate.
    bool direct = true;       // Whether to try O_DIRECT.
  };

  // Makes a new file. Fails with kIo, and leaves none, if there is no room.
  static base::Result<std::unique_ptr<Segment>> Create(const std::string& path,
                                                       Options options);

  // Opens an existing file whose good text is its first `size` bytes, and cuts
  // what is behind them.
  static base::Result<std::unique_ptr<Segment>> Reopen(const std::string& path,
                                                       std::uint64_t size,
                                                       Options options);

  // Writes NULs over the whole of a new segment, so that no commit waits for
  // them later. Returns whether it did: not if `stop` was set meanwhile, or the
  // device refused.
  bool ZeroWhole(const std::atomic<bool>& stop);

  // Gives the file another name in its folder.
  base::Status MoveTo(const std::string& path);

  // Whether `bytes` more fit into the group being staged, and into the file.
  bool GroupHasRoomFor(std::size_t bytes) const;
  bool HasRoomFor(std::size_t bytes) const;

  // Adds to the group; the caller has asked GroupHasRoomFor.
  void Stage(std::string_view line);

  // Makes the staged lines durable. If that fails (kIo), none of them is in the
  // log: they are forgotten here, and Repair must succeed before anything is
  // staged again.
  base::Status Commit();

  // Writes NULs over what a failed Commit may have left, and by that finds out
  // whether the device works again. Does nothing after a successful Commit.
  base::Status Repair();

  // Whether its file still has a name. One that was removed takes writes, but
  // nobody will ever read them.
  bool IsThere() const;

  // Cuts the file to its text. Appending is then no longer possible.
  base::Status Close();

  std::uint64_t size() const { return size_; }  // Durable text.
  std::uint64_t capacity() const { return capacity_; }
  const std::string& path() const { return path_; }

 private:
  struct Free {
    void operator()(char* buffer) const { std::free(buffer); }
  };

  Segment(std::string path, FileDescriptor file);
  base::Status LoadTail(std::uint64_t size);
  base::Status Preallocate(std::uint64_t bytes);
  base::Status ZeroAhead(std::uint64_t end);
  base::Status Write(const char* bytes, std::size_t size, std::uint64_t at);
  void TryDirect();
  void LeaveDirect();
  std::uint64_t base() const { return size_ - size_ % kBlock; }
  std::size_t tail() const { return size_ % kBlock; }

  std::string path_;
  FileDescriptor file_;
  bool direct_ = false;
  std::uint64_t size_ = 0;       // Bytes of durable text.
  std::uint64_t capacity_ = 0;   // Bytes preallocated.
  std::uint64_t zeroed_ = 0;     // Up to here the file was written.
  std::uint64_t dirty_end_ = 0;  // Up to here a failed Commit may have written.
  // The text from base() on: the partial last block, then what is staged.
  std::unique_ptr<char[], Free> buffer_;
  std::size_t filled_ = 0;
};

}  // namespace kms::audit

#endif  // KMS_AUDIT_SEGMENT_H_
