// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_WRONG_PASSWORDS_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_WRONG_PASSWORDS_H_

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace kms::operations {

// WrongPasswords counts, by cluster, the passwords in a row that were not the
// PIN of its token, whichever worker has compared them and whosever custom key
// stores had them: who may create such stores must not be able to try all PINs.
// What it has counted lasts as long as the process, which only the operator can
// restart. Safe to call from any thread.
class WrongPasswords {
 public:
  static constexpr int kMost = 10;

  // Whether no more passwords may be compared.
  bool IsLocked(std::string_view cluster_id) const {
    const std::lock_guard lock(mutex_);
    const auto it = counts_.find(cluster_id);
    return it != counts_.end() && it->second >= kMost;
  }
  // Returns how many were wrong in a row, with this one.
  int Note(const std::string& cluster_id, bool is_right) {
    const std::lock_guard lock(mutex_);
    int& count = counts_[cluster_id];
    count = is_right ? 0 : count + 1;
    return count;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int, std::less<>> counts_;  // Guarded by mutex_.
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_WRONG_PASSWORDS_H_
