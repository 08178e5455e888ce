// SPDX-License-Identifier: Apache-2.0
// Users, groups, roles and managed policies: made, shown and deleted.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "kms/operations/iam/answer.h"
#include "kms/operations/iam/documents.h"
#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/managed_policy.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/iam/tags.h"
#include "kms/operations/identities.h"
#include "kms/operations/tags.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;
using identity::Directory;
using identity::Record;

// What a call will make.
struct Making {
  Entity entity;
  std::vector<Tag> tags;
  Document version;  // Of a policy: its first.
};

base::Result<Making> ReadMaking(const Call& call, const Directory& directory) {
  const Subject subject = SubjectOf(call);
  Making making;
  Entity& entity = making.entity;
  entity.kind = subject.kind.kind;
  entity.id = NewEntityId(entity.kind);
  entity.account = call.request.caller.account;
  entity.name = subject.name;
  entity.path = call.Text("Path").value_or(entity.path);
  entity.created = call.now;
  entity.description = call.Text("Description").value_or("");
  entity.boundary = call.Text("PermissionsBoundary").value_or("");
  making.tags = ReadTags(call);
  if (const auto trust = call.Text("AssumeRolePolicyDocument")) {
    ASSIGN_OR_RETURN(entity.trusted, CheckTrustPolicy(*trust, directory));
    entity.trust_policy = *trust;
  }
  entity.max_session = static_cast<int>(
      call.Number("MaxSessionDuration").value_or(entity.max_session));
  if (const auto document = call.Text("PolicyDocument")) {
    RETURN_IF_ERROR(CheckManagedPolicy(*document));
    entity.default_version = kFirstVersion;
    making.version = {entity.default_version, std::string(*document), call.now};
  }
  return making;
}

Error AlreadyExists(const Entity& entity) {
  if (entity.kind == EntityKind::kPolicy) {
    return {ErrorCode::kAlreadyExists,
            fmt::format("A policy called {} already exists. Duplicate names "
                        "are not allowed.",
                        entity.name)};
  }
  return {ErrorCode::kAlreadyExists,
          fmt::format("{} with name {} already exists.",
                      KindOf(entity.kind).word, entity.name)};
}

base::Status Insert(store::Transaction& transaction, const Making& making) {
  const Entity& entity = making.entity;
  store::Identities& identities = transaction.identities();
  RETURN_IF_ERROR(CheckBoundary(transaction, entity.account, entity.boundary));
  const base::Status inserted = identities.InsertEntity(entity);
  if (!inserted && inserted.error().code == ErrorCode::kAlreadyExists) {
    return AlreadyExists(entity);
  }
  RETURN_IF_ERROR(inserted);
  if (!making.version.name.empty()) {
    RETURN_IF_ERROR(identities.PutDocument(entity.id, making.version));
  }
  return PutTags(identities, entity.id, making.tags);
}

Reply Shown(const Record& record) {
  const Entity& entity = record.entity;
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginObject(KindOf(entity.kind).word);
  if (entity.kind == EntityKind::kPolicy) {
    WritePolicy(record, {}, Detail::kFull, writer);
  } else {
    WriteEntity(entity, record.tags, Detail::kFull, writer);
  }
  writer.EndObject().EndObject();
  return reply;
}

Answer ListEntities(Call& call, EntityKind kind) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  WriteByName(directory->List(call.request.caller.account, kind,
                              call.Text("PathPrefix").value_or("/")),
              KindOf(kind).plural, page, writer);
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

// Fails with kConflict if there are some.
template <typename List>
base::Status Refuse(const base::Result<List>& found, std::string_view what) {
  RETURN_IF_ERROR(found);
  if (!found->empty()) {
    return Error{ErrorCode::kConflict,
                 fmt::format("Cannot delete entity, must {} first.", what)};
  }
  return {};
}

base::Status CheckDeletable(store::Identities& identities,
                            const std::string& id) {
  RETURN_IF_ERROR(Refuse(identities.GetAttachments(id), "detach all policies"));
  RETURN_IF_ERROR(Refuse(identities.GetDocuments(id), "delete policies"));
  RETURN_IF_ERROR(
      Refuse(identities.GetGroupIds(id), "remove users from group"));
  RETURN_IF_ERROR(
      Refuse(identities.GetMemberIds(id), "remove users from group"));
  return Refuse(identities.GetAccessKeys(id), "delete access keys");
}

}  // namespace

Answer CreateEntity(Call& call) {
  const auto before = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(Making making, ReadMaking(call, *before));
  call.made = {KindOf(making.entity.kind).made, making.entity.id};
  auto change = [&making](store::Transaction& transaction) {
    return Insert(transaction, making);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  Record record;
  record.entity = std::move(making.entity);
  record.tags = std::move(making.tags);
  record.documents.push_back(std::move(making.version));
  co_return Shown(record);
}

Answer GetEntity(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const Record* const record,
                      FindSubject(call, *directory));
  co_return Shown(*record);
}

Answer GetGroup(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const Record* const group, FindSubject(call, *directory));
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginObject("Group");
  WriteEntity(group->entity, group->tags, Detail::kFull, writer);
  writer.EndObject();
  WriteByName(FindAll(*directory, group->members),
              KindOf(EntityKind::kUser).plural, page, writer);
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

Answer ListUsers(Call& call) { return ListEntities(call, EntityKind::kUser); }
Answer ListGroups(Call& call) { return ListEntities(call, EntityKind::kGroup); }
Answer ListRoles(Call& call) { return ListEntities(call, EntityKind::kRole); }

Answer DeleteEntity(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity entity, GetSubject(call, transaction));
    store::Identities& identities = transaction.identities();
    RETURN_IF_ERROR(CheckDeletable(identities, entity.id));
    return identities.DeleteEntity(entity.id);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

}  // namespace kms::operations::iam
