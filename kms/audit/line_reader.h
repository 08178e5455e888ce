// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_LINE_READER_H_
#define KMS_AUDIT_LINE_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/audit/files.h"

namespace kms::audit {

// A LineReader reads the lines of one segment in small pieces, also while a Log
// writes to it. It owns its file. Not synchronised.
class LineReader {
 public:
  explicit LineReader(std::string path);

  // The next whole line, valid until the next call; nullopt at the end, which
  // is where the preallocated rest of the file (NULs) begins, or a line that is
  // longer than a record can be. Fails with kIo.
  base::Result<std::optional<std::string_view>> Next();

  // What has been read from the file so far.
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  base::Result<bool> Fill();

  const std::string path_;
  const FileDescriptor file_;
  std::string bytes_;
  std::size_t at_ = 0;  // Where the next line begins in bytes_.
  std::uint64_t bytes_read_ = 0;
};

}  // namespace kms::audit

#endif  // KMS_AUDIT_LINE_READER_H_
