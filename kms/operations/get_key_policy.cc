// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/policies.h"

namespace kms::operations {

Answer GetKeyPolicy(Call& call) {
  CO_RETURN_IF_ERROR(CheckPolicyName(call));
  const auto directory = call.environment.directory.current();
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("Policy", ShownPolicy(*directory, call.key->policy,
                                  call.key->policy_principals))
      .Text("PolicyName", kPolicyName)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
