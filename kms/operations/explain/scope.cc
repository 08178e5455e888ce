// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/explain/scope.h"

#include "kms/key_id.h"
#include "kms/operations/resolve.h"

namespace kms::operations {

bool MaySee(const Call& call, std::string_view account) {
  const Caller& caller = call.request.caller;
  return caller.administrator || caller.account == account;
}

base::Status FindVisibleKey(Call& call) {
  const std::string_view text = *call.Text("KeyId");
  ASSIGN_OR_RETURN(const KeyReference reference, ParseKeyReference(text));
  if (reference.is_arn && !MaySee(call, reference.account)) {
    const Check check = {.action = call.operation.action,
                         .resource = std::string(text),
                         .account = std::string(reference.account),
                         .key = {}};
    return AccessDenied(call, check,
                        {.reason = "no resource-based policy allows the"});
  }
  ASSIGN_OR_RETURN(call.key, FindKey(call, text, call.operation.key_forms));
  return {};
}

}  // namespace kms::operations
