// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/sts/handlers.h"

namespace kms::operations {

// AWS STS API Reference, GetCallerIdentity: no permission is needed.
base::Status ResolveGetCallerIdentity(Call& /*call*/) { return {}; }

Answer GetCallerIdentity(Call& call) {
  const Caller& caller = call.request.caller;
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("UserId", caller.principal_id)
      .Text("Account", caller.account)
      .Text("Arn", caller.arn)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
