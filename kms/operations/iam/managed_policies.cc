// SPDX-License-Identifier: Apache-2.0
// Managed policies, shown and deleted; entities.cc makes them.
#include <algorithm>
#include <vector>

#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/managed_policy.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/identities.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;
using identity::Directory;
using identity::Record;

// In the order of PolicyKey.
std::vector<const Record*> PoliciesInScope(const Call& call,
                                           const Directory& directory) {
  const std::string_view scope = call.Text("Scope").value_or("All");
  std::vector<const Record*> policies;
  if (scope != "Local") {
    for (const Record& policy : AwsPolicyRecords()) {
      policies.push_back(&policy);
    }
  }
  if (scope != "AWS") {
    const auto local =
        directory.List(call.request.caller.account, EntityKind::kPolicy);
    policies.insert(policies.end(), local.begin(), local.end());
  }
  return policies;
}

// Whether the filters of ListPolicies let a policy through.
bool Passes(const Call& call, const Uses& uses, const Record& policy) {
  const std::string arn = policy.entity.Arn();
  const std::string_view usage = call.Text("PolicyUsageFilter").value_or("");
  const bool attached = uses.attached.contains(arn);
  const bool bounds = uses.boundaries.contains(arn);
  return policy.entity.path.starts_with(
             call.Text("PathPrefix").value_or("/")) &&
         (!call.Flag("OnlyAttached") || attached) &&
         (usage != kAsPermissions || attached) &&
         (usage != kAsBoundary || bounds);
}

}  // namespace

Answer GetPolicy(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const Record* const policy,
                      FindPolicySubject(call, *directory));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginObject("Policy");
  WritePolicy(*policy, UsesIn(*directory, call.request.caller.account),
              Detail::kFull, writer);
  writer.EndObject().EndObject();
  co_return reply;
}

Answer ListPolicies(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  const Uses uses = UsesIn(*directory, call.request.caller.account);
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Policies");
  for (const Record* const policy : PoliciesInScope(call, *directory)) {
    if (Passes(call, uses, *policy) && page.Takes(PolicyKey(*policy))) {
      writer.BeginObject();
      WritePolicy(*policy, uses, Detail::kBrief, writer);
      writer.EndObject();
    }
  }
  writer.EndArray();
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

Answer DeletePolicy(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity policy, GetSubject(call, transaction));
    store::Identities& identities = transaction.identities();
    ASSIGN_OR_RETURN(const bool in_use, identities.IsInUse(policy.Arn()));
    if (in_use) {
      return Error{ErrorCode::kConflict,
                   "Cannot delete a policy attached to entities."};
    }
    ASSIGN_OR_RETURN(const auto versions, identities.GetDocuments(policy.id));
    if (versions.size() > 1) {
      return Error{ErrorCode::kConflict,
                   "This policy has more than one version. Before you delete "
                   "a policy, you must delete the policy's versions. The "
                   "default version is deleted with the policy."};
    }
    RETURN_IF_ERROR(
        identities.DeleteDocument(policy.id, policy.default_version));
    return identities.DeleteEntity(policy.id);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

}  // namespace kms::operations::iam
