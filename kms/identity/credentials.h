// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_CREDENTIALS_H_
#define KMS_IDENTITY_CREDENTIALS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/secret.h"
#include "kms/caller.h"

namespace kms::identity {

// An AccessKey is a long-term credential and whom it stands for.
struct AccessKey {
  std::string id;
  std::shared_ptr<const base::Secret> secret;
  std::shared_ptr<const Caller> caller;  // With the key's id.
  bool active = true;
};

// "AKIA" or "ASIA", then 16 random characters; and a secret of 40.
std::string NewAccessKeyId(std::string_view prefix);
base::Secret NewSecretKey();

// A Credentials is a table of access keys as it was at one moment. Any thread
// may read it.
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
  std::uint64_t generation_;
};

}  // namespace kms::identity

#endif  // KMS_IDENTITY_CREDENTIALS_H_
