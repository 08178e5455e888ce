// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_WALK_H_
#define KMS_AUDIT_WALK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kms/audit/chain.h"

namespace kms::audit {

// The line before a segment: what its first record must link to.
struct Before {
  std::uint64_t sequence = 0;
  // Unknown where the reader starts in the middle of a log.
  std::optional<base::Digest> hash = base::Digest{};
  std::uint64_t epoch = 0;
  std::string where;  // "file:line", for messages.
};

// What the bytes behind the last good record may be.
enum class Ending : std::uint8_t {
  kComplete,  // NULs at most: the segment is not the newest.
  kLive,      // Also a group that is only partly there: it is being written, or
              // the machine stopped meanwhile. None of it was acknowledged.
  kTorn,      // Also a whole last line that does not fit: for the owner of the
              // log, who cuts and records it.
};

// The good records of one segment.
struct Walk {
  Head head;
  std::string node;
  std::uint64_t epoch = 0;
  std::uint64_t lines = 0;
  std::uint64_t size = 0;        // Bytes of the good lines.
  std::uint64_t tail_bytes = 0;  // Of an incomplete group behind them.
  Before End(const std::string& name) const;
};

// Walks along the chain of one segment, whose bytes are `bytes`, and calls
// `each` (may be empty) with every good line. Fails with kCorrupt, naming file,
// line and what is wrong with it.
base::Result<Walk> WalkSegment(
    std::string_view name, std::string_view bytes, const Before& before,
    Ending ending, const std::function<void(std::string_view line)>& each);

// The record that opens every segment.
struct SegmentStart {
  std::string store_id;
  base::WallTime time{};
};

// Reads it from a segment's first line. Fails with kCorrupt.
base::Result<SegmentStart> ParseSegmentStart(std::string_view name,
                                             std::string_view bytes);

}  // namespace kms::audit

#endif  // KMS_AUDIT_WALK_H_
