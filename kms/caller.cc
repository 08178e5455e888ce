// SPDX-License-Identifier: Apache-2.0
#include "kms/caller.h"

#include <utility>

#include "policy/policy.h"

namespace kms {

void PolicyList::Add(PolicyPtr policy) {
  uses_resource_tags_ |= policy->uses_resource_tags();
  uses_resource_aliases_ |= policy->uses_resource_aliases();
  views_.push_back(policy.get());
  policies_.push_back(std::move(policy));
}

std::string_view Caller::UniqueId() const {
  return std::string_view(principal_id).substr(0, principal_id.find(':'));
}

}  // namespace kms
