// SPDX-License-Identifier: Apache-2.0
// Who is in which group.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kms/operations/iam/answer.h"
#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/identities.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostGroups = 10;

// The user that the call names beside its group.
base::Result<Entity> GetUser(const Call& call,
                             store::Transaction& transaction) {
  return Get(transaction, call.request.caller.account,
             {KindOf(EntityKind::kUser), *call.Text("UserName")});
}

}  // namespace

Answer AddUserToGroup(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity group, GetSubject(call, transaction));
    ASSIGN_OR_RETURN(const Entity user, GetUser(call, transaction));
    store::Identities& identities = transaction.identities();
    RETURN_IF_ERROR(identities.AddMember(group.id, user.id));
    ASSIGN_OR_RETURN(const auto groups, identities.GetGroupIds(user.id));
    if (groups.size() > kMostGroups) {
      return Error{ErrorCode::kLimitExceeded,
                   fmt::format("Cannot exceed quota for GroupsPerUser: {}",
                               kMostGroups)};
    }
    return {};
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer RemoveUserFromGroup(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity group, GetSubject(call, transaction));
    ASSIGN_OR_RETURN(const Entity user, GetUser(call, transaction));
    base::Status removed =
        transaction.identities().RemoveMember(group.id, user.id);
    if (!removed && removed.error().code == ErrorCode::kNotFound) {
      return Error{ErrorCode::kNotFound,
                   fmt::format("User {} is not a member of group {}.",
                               user.name, group.name)};
    }
    return removed;
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer ListGroupsForUser(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const identity::Record* const user,
                      FindSubject(call, *directory));
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  WriteByName(*directory, FindAll(*directory, user->groups),
              KindOf(EntityKind::kGroup).plural, page, writer);
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations::iam
