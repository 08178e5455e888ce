// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/last_usage.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/log.h"
#include "kms/operations/call.h"

namespace kms::operations {
namespace {

constexpr std::array<std::string_view, 14> kTracked = {
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac"};
static_assert(std::ranges::is_sorted(kTracked));

// Of one commit: others wait for it.
constexpr std::size_t kMostPerChange = 500;

// After so many records a batch is due: it bounds what the next start reads if
// this process is killed.
constexpr std::uint64_t kMostRecordsBehind = 50'000;

// One use, as the store takes it.
struct Row {
  const std::string* row_id;
  const store::LastUse* use;
};

// Writes rows, of which those of one key stand together.
base::Status PutRows(std::span<const Row> rows, store::Transaction& change) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RETURN_IF_ERROR(change.PutKeyUsage(*rows[i].row_id, *rows[i].use));
    if (i + 1 == rows.size() || rows[i + 1].row_id != rows[i].row_id) {
      RETURN_IF_ERROR(change.TrimKeyUsages(*rows[i].row_id, kMostUsagesPerKey));
    }
  }
  return {};
}

}  // namespace

bool IsTrackedOperation(std::string_view name) {
  return std::ranges::binary_search(kTracked, name);
}

void LastUsage::Start(std::uint64_t log_head) {
  const std::lock_guard lock(mutex_);
  mark_ = saving_mark_ = next_mark_ = log_head;
}

// A generation that ended between the two reads may have been looked at before
// this call was counted in it: it is counted in the next one then.
LastUsage::Recording::Recording(LastUsage& usage) : usage_(usage) {
  for (;;) {
    generation_ = usage_.generation_;
    ++usage_.recording_[generation_ % 2];
    if (usage_.generation_ == generation_) {
      return;
    }
    --usage_.recording_[generation_ % 2];
  }
}

LastUsage::Recording::~Recording() { --usage_.recording_[generation_ % 2]; }

