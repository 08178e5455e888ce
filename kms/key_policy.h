// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KEY_POLICY_H_
#define KMS_KEY_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

// AWS KMS Developer Guide, "Key policies in AWS KMS".
namespace policy {
class Policy;
enum class PolicyKind : std::uint8_t;
}  // namespace policy

namespace kms {

using PolicyPtr = std::shared_ptr<const policy::Policy>;

// Which principal each ARN in a policy stood for when the policy was saved, by
// its unique id: one that was deleted and made again is another.
using PolicyPrincipals = std::map<std::string, std::string, std::less<>>;

// Compiles a stored policy. Never null: one that cannot be read any more denies
// everyone everything, and is logged.
PolicyPtr CompileStored(policy::PolicyKind kind, const std::string& text,
                        const PolicyPrincipals& principals = {});

// A KeyPolicies compiles key policies. Keys with the same text share one: most
// of an account's have the default policy. Safe to use from any thread.
class KeyPolicies {
 public:
  // See CompileStored.
  PolicyPtr Compiled(const std::string& text,
                     const PolicyPrincipals& principals = {});

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, PolicyPrincipals>,
           std::weak_ptr<const policy::Policy>>
      by_text_;
  std::size_t pruned_at_ = 16;  // When it is next to be freed of what is gone.
};

}  // namespace kms

#endif  // KMS_KEY_POLICY_H_
