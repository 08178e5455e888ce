// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "base/sigv4.h"
#include "kms/identity/aws_policies.h"
#include "policy/policy.h"

namespace kms::identity {
namespace {

using base::Error;
using base::ErrorCode;

std::string NameKey(std::string_view account, EntityKind kind,
                    std::string_view name) {
  return fmt::format("{}/{}/{}", account, EntityKindName(kind),
                     FoldedName(name));
}

// The parts of "arn:aws:iam::ACCOUNT:user/path/name" after "arn:aws:".
struct ArnView {
  std::string_view service;
  std::string_view account;
  std::string_view kind;  // "user", "root", "assumed-role".
  std::string_view rest;  // What follows the kind's slash.
};

std::optional<ArnView> SplitArn(std::string_view arn) {
  constexpr std::string_view kPrefix = "arn:aws:";
  if (!arn.starts_with(kPrefix)) {
    return std::nullopt;
  }
  arn.remove_prefix(kPrefix.size());
  ArnView view;
  view.service = base::CutAt(arn, ':');
  if (!arn.starts_with(':')) {  // These have no Region.
    return std::nullopt;
  }
  arn.remove_prefix(1);
  view.account = base::CutAt(arn, ':');
  view.kind = base::CutAt(arn, '/');
  view.rest = arn;
  return view;
}

std::string_view LastPart(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool IsAccountId(std::string_view text) {
  return text.size() == 12 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsUniqueId(std::string_view text) {
  return text.starts_with("AIDA") || text.starts_with("AROA");
}

policy::PolicyKind KindOfDocument(EntityKind kind) {
  return kind == EntityKind::kRole ? policy::PolicyKind::kTrust
                                   : policy::PolicyKind::kIdentity;
}

PolicyPtr Unreadable() {
  return std::make_shared<const policy::Policy>(policy::Policy::Unreadable());
}

// Session tags count before the role's own; keys do not depend on case.
void MergeTags(const std::vector<Tag>& own, Caller& caller) {
  for (const Tag& tag : own) {
    const bool taken =
        std::ranges::any_of(caller.tags, [&tag](const auto& session_tag) {
          return FoldedName(session_tag.first) == FoldedName(tag.key);
        });
    if (!taken) {
      caller.tags.emplace_back(tag.key, tag.value);
    }
  }
}

}  // namespace

const Document* Record::FindDocument(std::string_view name) const {
  const auto found = std::ranges::find(documents, name, &Document::name);
  return found == documents.end() ? nullptr : &*found;
}

const Document* Record::DefaultVersion() const {
  return FindDocument(entity.default_version);
}

Directory::Directory(store::IdentityRows rows, Secrets secrets,
                     const std::vector<AccessKey>& others)
    : revision_(rows.revision),
      accounts_(std::move(rows.accounts)),
      secrets_(std::move(secrets)),
      credentials_({}) {
  Fill(rows);
  Compile();
  std::vector<AccessKey> keys = others;
  for (const auto& [id, record] : records_) {
    if (record.access_keys.empty()) {
      continue;
    }
    Caller caller = CallerOf(record);
    for (const AccessKeyFacts& key : record.access_keys) {
      caller.access_key_id = key.id;
      if (SecretPtr secret = FindSecret(key.id)) {
        keys.push_back({key.id, std::move(secret),
                        std::make_shared<const Caller>(caller), key.active});
      }
    }
  }
  credentials_ = Credentials(std::move(keys));
}

// Rows of an entity that is not there (it went between two reads) are passed
// over: a directory of that revision follows.
void Directory::Fill(store::IdentityRows& rows) {
  for (Entity& entity : rows.entities) {
    std::string id = entity.id;
    Record record;
    record.entity = std::move(entity);
    const auto added = records_.try_emplace(std::move(id), std::move(record));
    const Entity& kept = added.first->second.entity;
    by_name_.emplace(NameKey(kept.account, kept.kind, kept.name),
                     &added.first->second);
  }
  for (EntityDocument& row : rows.documents) {
    if (Record* const record = Find(row.entity_id)) {
      record->documents.push_back(std::move(row.document));
    }
  }
  for (Attachment& row : rows.attachments) {
    if (Record* const record = Find(row.entity_id)) {
      record->attached.push_back(std::move(row.policy_arn));
    }
  }
  for (const Membership& row : rows.memberships) {
    Record* const group = Find(row.group_id);
    Record* const user = Find(row.user_id);
    if (group != nullptr && user != nullptr) {
      group->members.push_back(row.user_id);
      user->groups.push_back(row.group_id);
    }
  }
  for (EntityTag& row : rows.tags) {
    if (Record* const record = Find(row.entity_id)) {
      record->tags.push_back(std::move(row.tag));
    }
  }
  for (const store::AccessKey& row : rows.access_keys) {
    if (Record* const record = Find(row.user_id)) {
      record->access_keys.push_back({row.id, row.active, row.created});
    }
  }
}

void Directory::Compile() {
  for (const auto& [id, record] : records_) {
    const Document* const version = record.DefaultVersion();
    if (record.entity.kind == EntityKind::kPolicy && version != nullptr) {
      managed_.emplace(
          record.entity.Arn(),
          CompileStored(policy::PolicyKind::kIdentity, version->text));
    }
  }
  for (auto& [id, record] : records_) {
    const EntityKind kind = record.entity.kind;
    if (kind == EntityKind::kUser || kind == EntityKind::kRole) {
      CompilePolicies(record);
    }
    if (kind == EntityKind::kRole) {
      record.trust =
          CompileStored(KindOfDocument(kind), record.entity.trust_policy,
                        record.entity.trusted);
    }
  }
}

void Directory::CompilePolicies(Record& record) const {
  auto policies = std::make_shared<CallerPolicies>();
  AddPolicies(record, policies->identity);
  for (const std::string& id : record.groups) {
    if (const Record* const group = FindById(id)) {
      AddPolicies(*group, policies->identity);
    }
  }
  if (!record.entity.boundary.empty()) {
    policies->boundary.Add(
        ManagedOrUnreadable(record.entity.account, record.entity.boundary));
  }
  record.policies = std::move(policies);
}

void Directory::AddPolicies(const Record& record, PolicyList& list) const {
  for (const Document& document : record.documents) {
    list.Add(CompileStored(policy::PolicyKind::kIdentity, document.text));
  }
  for (const std::string& arn : record.attached) {
    list.Add(ManagedOrUnreadable(record.entity.account, arn));
  }
}

PolicyPtr Directory::ManagedOrUnreadable(const std::string& account,
                                         std::string_view arn) const {
  const ManagedPolicy managed = FindManagedPolicy(account, arn);
  return managed ? managed.compiled : Unreadable();
}

bool Directory::HasAccount(std::string_view id) const {
  return std::ranges::find(accounts_, id, &Account::id) != accounts_.end();
}

Record* Directory::Find(std::string_view id) {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second;
}

const Record* Directory::FindById(std::string_view id) const {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second;
}

const Record* Directory::FindByName(std::string_view account, EntityKind kind,
                                    std::string_view name) const {
  const auto found = by_name_.find(NameKey(account, kind, name));
  return found == by_name_.end() ? nullptr : found->second;
}

const Record* Directory::FindByArn(std::string_view arn) const {
  const std::optional<ArnView> view = SplitArn(arn);
  const auto kind =
      view ? ParseEntityKind(view->kind) : std::optional<EntityKind>();
  if (!kind || view->service != "iam") {
    return nullptr;
  }
  const Record* const record =
      FindByName(view->account, *kind, LastPart(view->rest));
  return record != nullptr && record->entity.Arn() == arn ? record : nullptr;
}

std::vector<const Record*> Directory::List(std::string_view account,
                                           EntityKind kind,
                                           std::string_view path_prefix) const {
  const std::string prefix = NameKey(account, kind, "");
  std::vector<const Record*> found;
  for (auto at = by_name_.lower_bound(prefix);
       at != by_name_.end() && at->first.starts_with(prefix); ++at) {
    if (at->second->entity.path.starts_with(path_prefix)) {
      found.push_back(at->second);
    }
  }
  return found;
}

Directory::ManagedPolicy Directory::FindManagedPolicy(
    std::string_view account, std::string_view arn) const {
  if (const AwsPolicy* const aws = FindAwsPolicy(arn)) {
    return {std::string(aws->name), aws->document, CompiledAwsPolicy(*aws)};
  }
  const Record* const record = FindByArn(arn);
  const auto compiled = managed_.find(arn);
  if (record == nullptr || record->entity.account != account ||
      compiled == managed_.end()) {
    return {};
  }
  return {record->entity.name, record->DefaultVersion()->text,
          compiled->second};
}

base::Result<std::string> Directory::PrincipalIdOf(std::string_view arn) const {
  const Error unknown = {ErrorCode::kNotFound,
                         fmt::format("There is no {} here.", arn)};
  if (IsAccountId(arn)) {
    return HasAccount(arn) ? base::Result<std::string>(std::string()) : unknown;
  }
  if (IsUniqueId(arn)) {
    return FindById(arn) != nullptr
               ? base::Result<std::string>(std::string(arn))
               : unknown;
  }
  const std::optional<ArnView> view = SplitArn(arn);
  if (!view || !HasAccount(view->account)) {
    return unknown;
  }
  // A federated user is named by whoever asks for its token.
  if (view->kind == "root" || view->kind == "federated-user") {
    return std::string();
  }
  const Record* record = FindByArn(arn);
  if (view->kind == "assumed-role") {
    std::string_view session = view->rest;
    record =
        FindByName(view->account, EntityKind::kRole, base::CutAt(session, '/'));
  }
  const bool principal =
      record != nullptr && (record->entity.kind == EntityKind::kUser ||
                            record->entity.kind == EntityKind::kRole);
  return principal ? base::Result<std::string>(record->entity.id) : unknown;
}

SecretPtr Directory::FindSecret(std::string_view access_key_id) const {
  const auto found = secrets_.find(access_key_id);
  return found == secrets_.end() ? nullptr : found->second;
}

Caller Directory::CallerOf(const Record& user) const {
  Caller caller;
  caller.kind = CallerKind::kUser;
  caller.account = user.entity.account;
  caller.arn = user.entity.Arn();
  caller.principal_id = user.entity.id;
  caller.user_name = user.entity.name;
  caller.policies = user.policies;
  MergeTags(user.tags, caller);
  return caller;
}

std::shared_ptr<const Caller> Directory::UserCaller(
    std::string_view account, std::string_view name) const {
  const Record* const user = FindByName(account, EntityKind::kUser, name);
  return user == nullptr ? nullptr
                         : std::make_shared<const Caller>(CallerOf(*user));
}

Caller Directory::RoleCallerOf(
    const Record& role, std::string_view session_name,
    std::vector<std::pair<std::string, std::string>> session_tags) const {
  const Entity& entity = role.entity;
  Caller caller;
  caller.kind = CallerKind::kAssumedRole;
  caller.account = entity.account;
  caller.arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", entity.account,
                           entity.name, session_name);
  caller.principal_id = fmt::format("{}:{}", entity.id, session_name);
  caller.role_arn = entity.Arn();
  caller.role_name = entity.name;
  caller.policies = role.policies;
  caller.tags = std::move(session_tags);
  MergeTags(role.tags, caller);
  return caller;
}

std::shared_ptr<const Caller> Directory::PrincipalCaller(
    std::string_view arn, std::string_view session_name,
    base::WallTime now) const {
  const Record* const record = FindByArn(arn);
  if (record == nullptr) {
    return nullptr;
  }
  if (record->entity.kind == EntityKind::kUser) {
    return std::make_shared<const Caller>(CallerOf(*record));
  }
  if (record->entity.kind != EntityKind::kRole) {
    return nullptr;
  }
  Caller caller = RoleCallerOf(*record, session_name, {});
  auto facts = std::make_shared<SessionFacts>();
  facts->issued = std::chrono::floor<std::chrono::seconds>(now);
  facts->expires = base::WallTime::max();
  caller.session = std::move(facts);
  return std::make_shared<const Caller>(std::move(caller));
}

base::Result<std::shared_ptr<const Caller>> Directory::SessionCaller(
    const Session& session) const {
  const Record* const record = FindById(session.principal_id);
  if (record == nullptr || record->entity.account != session.account) {
    return Error{ErrorCode::kUnrecognizedClient,
                 "The security token included in the request is invalid."};
  }
  const Entity& entity = record->entity;
  Caller caller = entity.kind == EntityKind::kUser
                      ? CallerOf(*record)
                      : RoleCallerOf(*record, session.name, session.tags);
  caller.access_key_id = session.access_key_id;
  auto facts = std::make_shared<SessionFacts>();
  facts->issued = session.issued;
  facts->expires = session.expires;
  facts->source_identity = session.source_identity;
  facts->federated_provider = session.provider;
  facts->transitive_tags = session.transitive_tags;
  if (!session.policy.empty()) {
    facts->policies.Add(
        CompileStored(policy::PolicyKind::kSession, session.policy));
  }
  for (const std::string& arn : session.policy_arns) {
    facts->policies.Add(ManagedOrUnreadable(entity.account, arn));
  }
  caller.session = std::move(facts);
  return std::make_shared<const Caller>(std::move(caller));
}

DirectorySource::DirectorySource(std::shared_ptr<const Directory> initial,
                                 std::vector<AccessKey> others)
    : Current(std::move(initial)), others_(std::move(others)) {}

}  // namespace kms::identity
