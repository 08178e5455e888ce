// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/usage_completion.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/log.h"
#include "kms/audit/json_text.h"
#include "kms/audit/tail.h"
#include "kms/key_id.h"
#include "kms/operations/last_usage.h"

namespace kms::operations {
namespace {

using nlohmann::json;

// A start must end. A process that was killed leaves far fewer behind; more are
// left where the store has taken nothing for long.
constexpr std::uint64_t kMostRecords = 1'000'000;
// Of one commit, and what is held in memory.
constexpr std::size_t kMostPerChange = 500;
constexpr std::size_t kMostKept = 20'000;

// One use that the log tells of, and the key's ARN.
struct LoggedUse {
  std::vector<std::string> key_arns;
  store::LastUse use;
};

std::string TextIn(const json& object, const char* name) {
  if (!object.is_object()) {
    return {};
  }
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// The event's name without parsing the line: most records are of no interest.
// No string can hold these bytes, whose quotes it would escape.
std::string_view EventName(std::string_view line) {
  constexpr std::string_view kMember = "\"eventName\":\"";
  const std::size_t at = line.find(kMember);
  if (at == line.npos) {
    return {};
  }
  const std::string_view rest = line.substr(at + kMember.size());
  return rest.substr(0, rest.find('"'));
}

std::vector<std::string> ResourcesOf(const json& event) {
  std::vector<std::string> arns;
  const auto resources = event.find("resources");
  if (resources != event.end() && resources->is_array()) {
    for (const json& resource : *resources) {
      arns.push_back(TextIn(resource, "ARN"));
    }
  }
  return arns;
}

// A record of a successful use; nullopt for any other.
std::optional<LoggedUse> ReadUse(std::string_view line) {
  if (!IsTrackedOperation(EventName(line))) {
    return std::nullopt;
  }
  const json event = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!event.is_object() || event.contains("errorCode") ||
      TextIn(event, "eventSource") != "kms.amazonaws.com" ||
      TextIn(event, "eventType") != "AwsApiCall") {
    return std::nullopt;
  }
  const auto time = audit::ParseTime(TextIn(event, "eventTime"));
  const auto identity = event.find("userIdentity");
  if (!time || identity == event.end()) {
    return std::nullopt;
  }
  LoggedUse logged;
  logged.use.operation = EventName(line);
  logged.use.principal = TextIn(*identity, "arn");
  if (logged.use.principal.empty()) {
    logged.use.principal = TextIn(*identity, "invokedBy");
  }
  logged.use.time = *time;
  logged.use.event_id = TextIn(event, "eventID");
  logged.use.request_id = TextIn(event, "requestID");
  logged.key_arns = ResourcesOf(event);
  return logged;
}

// A Completion is what has been read of the log and is not in the store yet:
// the last use of each key, operation and principal.
class Completion {
 public:
  explicit Completion(store::Store& store) : store_(store) {}

  base::Status Add(std::uint64_t sequence, std::string_view line) {
    const std::optional<LoggedUse> logged = ReadUse(line);
    if (!logged) {
      return {};
    }
    for (const std::string& arn : logged->key_arns) {
      const auto reference = ParseKeyReference(arn);
      if (reference && reference->is_arn && !reference->is_alias) {
        uses_[KeyRowId(reference->name, reference->region)]
             [{logged->use.operation, logged->use.principal}] = {sequence,
                                                                 logged->use};
        ++added_;
      }
    }
    return added_ < kMostKept ? base::Status() : Flush();
  }

  // Gives the store what has been added.
  base::Status Flush() {
    std::vector<std::pair<std::string, store::LastUse>> rows;
    for (auto& [row_id, by_who] : uses_) {
      std::vector<Numbered> uses;
      for (auto& [who, use] : by_who) {
        uses.push_back(std::move(use));
      }
      std::ranges::sort(uses, {}, &Numbered::sequence);
      RETURN_IF_ERROR(Order(row_id, uses));
      for (Numbered& numbered : uses) {
        rows.emplace_back(row_id, std::move(numbered.use));
      }
    }
    uses_.clear();
    added_ = 0;
    completed_ += rows.size();
    return Put(rows);
  }

