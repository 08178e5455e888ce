// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KEY_POLICY_H_
#define KMS_KEY_POLICY_H_

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

// AWS KMS Developer Guide, "Key policies in AWS KMS".
namespace policy {
class Policy;
}

namespace kms {

using PolicyPtr = std::shared_ptr<const policy::Policy>;

// A KeyPolicies compiles key policies. Keys with the same text share one: most
// of an account's have the default policy. Safe to use from any thread.
class KeyPolicies {
 public:
  // Never null. A text that cannot be read any more denies everyone everything,
  // and is logged.
  PolicyPtr Compiled(const std::string& text);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const policy::Policy>> by_text_;
  std::size_t pruned_at_ = 16;  // When it is next to be freed of what is gone.
};

}  // namespace kms

#endif  // KMS_KEY_POLICY_H_
