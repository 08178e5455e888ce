// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/policies.h"

namespace kms::operations {

Answer GetKeyPolicy(Call& call) {
  CO_RETURN_IF_ERROR(CheckPolicyName(call));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("Policy", call.key->policy)
      .Text("PolicyName", kPolicyName)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
