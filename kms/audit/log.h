// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_LOG_H_
#define KMS_AUDIT_LOG_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"

namespace kms::audit {

struct LogOptions {
  std::string folder;    // audit/ of the state folder; must exist.
  std::string store_id;  // Written into every segment's first record.
  std::string node = "node-1";
  std::uint64_t epoch = 1;
  std::uint64_t segment_bytes = 64U << 20;  // Preallocated size of a segment.
  std::uint64_t segment_seconds = 86400;
  std::uint64_t low_space_bytes = 1U << 30;  // Warn below this much free.
};

struct LogHealth {
  bool writable = true;
  std::uint64_t free_bytes = 0;
  std::uint64_t queued = 0;      // Records waiting for the disk now.
  std::uint64_t records = 0;     // Appended since opening.
  std::uint64_t head_sequence = 0;
};

// A Log is the audit log of one node: JSON lines, chained by hash over all
// segments (docs/protocol/audit.md). A single writer thread commits in groups;
// Append completes when its record is durable, on the caller's executor.
//
// Safe to call from any thread. When the disk refuses, every Append fails with
// kAuditUnavailable until a write succeeds again: the caller must then refuse
// its request. A record that failed is not in the log (its bytes are cut before
// anything is written after it).
class Log {
 public:
  // Opens the newest segment, cuts a torn tail and records that, or starts the
  // first one. Fails with kBusy if another process has the log, and with
  // kCorrupt, naming file and line, if the chain of the newest segment breaks.
  static base::Result<std::unique_ptr<Log>> Open(LogOptions options,
                                                 const base::Clock& clock);
  virtual ~Log() = default;

  // `event` is one JSON object without line breaks; the chain members are added
  // as its last member. At most 256 KiB.
  virtual boost::asio::awaitable<base::Status> Append(std::string event) = 0;
  // For threads without a coroutine (start-up, tests).
  virtual base::Status AppendNow(std::string event) = 0;

  virtual LogHealth health() const = 0;

  // Flushes and closes the segment. Append fails afterwards.
  virtual void Close() = 0;
};

// What reading a whole log found.
struct Verification {
  std::uint64_t records = 0;
  std::uint64_t segments = 0;
  std::uint64_t head_sequence = 0;
  base::Digest head{};            // Hash of the last record.
  std::uint64_t max_store_revision = 0;  // Largest "storeRevision" seen.
  bool anchored = false;  // No anchors exist yet: always false.
};

// Reads every segment in `folder` in order and checks the chain, offline.
// Fails with kCorrupt, naming file, line and what is wrong. `each` (may be
// empty) is called with every record's line.
base::Result<Verification> Verify(
    const std::string& folder,
    const std::function<void(std::string_view line)>& each);

}  // namespace kms::audit

#endif  // KMS_AUDIT_LOG_H_
