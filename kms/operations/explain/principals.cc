// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/explain/principals.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kms/identity/principals.h"
#include "kms/operations/explain/json_members.h"
#include "policy/text.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

Error NoSuchPrincipal(std::string_view arn) {
  return {ErrorCode::kNotFound,
          fmt::format("There is no principal {} here: give the ARN of a user, "
                      "a role, a session of a role, or an account's root, or "
                      "the name of a service.",
                      arn)};
}

CallerPtr Root(std::string_view arn, std::string_view account) {
  auto root = std::make_shared<Caller>();
  root->kind = CallerKind::kRoot;
  root->account = account;
  root->arn = arn;
  root->principal_id = account;
  return root;
}

base::Result<CallerPtr> SessionOf(const identity::Directory& directory,
                                  const Entity& role, std::string_view name,
                                  base::WallTime time) {
  identity::Session session;
  session.account = role.account;
  session.principal_id = role.id;
  session.name = name;
  session.issued = time;
  return directory.SessionCaller(session);
}

// Users whose credentials are not in the store.
CallerPtr FindOther(const identity::DirectorySource& source,
                    std::string_view arn) {
  const auto& others = source.others();
  const auto found = std::ranges::find_if(
      others,
      [arn](const identity::AccessKey& key) { return key.caller->arn == arn; });
  return found == others.end() ? nullptr : found->caller;
}

// The caller of a record whose user or role is gone: known by name, and without
// policies.
CallerPtr Stranger(const base::Json& identity) {
  auto caller = std::make_shared<Caller>();
  const std::string_view type = TextOfMember(identity, "type");
  caller->kind =
      type == "AssumedRole" ? CallerKind::kAssumedRole : CallerKind::kUser;
  caller->account = TextOfMember(identity, "accountId");
  caller->arn = TextOfMember(identity, "arn");
  caller->principal_id = TextOfMember(identity, "principalId");
  caller->user_name = TextOfMember(identity, "userName");
  const base::Json& issuer =
      MemberOf(MemberOf(identity, "sessionContext"), "sessionIssuer");
  caller->role_arn = TextOfMember(issuer, "arn");
  caller->role_name = TextOfMember(issuer, "userName");
  return caller;
}

// Through the Unix socket the operator comes as the administrator, whatever
// users there are.
bool IsOperator(const base::Json& event, const Caller& administrator) {
  const base::Json& identity = MemberOf(event, "userIdentity");
  return TextOfMember(MemberOf(event, "additionalEventData"), "door") ==
             DoorName(Door::kUnix) &&
         TextOfMember(identity, "accessKeyId").empty() &&
         TextOfMember(identity, "arn") == administrator.arn;
}

RecordedCaller Anonymous(const base::Json& identity) {
  auto nobody = std::make_shared<Caller>();
  nobody->kind = CallerKind::kAnonymous;
  WebCaller web;
  web.provider_arn = TextOfMember(identity, "identityProvider");
  web.account = AccountOfArn(web.provider_arn);
  return {.caller = std::move(nobody), .web = std::move(web)};
}

// What is not as the record says, though there is a principal of that name.
std::string Difference(const base::Json& event, const Caller& caller) {
  const base::Json& identity = MemberOf(event, "userIdentity");
  if (TextOfMember(identity, "principalId") != caller.principal_id) {
    return fmt::format(
        "{} was deleted and made again since: this is about the present one.",
        caller.arn);
  }
  const base::Json& policies =
      MemberOf(MemberOf(event, "additionalEventData"), "sessionPolicies");
  return policies.is_number()
             ? "The session had policies of its own, which the record does not "
               "hold: this is as if it had none."
             : "";
}

}  // namespace

std::string AccountOfArn(std::string_view arn) {
  const auto parts = policy::SplitArn(arn);
  return parts ? std::string(parts->at(4)) : std::string();
}

base::Result<CallerPtr> FindCaller(const Environment& environment,
                                   std::string_view arn,
                                   std::string_view account,
                                   base::WallTime time) {
  const auto parts = policy::SplitArn(arn);
  if (!parts) {
    if (!arn.ends_with(".amazonaws.com")) {
      return NoSuchPrincipal(arn);
    }
    return std::make_shared<const Caller>(identity::Service(account, arn));
  }
  const auto directory = environment.directory.current();
  const std::string_view owner = parts->at(4);
  std::string_view name = parts->at(5);
  if (name == "root" && directory->HasAccount(owner)) {
    return Root(arn, owner);
  }
  constexpr std::string_view kSession = "assumed-role/";
  if (parts->at(2) == "sts" && name.starts_with(kSession)) {
    name.remove_prefix(kSession.size());
    const std::size_t slash = name.find('/');
    const identity::Record* const role =
        directory->FindByName(owner, EntityKind::kRole, name.substr(0, slash));
    if (role == nullptr || slash == name.npos ||
        role->entity.name != name.substr(0, slash)) {
      return NoSuchPrincipal(arn);
    }
    return SessionOf(*directory, role->entity, name.substr(slash + 1), time);
  }
  const identity::Record* const record = directory->FindByArn(arn);
  if (record != nullptr && record->entity.kind == EntityKind::kRole) {
    return SessionOf(*directory, record->entity, kAnySession, time);
  }
  if (record != nullptr && record->entity.kind == EntityKind::kUser) {
    return directory->UserCaller(owner, record->entity.name);
  }
  if (CallerPtr other = FindOther(environment.directory, arn)) {
    return other;
  }
  return NoSuchPrincipal(arn);
}

RecordedCaller CallerOfEvent(const Environment& environment,
                             const base::Json& event, base::WallTime time) {
  const base::Json& identity = MemberOf(event, "userIdentity");
  const std::string account(TextOfMember(identity, "accountId"));
  const std::string service(TextOfMember(identity, "invokedBy"));
  if (!service.empty()) {
    return {.caller = std::make_shared<const Caller>(
                identity::Service(account, service)),
            .web = {}};
  }
  if (TextOfMember(identity, "type") == "WebIdentityUser") {
    return Anonymous(identity);
  }
  Caller administrator = identity::Administrator(account);
  if (IsOperator(event, administrator)) {
    administrator.administrator = true;
    return {.caller = std::make_shared<const Caller>(std::move(administrator)),
            .web = {}};
  }
  const std::string_view arn = TextOfMember(identity, "arn");
  auto found = FindCaller(environment, arn, account, time);
  if (!found) {
    return {.caller = Stranger(identity),
            .web = {},
            .note = fmt::format("{} is gone: this is as if it were there, and "
                                "had no policies.",
                                arn)};
  }
  std::string note = Difference(event, **found);
  return {.caller = *std::move(found), .web = {}, .note = std::move(note)};
}

}  // namespace kms::operations
