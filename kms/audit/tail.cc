// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/tail.h"

#include <limits>
#include <vector>

#include "kms/audit/files.h"
#include "kms/audit/line_reader.h"

namespace kms::audit {

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
    LineReader reader(folder + "/" + segments[i].name);
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
