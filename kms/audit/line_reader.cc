// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/line_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "kms/audit/log.h"

namespace kms::audit {
namespace {

constexpr std::size_t kPiece = 256 << 10;
// An event, and the member "chain" behind it.
constexpr std::size_t kLongestLine = Log::kMaxEventBytes + (4 << 10);

}  // namespace

LineReader::LineReader(std::string path)
    : path_(std::move(path)),
      file_(open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {}

base::Result<std::optional<std::string_view>> LineReader::Next() {
  for (;;) {
    const std::string_view rest = std::string_view(bytes_).substr(at_);
    const std::size_t end = rest.find('\n');
    if (end != rest.npos) {
      at_ += end + 1;
      const std::string_view line = rest.substr(0, end);
      const bool whole = line.find('\0') == line.npos;
      return whole ? std::optional(line) : std::nullopt;
    }
    if (rest.starts_with('\0') || rest.size() > kLongestLine) {
      return std::optional<std::string_view>();
    }
    ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) {
      return std::optional<std::string_view>();
    }
  }
}

// Reads another piece behind what is left of the last one.
base::Result<bool> LineReader::Fill() {
  bytes_.erase(0, at_);
  at_ = 0;
  const std::size_t kept = bytes_.size();
  bytes_.resize(kept + kPiece);
  ssize_t count = -1;
  do {
    count = read(file_.get(), bytes_.data() + kept, kPiece);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return IoError("read", path_);
  }
  bytes_.resize(kept + static_cast<std::size_t>(count));
  bytes_read_ += static_cast<std::uint64_t>(count);
  return count > 0;
}

}  // namespace kms::audit
