// SPDX-License-Identifier: Apache-2.0
// The way back from a key policy that lets nobody in. AWS's support does it
// there; here it is the operator.
#include "kms/json_writer.h"
#include "kms/managed_keys.h"
#include "kms/operations/handlers.h"
#include "kms/operations/policies.h"

namespace kms::operations {

Answer ResetKeyPolicy(Call& call) {
  Key changed = *call.key;
  changed.policy = changed.managing_service.empty()
                       ? DefaultPolicy(changed.account)
                       : ManagedKeyPolicy(changed.managing_service,
                                          changed.account, changed.region);
  CO_RETURN_IF_ERROR(BindPrincipals(call, changed));
  CO_RETURN_IF_ERROR(co_await CommitPolicy(call, changed));
  Reply reply;
  JsonWriter(reply.body).BeginObject().Text("KeyId", changed.Arn()).EndObject();
  co_return reply;
}

}  // namespace kms::operations
