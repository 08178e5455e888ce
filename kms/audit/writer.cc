// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "kms/audit/json_text.h"

namespace kms::audit {
namespace {

// The member "chain" at its longest, and the newline.
constexpr std::size_t kMaxLinkBytes = 320;
static_assert(Segment::kBlock + Log::kMaxEventBytes + kMaxLinkBytes <=
              Segment::kBuffer);

// A record of our own, not of a call, up to its last members.
std::string OwnRecord(std::string_view type, base::WallTime now) {
  std::string text = fmt::format(R"({{"recordType":"{}","eventTime":")", type);
  AppendTime(now, text);
  text += fmt::format(R"(","eventID":"{}")", base::NewUuidText());
  return text;
}

std::string StartRecord(const LogOptions& options, base::WallTime now,
                        const Head& head) {
  TextBuffer text(512);
  text.Add(OwnRecord("SegmentStart", now));
  text.Add(",\"storeId\":");
  AppendJsonString(options.store_id, text);
  text.Add(",\"producer\":\"claviger " CLAVIGER_VERSION "\"");
  if (head.max_store_revision != 0) {
    text.Add(",\"storeRevision\":");
    AppendDecimal(head.max_store_revision, text);
  }
  text.Add('}');
  return std::move(text).Take();
}

}  // namespace

Writer::Writer(const LogOptions& options, const base::Clock& clock,
               FileDescriptor lock)
    : options_(options),
      clock_(clock),
      lock_(std::move(lock)),
      spare_(options.folder, SegmentOptions()) {}

base::Result<std::unique_ptr<Writer>> Writer::Open(const LogOptions& options,
                                                   const base::Clock& clock) {
  ASSIGN_OR_RETURN(FileDescriptor lock, LockFolder(options.folder));
  std::unique_ptr<Writer> writer(new Writer(options, clock, std::move(lock)));
  RETURN_IF_ERROR(writer->Resume());
  return writer;
}

// Continues where the newest segment ends.
base::Status Writer::Resume() {
  std::uint64_t cut_bytes = 0;
  base::Result<Found> found = FindNewest(cut_bytes);
  if (found) {
    cut_bytes += found->walk.tail_bytes;
    RETURN_IF_ERROR(Adopt(*found));
  } else if (found.error().code != base::ErrorCode::kNotFound) {
    return std::move(found).error();
  }
  RETURN_IF_ERROR(MakeReady(0));
  return cut_bytes > 0 ? RecordCut(cut_bytes) : base::Status();
}

// The newest segment with a record in it. A segment without one was being begun
// when the machine stopped: nothing in it was acknowledged, and it is removed.
// Fails with kNotFound if no segment is left.
base::Result<Writer::Found> Writer::FindNewest(std::uint64_t& cut_bytes) {
  ASSIGN_OR_RETURN(std::vector<SegmentFile> files,
                   ListSegments(options_.folder));
  for (; !files.empty(); files.pop_back()) {
    const SegmentFile& file = files.back();
    const std::string path = PathOf(file.name);
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
    Before before;
    before.sequence = file.first_sequence - 1;
    before.hash.reset();
    ASSIGN_OR_RETURN(Walk walk,
                     WalkSegment(file.name, bytes, before, Ending::kTorn, {}));
    if (walk.lines > 0) {
      ASSIGN_OR_RETURN(SegmentStart start, ParseSegmentStart(file.name, bytes));
      return Found{file, std::move(walk), std::move(start)};
    }
    cut_bytes += walk.tail_bytes;
    base::LogWarning("audit: removing {}, which holds no record", path);
    if (unlink(path.c_str()) != 0 || fsync(lock_.get()) != 0) {
      return IoError("remove", path);
    }
  }
  return base::Error{base::ErrorCode::kNotFound, "there is no segment"};
}

base::Status Writer::Adopt(const Found& found) {
  const auto& [file, walk, start] = found;
  if (start.store_id != options_.store_id) {
    return base::Error{
        base::ErrorCode::kInvalidArgument,
        fmt::format("the audit log in {} belongs to store {}, not to store {}: "
                    "the state folder is not the one it was written with; if "
                    "it should begin anew, move the audit log away",
                    options_.folder, start.store_id, options_.store_id)};
  }
  if (walk.epoch > options_.epoch) {
    return base::Error{
        base::ErrorCode::kInvalidArgument,
        fmt::format("the audit log in {} has reached epoch {}, the store only "
                    "{}: the store is older than the log, as after a restore",
                    options_.folder, walk.epoch, options_.epoch)};
  }
  if (walk.tail_bytes > 0) {
    base::LogWarning(
        "audit: {} ends in a record that was not written whole; cutting {} "
        "bytes after record {}, which were never acknowledged",
        file.name, walk.tail_bytes, walk.head.sequence);
  }
  head_ = walk.head;
  found_sequence_ = head_.sequence;
  started_ = start.time;
  continues_ = walk.node == options_.node && walk.epoch == options_.epoch;
  only_started_ = walk.lines == 1;
  Segment::Options options = SegmentOptions();
  if (!continues_) {
    options.bytes = 0;  // It will only be closed.
  }
  ASSIGN_OR_RETURN(segment_,
                   Segment::Reopen(PathOf(file.name), walk.size, options));
  return {};
}

base::Status Writer::RecordCut(std::uint64_t cut_bytes) {
  std::string text = OwnRecord("TailCut", clock_.Now());
  text += fmt::format(R"(,"cutBytes":{}}})", cut_bytes);
  const auto count = Commit({&text, 1});
  return count ? base::Status() : base::Status(count.error());
}

base::Result<std::size_t> Writer::Commit(std::span<const std::string> events) {
  RETURN_IF_ERROR(MakeReady(events.front().size()));
  ASSIGN_OR_RETURN(const std::size_t count, CommitGroup(events));
  only_started_ = false;
  return count;
}

// Afterwards there is a segment with room for an event of this size, and
// nothing in it that a failed write has left.
base::Status Writer::MakeReady(std::size_t event_bytes) {
  if (segment_ != nullptr && !segment_->IsThere()) {
    base::LogError(
        "audit: {} was removed while it was being written: its records, up to "
        "{}, are lost, as \"claviger audit verify\" will tell. Find out who "
        "did "
        "so; the log goes on in a new segment",
        segment_->path(), head_.sequence);
    segment_.reset();
  }
  if (segment_ != nullptr && MustRotate(event_bytes)) {
    RETURN_IF_ERROR(segment_->Close());
    segment_.reset();
  }
  return segment_ != nullptr ? segment_->Repair() : StartSegment();
}

bool Writer::MustRotate(std::size_t event_bytes) const {
  if (!continues_) {
    return true;
  }
  // A segment takes at least one event, however large that is.
  return !only_started_ &&
         (!segment_->HasRoomFor(event_bytes + kMaxLinkBytes) ||
          clock_.Now() - started_ >=
              std::chrono::seconds(options_.segment_seconds));
}

base::Status Writer::StartSegment() {
  const std::string path = PathOf(SegmentName(head_.sequence + 1));
  segment_ = spare_.Take(path);
  if (segment_ == nullptr) {
    ASSIGN_OR_RETURN(segment_, Segment::Create(path, SegmentOptions()));
  }
  started_ = clock_.Now();
  continues_ = true;
  const std::string start = StartRecord(options_, started_, head_);
  base::Result<std::size_t> count = CommitGroup({&start, 1});
  if (!count) {
    segment_.reset();
    unlink(path.c_str());  // Else the next try would find it.
    return std::move(count).error();
  }
  only_started_ = true;
  return {};
}

// The group is written at once: its lines become durable together or, if the
// write fails, none of them is in the log.
base::Result<std::size_t> Writer::CommitGroup(
    std::span<const std::string> events) {
  Head head = head_;
  Link link{options_.node, options_.epoch, 0, head_.sequence + 1, {}};
  std::size_t count = 0;
  for (const std::string& event : events) {
    link.sequence = head.sequence + 1;
    link.previous = head.hash;
    ComposeLine(event, link, line_);
    if (count > 0 && !(segment_->GroupHasRoomFor(line_.size()) &&
                       segment_->HasRoomFor(line_.size()))) {
      break;
    }
    segment_->Stage(line_);
    const std::string_view line(line_.data(), line_.size() - 1);
    head = {link.sequence, LineHash(line),
            std::max(head.max_store_revision, StoreRevision(line))};
    ++count;
  }
  RETURN_IF_ERROR(segment_->Commit());
  head_ = head;
  if (segment_->size() > segment_->capacity() / 2) {
    spare_.Prepare();
  }
  return count;
}

base::Status Writer::Close() {
  return segment_ != nullptr ? segment_->Close() : base::Status();
}

std::string Writer::PathOf(std::string_view name) const {
  return fmt::format("{}/{}", options_.folder, name);
}

Segment::Options Writer::SegmentOptions() const {
  return {options_.segment_bytes, options_.direct_io};
}

}  // namespace kms::audit
