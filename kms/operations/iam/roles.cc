// SPDX-License-Identifier: Apache-2.0
// What only roles have.
#include "kms/json_writer.h"
#include "kms/operations/iam/documents.h"
#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/identities.h"

namespace kms::operations::iam {

// A member that is left out leaves what is there.
Answer UpdateRole(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Entity role, GetSubject(call, transaction));
    role.description = call.Text("Description").value_or(role.description);
    role.max_session = static_cast<int>(
        call.Number("MaxSessionDuration").value_or(role.max_session));
    return transaction.identities().UpdateEntity(role);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  Reply reply;
  reply.body = "{}";  // AWS returns an empty result here, not none.
  co_return reply;
}

Answer UpdateAssumeRolePolicy(Call& call) {
  const std::string_view document = *call.Text("PolicyDocument");
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const PolicyPrincipals trusted,
                      CheckTrustPolicy(document, *directory));
  auto change = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Entity role, GetSubject(call, transaction));
    role.trust_policy = document;
    role.trusted = trusted;
    return transaction.identities().UpdateEntity(role);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

// There are no machines here that could have one; tools ask before they delete
// a role.
Answer ListInstanceProfilesForRole(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_RETURN_IF_ERROR(FindSubject(call, *directory));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .BeginArray("InstanceProfiles")
      .EndArray()
      .Bool("IsTruncated", false)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations::iam
