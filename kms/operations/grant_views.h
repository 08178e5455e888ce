// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_GRANT_VIEWS_H_
#define KMS_OPERATIONS_GRANT_VIEWS_H_

#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "kms/grant.h"
#include "policy/grant.h"

namespace kms::operations {

// A GrantViews shows grants as a decision sees them. What it is given must
// outlive it.
class GrantViews {
 public:
  // `covers_child` of a request to create a grant: that this one allows it.
  void Add(const Grant& grant, bool covers_child = false);
  std::span<const policy::Grant> views() const { return views_; }

 private:
  std::vector<policy::Grant> views_;
  std::deque<std::vector<policy::ContextPair>> pairs_;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_GRANT_VIEWS_H_
