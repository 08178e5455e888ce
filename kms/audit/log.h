// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_LOG_H_
#define KMS_AUDIT_LOG_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

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
  bool direct_io = true;  // O_DIRECT where the file system takes it.
  // Free bytes of the folder's file system; empty asks statvfs. For tests.
  std::function<base::Result<std::uint64_t>(const std::string& folder)>
      free_bytes_of;
};

struct LogHealth {
  bool writable = true;
  std::uint64_t free_bytes = 0;
  std::uint64_t queued = 0;   // Records waiting for the disk now.
  std::uint64_t records = 0;  // Appended since opening.
  std::uint64_t head_sequence = 0;
  std::uint64_t max_store_revision = 0;  // Of the whole log: what a store must
                                         // have reached to be its store.
  std::uint64_t found_sequence = 0;  // Of the newest record that was there when
                                     // the log was opened; 0: none was.
};

// A Log is the audit log of one node: JSON lines, chained by hash over all
// segments (docs/protocol/audit.md). A single writer thread commits in groups;
// Append completes when its record is durable, on the caller's executor: all
// awaiters of one executor that share a write are resumed by one posted
// function. Their execution contexts must outlive Close.
//
// Safe to call from any thread. When the disk refuses, every Append fails with
// kAuditUnavailable until a write succeeds again: the caller must then refuse
// its request. A record that failed is not in the log (its bytes are cut before
// anything is written after it; only if the process is killed before that may
// they be found there).
//
// A process that uses it must ignore SIGXFSZ.
class Log {
 public:
  static constexpr std::size_t kMaxEventBytes = 256 << 10;

  // Opens the newest segment, cuts a torn tail and records that, or starts the
  // first one. Fails with kBusy if another process has the log, with kCorrupt,
  // naming file and line, if the chain of the newest segment breaks, and with
  // kInvalidArgument if the log belongs to another store or a later epoch.
  static base::Result<std::unique_ptr<Log>> Open(LogOptions options,
                                                 const base::Clock& clock);
  virtual ~Log() = default;

  // `event` is one JSON object without line breaks (EventText makes it); the
  // member "chain" is added as its last. At most kMaxEventBytes; more, or
  // another text, is kInvalidArgument. kThrottled if too much waits already.
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
  std::uint64_t first_sequence = 0;  // Later than 1: the rest is elsewhere.
  std::uint64_t head_sequence = 0;
  base::Digest head{};                   // Hash of the last record.
  std::uint64_t max_store_revision = 0;  // Largest "storeRevision" seen.
  // Bytes behind the last record: a group being written now, or one that a
  // crash cut short. None of it was acknowledged.
  std::uint64_t tail_bytes = 0;
  bool anchored = false;  // No anchors exist yet: always false.
};

// The record that a log is expected to continue: the head that Verify gave for
// segments that were moved elsewhere. By default a log is whole.
struct VerifyFrom {
  std::uint64_t sequence = 0;
  base::Digest hash{};
};

// Reads every segment in `folder` in order and checks the chain, offline or
// while a Log writes to it; takes no locks. Fails with kCorrupt, naming file,
// line and what is wrong, and with kNotFound if there is no segment. `each`
// (may be empty) is called with every record's line.
//
// Records cut off at the end as if never written cannot be noticed without an
// anchor outside of the log; neither can a last record replaced by another.
base::Result<Verification> Verify(
    const std::string& folder,
    const std::function<void(std::string_view line)>& each,
    const VerifyFrom& from = {});

// The Verification as text for people: "complete to N records, ...".
std::string VerificationText(const Verification& verification);

// Which of `event_ids` are in the log, newest segments first. Segments that
// ended before `not_before` are not read. Looks at whole records only and does
// not check the chain.
base::Result<std::set<std::string>> FindEvents(
    const std::string& folder, const std::set<std::string>& event_ids,
    base::WallTime not_before = {});

}  // namespace kms::audit

#endif  // KMS_AUDIT_LOG_H_
