// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kms/audit/json_text.h"

namespace kms::audit {
namespace {

constexpr char kNul = '\0';

// Text up to the NULs at its end.
std::string_view WithoutPadding(std::string_view bytes) {
  const std::size_t last = bytes.find_last_not_of(kNul);
  return bytes.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// A Walker is one WalkSegment: where it stands and what it has seen.
class Walker {
 public:
  Walker(std::string_view name, std::string_view bytes, const Before& before,
         Ending ending)
      : name_(name), bytes_(bytes), before_(before), ending_(ending) {
    walk_.head.sequence = before.sequence;
    walk_.epoch = before.epoch;
    previous_ = before.hash;
  }

  base::Result<Walk> Run(
      const std::function<void(std::string_view line)>& each) {
    while (walk_.size < bytes_.size()) {
      const std::optional<std::string_view> line = WholeLine(walk_.size);
      if (!line) {
        break;
      }
      const std::optional<Link> link = ParseLink(*line);
      if (std::string fault = Fault(*line, link); !fault.empty()) {
        RETURN_IF_ERROR(MayCut(*line, fault));
        break;
      }
      Accept(*line, *link);
      if (each) {
        each(*line);
      }
    }
    RETURN_IF_ERROR(CheckRest());
    return std::move(walk_);
  }

 private:
  // The line at `at`, unless the text ends or has a hole (NULs) before its end.
  std::optional<std::string_view> WholeLine(std::size_t at) const {
    const std::string_view rest = bytes_.substr(at);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (line.size() == rest.size() || line.find(kNul) != line.npos) {
      return std::nullopt;
    }
    return line;
  }

  bool IsLast(std::string_view line) const {
    const std::size_t next = walk_.size + line.size() + 1;
    return next == bytes_.size() || bytes_[next] == kNul;
  }

  // What is wrong with the line that follows the accepted ones; empty: nothing.
  std::string Fault(std::string_view line,
                    const std::optional<Link>& link) const {
    if (!line.starts_with('{') || !link) {
      return At("this is not an audit record: it was edited or damaged");
    }
    const std::uint64_t expected = walk_.head.sequence + 1;
    if (previous_ && link->previous != *previous_) {
      return ChainFault(line, *link);
    }
    if (link->sequence != expected) {
      return At(
          fmt::format("it says it is record {}, but it is record {}: it "
                      "was edited",
                      link->sequence, expected));
    }
    const bool first = walk_.lines == 0;
    if (link->group > link->sequence || link->epoch < walk_.epoch ||
        (!first && (link->group < group_ || link->epoch != walk_.epoch ||
                    link->node != walk_.node))) {
      return At(
          "its node, epoch or group does not continue the record before "
          "it: it was edited");
    }
    // Nothing links to the last line yet: at least it must be JSON.
    if (ending_ != Ending::kComplete && IsLast(line) &&
        !nlohmann::json::accept(line)) {
      return At("this is not JSON: it was edited or damaged");
    }
    return {};
  }

  // The line does not name the hash of the one before. Which of the two was
  // changed? If the next one names this one's hash, this one was not.
  std::string ChainFault(std::string_view line, const Link& link) const {
    const std::uint64_t expected = walk_.head.sequence + 1;
    if (link.sequence != expected) {
      return At(
          fmt::format("record {} stands where record {} should: lines "
                      "were removed, inserted or moved",
                      link.sequence, expected));
    }
    const auto next = WholeLine(walk_.size + line.size() + 1);
    const auto next_link = next ? ParseLink(*next) : std::nullopt;
    if (next_link && next_link->previous != LineHash(line)) {
      return At(
          "its hash of the record before it, and the next record's hash of it, "
          "are both wrong: it was edited");
    }
    return fmt::format(
        "{}: it{} was edited: the record after it ({}) names "
        "another hash",
        Where(walk_.lines), next_link ? "" : ", or the record after it,",
        Where(walk_.lines + 1));
  }

  void Accept(std::string_view line, const Link& link) {
    previous_ = LineHash(line);
    walk_.head = {link.sequence, *previous_,
                  std::max(walk_.head.max_store_revision, StoreRevision(line))};
    walk_.node = link.node;
    walk_.epoch = link.epoch;
    walk_.size += line.size() + 1;
    ++walk_.lines;
    group_ = link.group;
  }

  // A faulty whole line is an error, but for the owner's last line with padding
  // behind it: a disk that tears within a sector could leave that.
  base::Status MayCut(std::string_view line, const std::string& fault) const {
    const std::size_t next = walk_.size + line.size() + 1;
    if (ending_ == Ending::kTorn && next < bytes_.size() &&
        WithoutPadding(bytes_.substr(next)).empty()) {
      return {};
    }
    return base::Error{base::ErrorCode::kCorrupt, fault};
  }

  // Behind the good lines: padding, or an unfinished group. A group is one
  // write, whose blocks reach the disk in any order, so that whole lines may
  // stand behind a hole. They were never acknowledged if they belong to the
  // group of the first record that is missing; any other means that something
  // was lost in the middle.
  base::Status CheckRest() {
    std::string_view rest = WithoutPadding(bytes_.substr(walk_.size));
    walk_.tail_bytes = rest.size();
    if (rest.empty()) {
      return {};
    }
    const std::string damage =
        At("the text is damaged or cut off here, and records follow");
    if (ending_ == Ending::kComplete) {
      return base::Error{base::ErrorCode::kCorrupt, damage};
    }
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const auto link = ParseLink(rest.substr(0, end));
      if (link && link->group > walk_.head.sequence + 1) {
        return base::Error{base::ErrorCode::kCorrupt, damage};
      }
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
    return {};
  }

  // Line numbers count from 1; 0 is the last line of the segment before.
  std::string Where(std::uint64_t number) const {
    return number == 0 ? before_.where : fmt::format("{}:{}", name_, number);
  }
  std::string At(std::string_view fault) const {
    return fmt::format("{}: {}", Where(walk_.lines + 1), fault);
  }

  const std::string_view name_;
  const std::string_view bytes_;
  const Before& before_;
  const Ending ending_;
  Walk walk_;
  std::optional<base::Digest> previous_;
  std::uint64_t group_ = 0;
};

}  // namespace

Before Walk::End(const std::string& name) const {
  return {head.sequence, head.hash, epoch, fmt::format("{}:{}", name, lines)};
}

base::Result<Walk> WalkSegment(
    std::string_view name, std::string_view bytes, const Before& before,
    Ending ending, const std::function<void(std::string_view line)>& each) {
  return Walker(name, bytes, before, ending).Run(each);
}

base::Result<SegmentStart> ParseSegmentStart(std::string_view name,
                                             std::string_view bytes) {
  const base::Error corrupt{
      base::ErrorCode::kCorrupt,
      fmt::format("{}:1: this is not the first record of a segment", name)};
  const auto json = nlohmann::json::parse(bytes.substr(0, bytes.find('\n')),
                                          nullptr, /*allow_exceptions=*/false);
  const auto text = [&](const char* member_name) {
    const auto member = json.find(member_name);
    return member != json.end() && member->is_string()
               ? member->get<std::string>()
               : std::string();
  };
  if (!json.is_object() || text("recordType") != "SegmentStart") {
    return corrupt;
  }
  const auto time = ParseTime(text("eventTime"));
  if (!time) {
    return corrupt;
  }
  return SegmentStart{text("storeId"), *time};
}

}  // namespace kms::audit
