// SPDX-License-Identifier: Apache-2.0
#include "kms/key_policy.h"

#include <utility>

#include "base/log.h"
#include "policy/policy.h"

namespace kms {
namespace {

PolicyPtr Compile(const std::string& text) {
  auto policy = policy::Policy::Parse(policy::PolicyKind::kKey, text);
  if (!policy) {
    base::LogError(
        "a key policy in the store cannot be read, and denies everything: {}",
        policy.error().message);
    return std::make_shared<const policy::Policy>(policy::Policy::Unreadable());
  }
  return std::make_shared<const policy::Policy>(*std::move(policy));
}

}  // namespace

PolicyPtr KeyPolicies::Compiled(const std::string& text) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<const policy::Policy>& known = by_text_[text];
  PolicyPtr compiled = known.lock();
  if (compiled == nullptr) {
    compiled = Compile(text);
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
