// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/bytes.h"
#include "kms/audit/files.h"
#include "kms/audit/log.h"
#include "kms/audit/walk.h"

namespace kms::audit {
namespace {

std::string PathOf(const std::string& folder, const SegmentFile& file) {
  return folder + "/" + file.name;
}

// Segments follow each other without a gap.
base::Status CheckStart(const SegmentFile& file, const Before& before) {
  const std::uint64_t expected = before.sequence + 1;
  if (file.first_sequence == expected) {
    return {};
  }
  if (file.first_sequence < expected) {
    return base::Error{base::ErrorCode::kCorrupt,
                       fmt::format("{}: begins with a record that is before {}",
                                   file.name, before.where)};
  }
  return base::Error{
      base::ErrorCode::kCorrupt,
      fmt::format("{}: the segment before it is missing: records {} to {}",
                  file.name, expected, file.first_sequence - 1)};
}

bool IsOneOf(std::string_view line, const std::set<std::string>& event_ids,
             std::set<std::string>& found) {
  static constexpr std::string_view kMember = "\"eventID\":\"";
  static constexpr std::size_t kUuidText = 36;
  const std::size_t at = line.rfind(kMember);
  if (at == line.npos) {
    return false;
  }
  // Cheap first; a text that a client chose could look like the member.
  const std::string id(line.substr(at + kMember.size(), kUuidText));
  if (!event_ids.contains(id)) {
    return false;
  }
  const auto json = nlohmann::json::parse(line, nullptr,
                                          /*allow_exceptions=*/false);
  const auto member = json.find("eventID");
  return member != json.end() && *member == id && found.insert(id).second;
}

// Looks through the whole lines of one segment.
void FindInSegment(std::string_view bytes,
                   const std::set<std::string>& event_ids,
                   std::set<std::string>& found) {
  for (std::size_t end = bytes.find('\n');
       end != bytes.npos && found.size() < event_ids.size();
       end = bytes.find('\n')) {
    IsOneOf(bytes.substr(0, end), event_ids, found);
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace

base::Result<Verification> Verify(
    const std::string& folder,
    const std::function<void(std::string_view line)>& each,
    const VerifyFrom& from) {
  ASSIGN_OR_RETURN(const std::vector<SegmentFile> files, ListSegments(folder));
  if (files.empty()) {
    return base::Error{base::ErrorCode::kNotFound,
                       fmt::format("there is no audit log in {}", folder)};
  }
  Verification result;
  result.first_sequence = from.sequence + 1;
  Before before{from.sequence, from.hash, 0, "the record to continue from"};
  for (const SegmentFile& file : files) {
    RETURN_IF_ERROR(CheckStart(file, before));
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(PathOf(folder, file)));
    const bool newest = &file == &files.back();
    ASSIGN_OR_RETURN(
        const Walk walk,
        WalkSegment(file.name, bytes, before,
                    newest ? Ending::kLive : Ending::kComplete, each));
    if (walk.lines > 0) {
      RETURN_IF_ERROR(ParseSegmentStart(file.name, bytes));
      before = walk.End(file.name);
    }
    result.records += walk.lines;
    ++result.segments;
    result.max_store_revision =
        std::max(result.max_store_revision, walk.head.max_store_revision);
    result.tail_bytes = walk.tail_bytes;
  }
  result.head_sequence = before.sequence;
  result.head = *before.hash;
  return result;
}

std::string VerificationText(const Verification& verification) {
  std::string text = fmt::format(
      "complete to record {}: {} records from record {} on, {} segments, head "
      "{}\n",
      verification.head_sequence, verification.records,
      verification.first_sequence, verification.segments,
      base::HexEncode(verification.head));
  if (verification.tail_bytes > 0) {
    text += fmt::format(
        "{} bytes follow that are not a whole record: being written now, or "
        "cut "
        "short by a crash; they were never acknowledged\n",
        verification.tail_bytes);
  }
  if (!verification.anchored) {
    text +=
        "no anchor: that nothing was cut off after this record, or the whole "
        "log rewritten, cannot be known from the log alone; compare the head "
        "with one that was kept elsewhere\n";
  }
  return text;
}

base::Result<std::set<std::string>> FindEvents(
    const std::string& folder, const std::set<std::string>& event_ids,
    base::WallTime not_before) {
  std::set<std::string> found;
  ASSIGN_OR_RETURN(std::vector<SegmentFile> files, ListSegments(folder));
  for (; !files.empty() && found.size() < event_ids.size(); files.pop_back()) {
    const SegmentFile& file = files.back();
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(PathOf(folder, file)));
    FindInSegment(bytes, event_ids, found);
    const auto start = ParseSegmentStart(file.name, bytes);
    if (start && start->time < not_before) {
      break;
    }
  }
  return found;
}

}  // namespace kms::audit
