// SPDX-License-Identifier: Apache-2.0
#include "kms/organization.h"

#include <algorithm>
#include <utility>

namespace kms {

void ControlLevels::Add(PolicyList level) {
  levels_.push_back(std::move(level));
  sets_.push_back(levels_.back().views());
}

bool ControlLevels::uses_resource_tags() const {
  return std::ranges::any_of(levels_, &PolicyList::uses_resource_tags);
}

bool ControlLevels::uses_resource_aliases() const {
  return std::ranges::any_of(levels_, &PolicyList::uses_resource_aliases);
}

void Organization::Add(std::string account, Member member) {
  members_.insert_or_assign(std::move(account), std::move(member));
}

const Organization::Member* Organization::Find(std::string_view account) const {
  const auto found = members_.find(account);
  return found == members_.end() ? nullptr : &found->second;
}

}  // namespace kms
