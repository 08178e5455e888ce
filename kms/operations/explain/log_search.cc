// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/explain/log_search.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "kms/audit/files.h"
#include "kms/audit/line_reader.h"
#include "kms/audit/walk.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using audit::LineReader;
using audit::SegmentFile;

// Some milliseconds of work.
constexpr std::uint64_t kTurnBytes = 256 << 10;
constexpr std::size_t kTurnRecords = 32;

std::string PathOf(const std::string& folder, const SegmentFile& file) {
  return folder + "/" + file.name;
}

// A text that a client chose could look like the member.
bool HasId(std::string_view line, const std::string& id) {
  if (line.find(id) == line.npos) {
    return false;
  }
  const auto json = nlohmann::json::parse(line, nullptr,
                                          /*allow_exceptions=*/false);
  const auto member = json.find("eventID");
  return member != json.end() && *member == id;
}

// Where in `files` a range begins.
base::Result<std::size_t> FirstOf(const std::string& folder,
                                  const std::vector<SegmentFile>& files,
                                  const LogRange& range) {
  std::size_t first = files.empty() ? 0 : files.size() - 1;
  for (; first > 0 && files[first].first_sequence > range.after + 1; --first) {
    LineReader reader(PathOf(folder, files[first]));
    ASSIGN_OR_RETURN(const auto line, reader.Next());
    if (!line) {
      continue;
    }
    const auto start = audit::ParseSegmentStart(files[first].name, *line);
    if (start && start->time <= range.since) {
      break;
    }
  }
  return first;
}

}  // namespace

base::Error NoSuchEvent(std::string_view event_id) {
  return {base::ErrorCode::kNotFound,
          fmt::format("There is no event {} of this account in the newest {} "
                      "MiB of the audit log.",
                      event_id, kMostSearchedBytes >> 20)};
}

asio::awaitable<void> Pause() {
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

asio::awaitable<base::Result<std::string>> FindEvent(std::string folder,
                                                     std::string event_id) {
  CO_ASSIGN_OR_RETURN(std::vector<SegmentFile> files,
                      audit::ListSegments(folder));
  std::uint64_t searched = 0;
  for (; !files.empty() && searched < kMostSearchedBytes; files.pop_back()) {
    LineReader reader(PathOf(folder, files.back()));
    std::uint64_t paused_at = 0;
    for (;;) {
      CO_ASSIGN_OR_RETURN(const auto line, reader.Next());
      if (!line) {
        break;
      }
      if (HasId(*line, event_id)) {
        co_return std::string(*line);
      }
      if (reader.bytes_read() >= paused_at + kTurnBytes) {
        paused_at = reader.bytes_read();
        co_await Pause();
      }
    }
    searched += reader.bytes_read();
  }
  co_return NoSuchEvent(event_id);
}

asio::awaitable<base::Result<LogEnd>> WalkLog(
    std::string folder, LogRange range,
    std::function<base::Result<bool>(std::string_view line)> each) {
  CO_ASSIGN_OR_RETURN(const std::vector<SegmentFile> files,
                      audit::ListSegments(folder));
  CO_ASSIGN_OR_RETURN(std::size_t index, FirstOf(folder, files, range));
  LogEnd end = {.last = range.after};
  std::uint64_t searched = 0;
  std::size_t records = 0;
  for (; index < files.size(); ++index) {
    LineReader reader(PathOf(folder, files[index]));
    std::uint64_t number = files[index].first_sequence;
    std::uint64_t paused_at = 0;
    for (;; ++number) {
      CO_ASSIGN_OR_RETURN(const auto line, reader.Next());
      if (!line) {
        break;
      }
      if (number <= range.after) {
        continue;
      }
      end.last = number;
      bool go_on = searched + reader.bytes_read() < kMostSearchedBytes;
      if (line->find(range.needle) != line->npos) {
        CO_ASSIGN_OR_RETURN(const bool more, each(*line));
        go_on = go_on && more;
        ++records;
      }
      if (!go_on) {
        end.complete = false;
        co_return end;
      }
      if (reader.bytes_read() >= paused_at + kTurnBytes ||
          records >= kTurnRecords) {
        paused_at = reader.bytes_read();
        records = 0;
        co_await Pause();
      }
    }
    searched += reader.bytes_read();
  }
  co_return end;
}

}  // namespace kms::operations