  std::size_t completed() const { return completed_; }

 private:
  struct Numbered {
    std::uint64_t sequence = 0;
    store::LastUse use;
  };
  using Who = std::pair<std::string, std::string>;  // Operation, principal.

  // The log tells times in whole seconds, the store finer ones. A use that the
  // store has keeps its time, and those that follow in the log stay later than
  // what the store has of the key, and than each other.
  base::Status Order(const std::string& row_id, std::vector<Numbered>& uses) {
    ASSIGN_OR_RETURN(const std::vector<store::LastUse> saved,
                     store_.ListKeyUsages(row_id, kMostUsagesPerKey));
    base::WallTime newest = saved.empty() ? base::WallTime() : saved[0].time;
    for (Numbered& numbered : uses) {
      store::LastUse& use = numbered.use;
      const auto same =
          std::ranges::find(saved, use.event_id, &store::LastUse::event_id);
      if (same != saved.end()) {
        use.time = same->time;
      } else if (use.time <= newest &&
                 newest - use.time < std::chrono::seconds(1)) {
        use.time = newest + std::chrono::microseconds(1);
      }
      newest = std::max(newest, use.time);
    }
    return {};
  }

  base::Status Put(
      const std::vector<std::pair<std::string, store::LastUse>>& rows) {
    for (std::size_t at = 0; at < rows.size(); at += kMostPerChange) {
      const std::size_t end = std::min(at + kMostPerChange, rows.size());
      auto put = [&](store::Transaction& change) -> base::Status {
        for (std::size_t i = at; i < end; ++i) {
          RETURN_IF_ERROR(change.PutKeyUsage(rows[i].first, rows[i].second));
          RETURN_IF_ERROR(
              change.TrimKeyUsages(rows[i].first, kMostUsagesPerKey));
        }
        return {};
      };
      RETURN_IF_ERROR(store_.WriteNow(put));
    }
    return {};
  }

  store::Store& store_;
  std::map<std::string, std::map<Who, Numbered>> uses_;  // By key.
  std::size_t added_ = 0;  // Since the last flush.
  std::size_t completed_ = 0;
};

// Where to begin: after what the store knows. A log that is shorter than that
// is another one, which has been begun anew.
std::uint64_t BeginAfter(std::uint64_t known, std::uint64_t head) {
  const std::uint64_t begin = known <= head ? known : 0;
  if (head - begin <= kMostRecords) {
    return begin;
  }
  base::LogWarning(
      "the uses of keys in the {} oldest records that the store may lack are "
      "not read: GetKeyLastUsage may not know them, the audit log does",
      head - begin - kMostRecords);
  return head - kMostRecords;
}

base::Status ReadUses(store::Store& store, const std::string& log_folder,
                      std::uint64_t after) {
  Completion completion(store);
  base::Status status;
  RETURN_IF_ERROR(audit::ReadAfter(
      log_folder, after, [&](std::uint64_t sequence, std::string_view line) {
        if (status) {
          status = completion.Add(sequence, line);
        }
      }));
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(completion.Flush());
  base::LogInfo("{} uses of keys were completed from the audit log",
                completion.completed());
  return {};
}

}  // namespace

base::Status CompleteUsage(store::Store& store, const std::string& log_folder,
                           std::uint64_t log_head) {
  ASSIGN_OR_RETURN(const auto progress, store.GetUsageProgress());
  // Without any: an earlier release has written this store, or nobody yet.
  if (progress && !progress->complete && progress->log_sequence != log_head) {
    RETURN_IF_ERROR(ReadUses(store, log_folder,
                             BeginAfter(progress->log_sequence, log_head)));
  }
  const store::UsageProgress now = {log_head, false};
  return store.WriteNow([now](store::Transaction& change) {
    return change.SetUsageProgress(now);
  });
}

}  // namespace kms::operations
