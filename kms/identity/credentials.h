// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_CREDENTIALS_H_
#define KMS_IDENTITY_CREDENTIALS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/secret.h"
#include "kms/caller.h"

namespace kms::identity {

// An AccessKey is a long-term credential and whom it stands for; the caller's
// access_key_id is filled in by Credentials.
struct AccessKey {
  std::string id;
  base::Secret secret;
  Caller caller;
  bool active = true;
};

// A Credentials is a table of access keys as it was at one moment. It never
// changes, so any thread may read it.
class Credentials {
 public:
  // Of two keys with one id the first counts.
  explicit Credentials(std::vector<AccessKey> keys);

  // The active key with this id, or nullptr. Lives as long as the table.
  const AccessKey* Find(std::string_view access_key_id) const;

  // Differs between any two tables of this process: what was derived from the
  // secrets of one is not to be used with another.
  std::uint64_t generation() const { return generation_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::unordered_map<std::string, AccessKey, Hash, std::equal_to<>> keys_;
  const std::uint64_t generation_;
};

// A CredentialSource holds the table in force. Safe to call from any thread.
class CredentialSource {
 public:
  // `initial` is not null.
  explicit CredentialSource(std::shared_ptr<const Credentials> initial);

  std::shared_ptr<const Credentials> current() const;

  // Puts `next`, not null, in force for every request that starts after it.
  void Replace(std::shared_ptr<const Credentials> next);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Credentials> current_;  // Guarded by mutex_.
};

}  // namespace kms::identity

#endif  // KMS_IDENTITY_CREDENTIALS_H_
