// SPDX-License-Identifier: Apache-2.0
#include "policy/assumption.h"

#include <algorithm>

#include "policy/text.h"

namespace policy {

KnownKeys::KnownKeys(std::span<const std::string_view> names) {
  names_.reserve(names.size());
  for (const std::string_view name : names) {
    names_.push_back(Fold(name));
  }
}

bool KnownKeys::Has(std::string_view folded) const {
  return std::ranges::any_of(names_, [folded](const std::string& name) {
    const bool prefix = name.ends_with(':') || name.ends_with('/');
    return prefix ? folded.starts_with(name) : folded == name;
  });
}

bool Assumption::IsUnknown(const ContextKey& key,
                           std::span<const ContextEntry> context) const {
  return FindValues(context, key).count == 0 && !known.Has(key.folded);
}

Match Assumption::Answer(Effect effect) const {
  const bool allows = effect == Effect::kAllow;
  const bool hopes = outlook == Outlook::kOptimistic;
  return allows == hopes ? Match::kYes : Match::kNo;
}

}  // namespace policy
