// SPDX-License-Identifier: Apache-2.0
#include "kms/authorizer.h"

namespace kms {

policy::Decision AdministratorsOnly::Authorize(
    const Caller& caller, const policy::Request& request) const {
  if (request.resource_account != caller.account) {
    return {.layer = "resource-based policy",
            .reason = "no resource-based policy allows the"};
  }
  if (caller.kind == CallerKind::kRoot || caller.administrator) {
    return {.verdict = policy::Verdict::kAllow, .layer = "administrator"};
  }
  return {.layer = "identity-based policy",
          .reason = "no identity-based policy allows the"};
}

}  // namespace kms
