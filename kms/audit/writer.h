// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_WRITER_H_
#define KMS_AUDIT_WRITER_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kms/audit/chain.h"
#include "kms/audit/files.h"
#include "kms/audit/log.h"
#include "kms/audit/segment.h"
#include "kms/audit/spare.h"
#include "kms/audit/walk.h"

namespace kms::audit {

// A Writer chains records and puts them into segments: it knows the head of the
// chain, the current segment, and when to begin the next. It owns the folder's
// lock; it borrows options and clock. Not synchronised: it belongs to the log's
// thread once that runs.
class Writer {
 public:
  // As Log::Open.
  static base::Result<std::unique_ptr<Writer>> Open(const LogOptions& options,
                                                    const base::Clock& clock);

  // Makes the first of `events`, as many as one group takes, durable and
  // returns how many. On error none of them is in the log, and the next call
  // tries again from the last durable record.
  base::Result<std::size_t> Commit(std::span<const std::string> events);

  // After an error: finds out whether the next Commit can work, as far as that
  // is possible without a record.
  base::Status Repair() { return MakeReady(0); }

  // Cuts the segment to its text.
  base::Status Close();

  const Head& head() const { return head_; }
  // Of the newest record that Open found; 0: none.
  std::uint64_t found_sequence() const { return found_sequence_; }

 private:
  Writer(const LogOptions& options, const base::Clock& clock,
         FileDescriptor lock);

  struct Found {
    SegmentFile file;
    Walk walk;
    SegmentStart start;
  };
  base::Status Resume();
  base::Result<Found> FindNewest(std::uint64_t& cut_bytes);
  base::Status Adopt(const Found& found);
  base::Status RecordCut(std::uint64_t cut_bytes);

  base::Status MakeReady(std::size_t event_bytes);
  bool MustRotate(std::size_t event_bytes) const;
  base::Status StartSegment();
  base::Result<std::size_t> CommitGroup(std::span<const std::string> events);
  std::string PathOf(std::string_view name) const;
  Segment::Options SegmentOptions() const;

  const LogOptions& options_;
  const base::Clock& clock_;
  const FileDescriptor lock_;
  Spare spare_;
  Head head_;  // Of what is durable.
  std::unique_ptr<Segment> segment_;
  base::WallTime started_{};   // The segment.
  bool continues_ = true;      // The segment has our node and epoch.
  bool only_started_ = false;  // The segment holds its first record only.
  std::uint64_t found_sequence_ = 0;
  std::string line_;  // Of Commit; kept for its capacity.
};

}  // namespace kms::audit

#endif  // KMS_AUDIT_WRITER_H_
