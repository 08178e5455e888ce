// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/iam/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kms/identity/aws_policies.h"
#include "kms/operations/iam/handlers.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;
using identity::Directory;
using identity::Record;

// In the order of EntityKind.
constexpr std::array kKinds = {
    Kind{EntityKind::kUser, "User", "UserName", "UserId", "userId", "Users",
         "iam:TagUser", 2048},
    Kind{EntityKind::kGroup, "Group", "GroupName", "GroupId", "groupId",
         "Groups", "", 5120},
    Kind{EntityKind::kRole, "Role", "RoleName", "RoleId", "roleId", "Roles",
         "iam:TagRole", 10240},
    Kind{EntityKind::kPolicy, "Policy", "PolicyName", "PolicyId", "policyId",
         "Policies", "iam:TagPolicy", 0},
};
static_assert(std::ranges::is_sorted(kKinds, {}, &Kind::kind));

constexpr std::string_view kPolicyArn = "PolicyArn";

// Where a request that names it says so.
struct Naming {
  const Kind* kind = nullptr;
  std::string_view member = {};
};

Naming NamingOf(const Operation& operation) {
  for (const Member& member : operation.input) {
    if (member.name == kPolicyArn) {
      return {&KindOf(EntityKind::kPolicy), kPolicyArn};
    }
    const auto* const kind =
        std::ranges::find(kKinds, member.name, &Kind::name);
    if (kind != kKinds.end()) {
      return {kind, member.name};
    }
  }
  return {kKinds.data(), kKinds.front().name};
}

bool IsArn(const Subject& subject) {
  return subject.kind.kind == EntityKind::kPolicy;
}

std::string_view LastPart(std::string_view arn) {
  return arn.substr(arn.rfind('/') + 1);
}

Entity WouldBe(const std::string& account, const Subject& subject,
               std::string_view path) {
  Entity entity;
  entity.kind = subject.kind.kind;
  entity.account = account;
  entity.name = subject.name;
  entity.path = path;
  return entity;
}

void AddCheck(Call& call, std::string arn) {
  call.checks.push_back({.action = call.operation.action,
                         .resource = std::move(arn),
                         .account = call.request.caller.account,
                         .key = nullptr});
}

}  // namespace

const Kind& KindOf(EntityKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

Subject SubjectOf(const Call& call) {
  const Naming naming = NamingOf(call.operation);
  return {*naming.kind,
          call.Text(naming.member).value_or(call.request.caller.user_name)};
}

base::Error NoSuch(const Subject& subject) {
  if (identity::FindAwsPolicy(subject.name) != nullptr) {
    return {
        ErrorCode::kAccessDenied,
        fmt::format("Policy {} is AWS's and cannot be changed.", subject.name)};
  }
  if (IsArn(subject)) {
    return {ErrorCode::kNotFound,
            fmt::format("Policy {} was not found.", subject.name)};
  }
  return {ErrorCode::kNotFound,
          fmt::format("The {} with name {} cannot be found.",
                      EntityKindName(subject.kind.kind), subject.name)};
}

const Record* Find(const Directory& directory, std::string_view account,
                   const Subject& subject) {
  if (!IsArn(subject)) {
    return directory.FindByName(account, subject.kind.kind, subject.name);
  }
  const Record* const record = directory.FindByArn(subject.name);
  const bool there = record != nullptr &&
                     record->entity.kind == EntityKind::kPolicy &&
                     record->entity.account == account;
  return there ? record : nullptr;
}

base::Result<Entity> Get(store::Transaction& transaction,
                         std::string_view account, const Subject& subject) {
  const std::string_view name =
      IsArn(subject) ? LastPart(subject.name) : subject.name;
  auto entity =
      transaction.identities().GetEntity(account, subject.kind.kind, name);
  const bool other = entity && IsArn(subject) && entity->Arn() != subject.name;
  const bool none = !entity && entity.error().code == ErrorCode::kNotFound;
  return other || none ? NoSuch(subject) : std::move(entity);
}

base::Result<const Record*> FindSubject(const Call& call,
                                        const Directory& directory) {
  const Subject subject = SubjectOf(call);
  const Record* const record = directory.FindById(call.subject_id);
  if (record == nullptr) {
    return NoSuch(subject);
  }
  return record;
}

base::Result<Entity> GetSubject(const Call& call,
                                store::Transaction& transaction) {
  const Subject subject = SubjectOf(call);
  ASSIGN_OR_RETURN(Entity entity,
                   Get(transaction, call.request.caller.account, subject));
  if (entity.id != call.subject_id) {
    return NoSuch(subject);
  }
  return entity;
}

base::Status ValidateUserName(const Call& call) {
  if (!call.Text("UserName") && call.request.caller.user_name.empty()) {
    return Error{ErrorCode::kValidation,
                 "Must specify userName when calling with non-User "
                 "credentials"};
  }
  return {};
}

base::Status ResolveSubject(Call& call) {
  const Subject subject = SubjectOf(call);
  const auto directory = call.environment.directory.current();
  const std::string& account = call.request.caller.account;
  const std::string named = IsArn(subject)
                                ? std::string(subject.name)
                                : WouldBe(account, subject, "/").Arn();
  if (const Record* const record = Find(*directory, account, subject)) {
    call.subject_id = record->entity.id;
    AddCheck(call, record->entity.Arn());
  } else {
    AddCheck(call, named);
  }
  call.checks.back().shown = named;
  return {};
}

base::Status ResolveNew(Call& call) {
  const std::string_view path = call.Text("Path").value_or("/");
  const Subject subject = SubjectOf(call);
  AddCheck(call, WouldBe(call.request.caller.account, subject, path).Arn());
  if (call.Find("Tags") != nullptr) {
    Check tags = call.checks.back();
    tags.action = subject.kind.tag_action;
    call.checks.push_back(std::move(tags));
  }
  return {};
}

}  // namespace kms::operations::iam