void LastUsage::Note(const Call& call) {
  if (call.key == nullptr || !IsTrackedOperation(call.operation.name)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  NoteKey(call.key->row_id, call);
  if (call.source != nullptr && call.source->row_id != call.key->row_id) {
    NoteKey(call.source->row_id, call);  // ReEncrypt uses both.
  }
}

void LastUsage::NoteKey(const std::string& row_id, const Call& call) {
  const WhoView who = {call.operation.name, call.request.caller.arn};
  const auto key = unsaved_.find(row_id);
  const bool known = key != unsaved_.end() &&
                     key->second.by_who.find(who) != key->second.by_who.end();
  if (!known && count_ >= most_unsaved_) {
    if (!std::exchange(overflowed_, true)) {
      base::LogWarning(
          "more uses of keys than can be remembered wait to be saved; the rest "
          "stays in the audit log until the next start");
    }
    return;
  }
  Uses& uses = key == unsaved_.end() ? unsaved_[row_id] : key->second;
  auto use = uses.by_who.find(who);
  if (use == uses.by_who.end()) {
    ++count_;
    use = uses.by_who
              .emplace(Who{who.operation, std::string(who.principal)},
                       store::LastUse{})
              .first;
    use->second.operation = who.operation;
    use->second.principal = who.principal;
  }
  use->second.time = call.now;
  use->second.event_id = call.event_id;
  use->second.request_id = call.request.request_id;
  uses.last = &use->second;
}

std::optional<store::LastUse> LastUsage::LastIn(const Usages& usages,
                                                const std::string& row_id) {
  const auto key = usages.find(row_id);
  return key == usages.end() ? std::nullopt : std::optional(*key->second.last);
}

base::Result<std::optional<store::LastUse>> LastUsage::Find(
    const std::string& row_id) {
  {
    const std::lock_guard lock(mutex_);
    auto found = LastIn(unsaved_, row_id);
    if (!found && saving_ != nullptr) {
      found = LastIn(*saving_, row_id);
    }
    if (found) {
      return found;
    }
  }
  ASSIGN_OR_RETURN(std::vector<store::LastUse> saved,
                   store_.ListKeyUsages(row_id, 1));
  return saved.empty() ? std::nullopt : std::optional(std::move(saved.front()));
}

bool LastUsage::IsDue(std::uint64_t log_head) {
  const std::lock_guard lock(mutex_);
  return count_ >= most_unsaved_ / 4 ||
         (!overflowed_ && log_head > mark_ + kMostRecordsBehind);
}

// INVARIANT: once every call that came before the current generation has been
// noted, what is saved from then on holds all records up to next_mark_, which
// was the newest one when the generation began.
std::optional<std::uint64_t> LastUsage::AdvanceMark(std::uint64_t log_head) {
  const unsigned current = generation_;
  if (overflowed_ || recording_[(current + 1) % 2] != 0) {
    return std::nullopt;
  }
  generation_ = current + 1;
  return std::exchange(next_mark_, log_head);
}

bool LastUsage::IsIdle() const {
  return recording_[0] == 0 && recording_[1] == 0;
}

std::vector<store::Store::Change> LastUsage::Begin(std::uint64_t log_head,
                                                   bool complete) {
  const std::lock_guard lock(mutex_);
  std::vector<store::Store::Change> changes;
  if (saving_ != nullptr) {
    return changes;
  }
  saving_mark_ = AdvanceMark(log_head).value_or(saving_mark_);
  store::UsageProgress progress = {saving_mark_, false};
  if (complete && IsIdle() && !overflowed_) {
    progress = {log_head, true};
  }
  const bool is_behind = saving_mark_ > mark_ + kMostRecordsBehind;
  if (unsaved_.empty() && !complete && !is_behind) {
    return changes;
  }
  saving_ = std::make_shared<const Usages>(std::exchange(unsaved_, {}));
  count_ = 0;
  auto rows = std::make_shared<std::vector<Row>>();
  for (const auto& [row_id, uses] : *saving_) {
    for (const auto& [who, use] : uses.by_who) {
      rows->push_back({&row_id, &use});
    }
  }
  for (std::size_t at = 0; at == 0 || at < rows->size(); at += kMostPerChange) {
    const std::size_t count = std::min(kMostPerChange, rows->size() - at);
    const bool last = at + count == rows->size();
    changes.emplace_back([usages = saving_, rows, at, count, last, progress](
                             store::Transaction& change) -> base::Status {
      RETURN_IF_ERROR(PutRows(std::span(*rows).subspan(at, count), change));
      return last ? change.SetUsageProgress(progress) : base::Status();
    });
  }
  return changes;
}

void LastUsage::End(const base::Status& status) {
  std::shared_ptr<const Usages> done;  // Is destroyed outside of the lock.
  const std::lock_guard lock(mutex_);
  done = std::move(saving_);
  saving_ = nullptr;
  if (status) {
    mark_ = saving_mark_;
    return;
  }
  if (done == nullptr) {
    return;
  }
  for (const auto& [row_id, uses] : *done) {
    Uses& kept = unsaved_[row_id];
    const bool has_newer = kept.last != nullptr;
    for (const auto& [who, use] : uses.by_who) {
      const auto [it, is_new] = kept.by_who.emplace(who, use);
      count_ += is_new ? 1 : 0;
      if (!has_newer && &use == uses.last) {
        kept.last = &it->second;
      }
    }
  }
}

boost::asio::awaitable<base::Status> LastUsage::Save(std::uint64_t log_head) {
  base::Status status;
  const std::vector<store::Store::Change> changes = Begin(log_head, false);
  if (changes.empty()) {
    co_return status;
  }
  for (const store::Store::Change& change : changes) {
    status = co_await store_.Write(change);
    if (!status) {
      break;
    }
  }
  End(status);
  co_return status;
}

base::Status LastUsage::SaveNow(std::uint64_t log_head) {
  End(base::Error{base::ErrorCode::kTimeout, "cut off"});
  base::Status status;
  for (const store::Store::Change& change : Begin(log_head, true)) {
    status = store_.WriteNow(change);
    if (!status) {
      break;
    }
  }
  End(status);
  return status;
}

}  // namespace kms::operations
