// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <optional>
#include <vector>

#include "kms/audit/files.h"
#include "kms/audit/log.h"

namespace kms::audit {
namespace {

constexpr std::size_t kPiece = 256 << 10;
// An event, and the member "chain" behind it.
constexpr std::size_t kLongestLine = Log::kMaxEventBytes + (4 << 10);

// The lines of one segment, in pieces.
class LineReader {
 public:
  explicit LineReader(const std::string& path)
      : path_(path), file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

  // The next whole line, valid until the next call; nullopt at the end, which
  // is where the preallocated rest of the file (NULs) begins.
  base::Result<std::optional<std::string_view>> Next() {
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

 private:
  // Reads another piece behind what is left of the last one.
  base::Result<bool> Fill() {
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
    return count > 0;
  }

  const std::string& path_;
  const FileDescriptor file_;
  std::string bytes_;
  std::size_t at_ = 0;  // Where the next line begins in bytes_.
};

}  // namespace

base::Status ReadAfter(
    const std::string& folder, std::uint64_t sequence,
    const std::function<void(std::uint64_t, std::string_view)>& each) {
  ASSIGN_OR_RETURN(const std::vector<SegmentFile> segments,
                   ListSegments(folder));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::uint64_t next = i + 1 < segments.size()
                                   ? segments[i + 1].first_sequence
                                   : std::numeric_limits<std::uint64_t>::max();
    if (next <= sequence + 1) {
      continue;
    }
    const std::string path = folder + "/" + segments[i].name;
    LineReader reader(path);
    for (std::uint64_t number = segments[i].first_sequence;; ++number) {
      ASSIGN_OR_RETURN(const auto line, reader.Next());
      if (!line) {
        break;
      }
      if (number > sequence) {
        each(number, *line);
      }
    }
  }
  return {};
}

}  // namespace kms::audit
