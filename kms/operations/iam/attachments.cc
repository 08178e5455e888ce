// SPDX-License-Identifier: Apache-2.0
// Which managed policies users, groups and roles have.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "kms/operations/iam/answer.h"
#include "kms/operations/iam/documents.h"
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

constexpr std::size_t kMostAttached = 10;

std::string_view PolicyArn(const Call& call) { return *call.Text("PolicyArn"); }

// Whether an entity has a policy in the way that PolicyUsageFilter names; "" is
// any.
bool Has(const Record& record, std::string_view arn, std::string_view usage) {
  const bool attached =
      std::ranges::find(record.attached, arn) != record.attached.end();
  const bool bounds = record.entity.boundary == arn;
  return (attached && usage != kAsBoundary) ||
         (bounds && usage != kAsPermissions);
}

// The entities of one kind in an answer of ListEntitiesForPolicy.
struct Listed {
  EntityKind kind;
  std::string_view list;
};
// By the names of their kinds, as keys of pages begin.
constexpr std::array kListed = {Listed{EntityKind::kGroup, "PolicyGroups"},
                                Listed{EntityKind::kRole, "PolicyRoles"},
                                Listed{EntityKind::kUser, "PolicyUsers"}};

void WriteHolders(const Call& call, const Directory& directory,
                  const Listed& listed, PageFilter& page, JsonWriter& writer) {
  const Kind& kind = KindOf(listed.kind);
  const std::string_view usage = call.Text("PolicyUsageFilter").value_or("");
  const bool shown = call.Text("EntityFilter").value_or(kind.word) == kind.word;
  writer.BeginArray(listed.list);
  for (const Record* const record :
       directory.List(call.request.caller.account, listed.kind,
                      call.Text("PathPrefix").value_or("/"))) {
    const Entity& entity = record->entity;
    const std::string key =
        fmt::format("{}/{}", listed.list, FoldedName(entity.name));
    if (shown && Has(*record, PolicyArn(call), usage) && page.Takes(key)) {
      writer.BeginObject()
          .Text(kind.name, entity.name)
          .Text(kind.id, entity.id)
          .EndObject();
    }
  }
  writer.EndArray();
}

}  // namespace

Answer AttachPolicy(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity entity, GetSubject(call, transaction));
    RETURN_IF_ERROR(
        CheckPolicyExists(transaction, entity.account, PolicyArn(call)));
    store::Identities& identities = transaction.identities();
    RETURN_IF_ERROR(identities.Attach(entity.id, PolicyArn(call)));
    ASSIGN_OR_RETURN(const auto attached, identities.GetAttachments(entity.id));
    if (attached.size() > kMostAttached) {
      return Error{ErrorCode::kLimitExceeded,
                   fmt::format("Cannot exceed quota for PoliciesPer{}: {}",
                               KindOf(entity.kind).word, kMostAttached)};
    }
    return {};
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer DetachPolicy(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity entity, GetSubject(call, transaction));
    base::Status detached =
        transaction.identities().Detach(entity.id, PolicyArn(call));
    if (!detached && detached.error().code == ErrorCode::kNotFound) {
      return Error{ErrorCode::kNotFound,
                   fmt::format("Policy {} was not found.", PolicyArn(call))};
    }
    return detached;
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer ListAttachedPolicies(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const Record* const record,
                      FindSubject(call, *directory));
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  const std::string_view prefix = call.Text("PathPrefix").value_or("/");
  std::map<std::string, const Record*> policies;
  for (const std::string& arn : record->attached) {
    const Record* const policy =
        FindPolicy(*directory, record->entity.account, arn);
    if (policy != nullptr && policy->entity.path.starts_with(prefix)) {
      policies.emplace(PolicyKey(*policy), policy);
    }
  }
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("AttachedPolicies");
  for (const auto& [key, policy] : policies) {
    if (page.Takes(key)) {
      writer.BeginObject()
          .Text("PolicyName", policy->entity.name)
          .Text("PolicyArn", policy->entity.Arn())
          .EndObject();
    }
  }
  writer.EndArray();
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

Answer ListEntitiesForPolicy(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_RETURN_IF_ERROR(FindPolicySubject(call, *directory));
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  for (const Listed& listed : kListed) {
    WriteHolders(call, *directory, listed, page, writer);
  }
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations::iam
