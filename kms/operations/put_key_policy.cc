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
  const std::string policy(*call.Text("Policy"));
  CO_RETURN_IF_ERROR(CheckLockout(call, *call.key, policy));
  auto edit = [&policy](Key& key) -> base::Status {
    key.policy = policy;
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.CommitKey(edit));
  co_return Reply();
}

}  // namespace kms::operations
