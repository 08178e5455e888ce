// SPDX-License-Identifier: Apache-2.0
#include "kms/key_policy.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "policy/policy.h"

namespace kms {

PolicyPtr CompileStored(policy::PolicyKind kind, const std::string& text,
                        const PolicyPrincipals& principals) {
  std::vector<policy::PrincipalId> ids;
  ids.reserve(principals.size());
  for (const auto& [arn, id] : principals) {
    ids.push_back({arn, id});
  }
  auto policy = policy::Policy::Parse(kind, text, ids);
  if (!policy) {
    base::LogError(
        "a policy in the store cannot be read, and denies everything: {}",
        policy.error().message);
    return std::make_shared<const policy::Policy>(policy::Policy::Unreadable());
  }
  return std::make_shared<const policy::Policy>(*std::move(policy));
}

PolicyPtr KeyPolicies::Compiled(const std::string& text,
                                const PolicyPrincipals& principals) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<const policy::Policy>& known = by_text_[{text, principals}];
  PolicyPtr compiled = known.lock();
  if (compiled == nullptr) {
    compiled = CompileStored(policy::PolicyKind::kKey, text, principals);
    known = compiled;
  }
  if (by_text_.size() > pruned_at_) {
    std::erase_if(by_text_,
                  [](const auto& entry) { return entry.second.expired(); });
    pruned_at_ = by_text_.size() * 2;
  }
  return compiled;
}

}  // namespace kms
