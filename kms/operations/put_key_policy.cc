// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/authorize.h"
#include "kms/operations/handlers.h"
#include "kms/operations/policies.h"

namespace kms::operations {

base::Status ValidatePutKeyPolicy(const Call& call) {
  return CheckPolicyText(*call.Text("Policy"));
}

Answer PutKeyPolicy(Call& call) {
  CO_RETURN_IF_ERROR(CheckPolicyName(call));
  Key changed = *call.key;
  changed.policy = *call.Text("Policy");
  CO_RETURN_IF_ERROR(BindPrincipals(call, changed));
  CO_RETURN_IF_ERROR(CheckLockout(call, changed));
  CO_RETURN_IF_ERROR(co_await CommitPolicy(call, changed));
  co_return Reply();
}

}  // namespace kms::operations
