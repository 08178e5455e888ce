// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_LAST_USAGE_H_
#define KMS_OPERATIONS_LAST_USAGE_H_

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "kms/store/store.h"

namespace kms::operations {

struct Call;

// Whether successful calls of this operation are uses of their keys. AWS KMS
// API Reference, "KeyLastUsageData".
bool IsTrackedOperation(std::string_view name);

// How many uses of one key the store keeps: the newest.
inline constexpr int kMostUsagesPerKey = 1000;

// A LastUsage remembers of each key, operation and principal the last
// successful cryptographic operation. A request costs a short lock and no write
// to the store: housekeeping saves what is new in batches, at least once a
// minute, and the end of the server the rest. What a crash takes is completed
// from the audit log (usage_completion.h): with each batch goes the number of
// the record up to which the store then knows all.
//
// It remembers a bounded number of uses. What does not fit, because the store
// takes none, stays in the audit log, and the number no longer rises, so that
// the next start finds it there.
//
// One for all io threads; safe to call from any thread. The store is borrowed.
class LastUsage {
 public:
  explicit LastUsage(store::Store& store, std::size_t most_unsaved = 65536)
      : store_(store), most_unsaved_(most_unsaved) {}

  // Says that the store knows all uses up to this record of the audit log.
  void Start(std::uint64_t log_head);

  // A Recording counts a call from before its record is written until it has
  // been noted, or has failed: what is saved in between may lack it.
  class Recording {
   public:
    explicit Recording(LastUsage& usage);
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

   private:
    LastUsage& usage_;
    unsigned generation_;
  };

  // Remembers this call, which succeeded and was recorded, if it is one that
  // counts. Its Recording must still be there.
  void Note(const Call& call);

  // The last use that is known of this key, by whomever.
  base::Result<std::optional<store::LastUse>> Find(const std::string& row_id);

  // Whether so much is new that it should not wait for the minute to end.
  bool IsDue(std::uint64_t log_head);
  // Saves what is new; `log_head` is the newest record of the audit log. If
  // that fails it is kept for the next time.
  boost::asio::awaitable<base::Status> Save(std::uint64_t log_head);
  // Saves all, from a thread without a coroutine, when no request and no Save
  // goes on any more: one that was cut off is done again.
  base::Status SaveNow(std::uint64_t log_head);

 private:
  // Views for finding, which allocate nothing; `operation` is the table's.
  struct WhoView {
    std::string_view operation;
    std::string_view principal;
    bool operator==(const WhoView&) const = default;
  };
  struct Who {
    std::string_view operation;
    std::string principal;
    WhoView view() const { return {operation, principal}; }
  };
  struct WhoHash {
    using is_transparent = void;
    std::size_t operator()(const WhoView& who) const {
      return std::hash<std::string_view>()(who.principal) ^
             std::hash<std::string_view>()(who.operation);
    }
    std::size_t operator()(const Who& who) const { return (*this)(who.view()); }
  };
  struct WhoEqual {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      return ViewOf(a) == ViewOf(b);
    }
    static WhoView ViewOf(const WhoView& who) { return who; }
    static WhoView ViewOf(const Who& who) { return who.view(); }
  };
  // The uses of one key, and the newest of them.
  struct Uses {
    std::unordered_map<Who, store::LastUse, WhoHash, WhoEqual> by_who;
    const store::LastUse* last = nullptr;
  };
  using Usages = std::unordered_map<std::string, Uses>;  // By key.

  void NoteKey(const std::string& row_id, const Call& call);
  static std::optional<store::LastUse> LastIn(const Usages& usages,
                                              const std::string& row_id);
  std::optional<std::uint64_t> AdvanceMark(std::uint64_t log_head);
  bool IsIdle() const;

  // What to save, in parts that each are one change of the store. The last one
  // sets `complete`.
  std::vector<store::Store::Change> Begin(std::uint64_t log_head,
                                          bool complete);
  void End(const base::Status& status);  // A failed one is kept.

  store::Store& store_;
  const std::size_t most_unsaved_;

  // Calls between their records and their notes, by the parity of the
  // generation in which they came.
  std::array<std::atomic<std::int64_t>, 2> recording_{};
  std::atomic<unsigned> generation_ = 0;

  std::mutex mutex_;
  Usages unsaved_;           // Guarded by mutex_.
  std::size_t count_ = 0;    // Of uses in unsaved_. Guarded by mutex_.
  bool overflowed_ = false;  // A use did not fit. Guarded by mutex_.
  // What is being saved; never changed while it is. Guarded by mutex_.
  std::shared_ptr<const Usages> saving_;
  // The record up to which the store knows all; once what is being saved is
  // saved; and once what came before the current generation is. Guarded by
  // mutex_.
  std::uint64_t mark_ = 0;
  std::uint64_t saving_mark_ = 0;
  std::uint64_t next_mark_ = 0;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_LAST_USAGE_H_
