// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_LAST_USAGE_H_
#define KMS_OPERATIONS_LAST_USAGE_H_

#include <boost/asio/awaitable.hpp>
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

// A LastUsage remembers of each key its last successful cryptographic
// operation. A request costs a short lock and no write to the store:
// housekeeping saves what is new once a minute, and the end of the server the
// rest. What a crash takes stands in the audit log only. One for all io
// threads; safe to call from any thread. The store is borrowed.
class LastUsage {
 public:
  explicit LastUsage(store::Store& store) : store_(store) {}

  // Remembers this call, which succeeded, if it is one that counts.
  void Note(const Call& call);

  // The last usage that is known of this key.
  base::Result<std::optional<store::LastUse>> Find(const std::string& row_id);

  // Saves what is new. If that fails it is kept for the next time.
  boost::asio::awaitable<base::Status> Save();
  // Saves all, from a thread without a coroutine, when no Save goes on any
  // more: one that was cut off is done again.
  base::Status SaveNow();

 private:
  using Usages = std::unordered_map<std::string, store::LastUse>;

  void NoteKey(const Key& key, const Call& call);
  // What to save, in parts that each are one change of the store.
  std::vector<store::Store::Change> Begin();
  void End(const base::Status& status);  // A failed one is kept.

  store::Store& store_;
  std::mutex mutex_;
  Usages unsaved_;  // By key. Guarded by mutex_.
  // What is being saved; never changed while it is. Guarded by mutex_.
  std::shared_ptr<const Usages> saving_;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_LAST_USAGE_H_
