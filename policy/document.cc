// SPDX-License-Identifier: Apache-2.0
#include "policy/document.h"

#include "policy/policy.h"

namespace policy {

base::Status CheckKeyPolicy(std::string_view text) {
  RETURN_IF_ERROR(Policy::Parse(PolicyKind::kKey, text));
  return {};
}

}  // namespace policy
