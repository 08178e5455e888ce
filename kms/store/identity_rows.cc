// SPDX-License-Identifier: Apache-2.0
#include "kms/store/identity_rows.h"

#include <optional>
#include <utility>

#include "kms/grant.h"
#include "kms/store/reads.h"
#include "kms/store/rows.h"

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kEntityColumns =
    "SELECT id, account, kind, name, path, created, description, trust_policy, "
    "trusted, max_session, boundary, default_version FROM iam_entities ";
constexpr std::string_view kAccessKeyColumns =
    "SELECT id, account, user_name, user_id, active, secret_nonce, "
    "secret_ciphertext, created FROM access_keys ";

std::string TakeText(Columns& columns) { return columns.Text(); }

Account TakeAccount(Columns& columns) {
  return {columns.Text(), columns.Time()};
}

Entity TakeEntity(Columns& columns) {
  Entity entity;
  entity.id = columns.Text();
  entity.account = columns.Text();
  entity.kind = columns.Word(ParseEntityKind);
  entity.name = columns.Text();
  entity.path = columns.Text();
  entity.created = columns.Time();
  entity.description = columns.Text();
  entity.trust_policy = columns.Text();
  entity.trusted = TakePrincipals(columns);
  entity.max_session = static_cast<int>(columns.Integer());
  entity.boundary = columns.Text();
  entity.default_version = columns.Text();
  return entity;
}

Document TakeDocument(Columns& columns) {
  return {columns.Text(), columns.Text(), columns.Time()};
}

Tag TakeTag(Columns& columns) { return {columns.Text(), columns.Text()}; }

EntityDocument TakeEntityDocument(Columns& columns) {
  return {columns.Text(), TakeDocument(columns)};
}

Attachment TakeAttachment(Columns& columns) {
  return {columns.Text(), columns.Text()};
}

Membership TakeMembership(Columns& columns) {
  return {columns.Text(), columns.Text()};
}

EntityTag TakeEntityTag(Columns& columns) {
  return {columns.Text(), TakeTag(columns)};
}

AccessKey TakeAccessKey(Columns& columns) {
  AccessKey key;
  key.id = columns.Text();
  key.account = columns.Text();
  key.user_name = columns.Text();
  key.user_id = columns.Text();
  key.active = columns.Flag();
  key.sealed_secret.nonce = columns.Fixed<24>();
  key.sealed_secret.ciphertext = columns.Blob();
  key.created = columns.Time();
  return key;
}

std::optional<PolicyPrincipals> ParsePrincipals(std::string_view text) {
  return text.empty() ? PolicyPrincipals() : ParseContextPairs(text);
}

}  // namespace

PolicyPrincipals TakePrincipals(Columns& columns) {
  return columns.Word(ParsePrincipals);
}

Value PrincipalsOf(const PolicyPrincipals& principals) {
  return ToValue(principals.empty() ? std::string()
                                    : ContextPairsText(principals));
}

base::Result<IdentityRows> ReadIdentityRows(Connection& connection) {
  IdentityRows rows;
  ASSIGN_OR_RETURN(const StoreInfo info, ReadStoreInfo(connection));
  rows.revision = info.revision;
  ASSIGN_OR_RETURN(
      rows.accounts,
      TakeAll(connection.Query("SELECT id, created FROM accounts ORDER BY id"),
              "accounts", TakeAccount));
  ASSIGN_OR_RETURN(
      rows.entities,
      TakeAll(connection.Query(std::string(kEntityColumns) +
                               "ORDER BY account, kind, folded_name"),
              "iam_entities", TakeEntity));
  ASSIGN_OR_RETURN(
      rows.documents,
      TakeAll(connection.Query("SELECT entity_id, name, document, created "
                               "FROM iam_documents ORDER BY entity_id, name"),
              "iam_documents", TakeEntityDocument));
  ASSIGN_OR_RETURN(
      rows.attachments,
      TakeAll(
          connection.Query("SELECT entity_id, policy_arn FROM iam_attachments "
                           "ORDER BY entity_id, policy_arn"),
          "iam_attachments", TakeAttachment));
  ASSIGN_OR_RETURN(
      rows.memberships,
      TakeAll(connection.Query("SELECT group_id, user_id FROM iam_memberships "
                               "ORDER BY group_id, user_id"),
              "iam_memberships", TakeMembership));
  ASSIGN_OR_RETURN(
      rows.tags,
      TakeAll(connection.Query("SELECT entity_id, tag_key, tag_value "
                               "FROM iam_tags ORDER BY entity_id, tag_key"),
              "iam_tags", TakeEntityTag));
  ASSIGN_OR_RETURN(rows.access_keys,
                   TakeAll(connection.Query(std::string(kAccessKeyColumns) +
                                            "ORDER BY created, id"),
                           "access_keys", TakeAccessKey));
  return rows;
}

base::Status SqlIdentities::InsertAccount(const Account& account) {
  RETURN_IF_ERROR(
      connection_.Run("INSERT INTO accounts (id, created) VALUES ($1, $2)",
                      {ToValue(account.id), ToValue(account.created)}));
  return {};
}

base::Result<Entity> SqlIdentities::GetEntity(std::string_view account,
                                              EntityKind kind,
                                              std::string_view name) {
  ASSIGN_OR_RETURN(
      std::vector<Entity> found,
      TakeAll(connection_.Query(
                  std::string(kEntityColumns) +
                      "WHERE account = $1 AND kind = $2 AND folded_name = $3",
                  {ToValue(account), ToValue(EntityKindName(kind)),
                   ToValue(FoldedName(name))}),
              "iam_entities", TakeEntity));
  if (found.empty()) {
    return Error{ErrorCode::kNotFound, "the store has no such entity"};
  }
  return std::move(found.front());
}

base::Status SqlIdentities::InsertEntity(const Entity& entity) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO iam_entities (id, account, kind, name, folded_name, path, "
      "created, description, trust_policy, trusted, max_session, boundary, "
      "default_version) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
      {ToValue(entity.id), ToValue(entity.account),
       ToValue(EntityKindName(entity.kind)), ToValue(entity.name),
       ToValue(FoldedName(entity.name)), ToValue(entity.path),
       ToValue(entity.created), ToValue(entity.description),
       ToValue(entity.trust_policy), PrincipalsOf(entity.trusted),
       std::int64_t{entity.max_session}, ToValue(entity.boundary),
       ToValue(entity.default_version)}));
  return {};
}

base::Status SqlIdentities::UpdateEntity(const Entity& entity) {
  return connection_.RunOnOne(
      "UPDATE iam_entities SET description = $2, trust_policy = $3, "
      "trusted = $4, max_session = $5, boundary = $6, default_version = $7 "
      "WHERE id = $1",
      {ToValue(entity.id), ToValue(entity.description),
       ToValue(entity.trust_policy), PrincipalsOf(entity.trusted),
       std::int64_t{entity.max_session}, ToValue(entity.boundary),
       ToValue(entity.default_version)},
      "the store has no such entity");
}

base::Status SqlIdentities::DeleteEntity(std::string_view id) {
  RETURN_IF_ERROR(connection_.Run("DELETE FROM iam_tags WHERE entity_id = $1",
                                  {ToValue(id)}));
  return connection_.RunOnOne("DELETE FROM iam_entities WHERE id = $1",
                              {ToValue(id)}, "the store has no such entity");
}

base::Result<std::vector<Document>> SqlIdentities::GetDocuments(
    std::string_view entity_id) {
  return TakeAll(
      connection_.Query("SELECT name, document, created FROM iam_documents "
                        "WHERE entity_id = $1 ORDER BY name",
                        {ToValue(entity_id)}),
      "iam_documents", TakeDocument);
}

base::Status SqlIdentities::PutDocument(std::string_view entity_id,
                                        const Document& document) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO iam_documents (entity_id, name, document, created) "
      "VALUES ($1, $2, $3, $4) ON CONFLICT (entity_id, name) DO UPDATE SET "
      "document = excluded.document, created = excluded.created",
      {ToValue(entity_id), ToValue(document.name), ToValue(document.text),
       ToValue(document.created)}));
  return {};
}

base::Status SqlIdentities::DeleteDocument(std::string_view entity_id,
                                           std::string_view name) {
  return connection_.RunOnOne(
      "DELETE FROM iam_documents WHERE entity_id = $1 AND name = $2",
      {ToValue(entity_id), ToValue(name)},
      "the entity has no policy of this name");
}

base::Result<std::vector<std::string>> SqlIdentities::GetAttachments(
    std::string_view entity_id) {
  return TakeAll(connection_.Query("SELECT policy_arn FROM iam_attachments "
                                   "WHERE entity_id = $1 ORDER BY policy_arn",
                                   {ToValue(entity_id)}),
                 "iam_attachments", TakeText);
}

base::Status SqlIdentities::Attach(std::string_view entity_id,
                                   std::string_view policy_arn) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO iam_attachments (entity_id, policy_arn) VALUES ($1, $2) "
      "ON CONFLICT (entity_id, policy_arn) DO NOTHING",
      {ToValue(entity_id), ToValue(policy_arn)}));
  return {};
}

base::Status SqlIdentities::Detach(std::string_view entity_id,
                                   std::string_view policy_arn) {
  return connection_.RunOnOne(
      "DELETE FROM iam_attachments WHERE entity_id = $1 AND policy_arn = $2",
      {ToValue(entity_id), ToValue(policy_arn)},
      "the entity does not have this policy attached");
}

base::Result<bool> SqlIdentities::IsInUse(std::string_view policy_arn) {
  ASSIGN_OR_RETURN(
      const Rows rows,
      connection_.Query("SELECT entity_id FROM iam_attachments "
                        "WHERE policy_arn = $1 UNION ALL "
                        "SELECT id FROM iam_entities WHERE boundary = $1 "
                        "LIMIT 1",
                        {ToValue(policy_arn)}));
  return !rows.empty();
}

base::Status SqlIdentities::AddMember(std::string_view group_id,
                                      std::string_view user_id) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO iam_memberships (group_id, user_id) VALUES ($1, $2) "
      "ON CONFLICT (group_id, user_id) DO NOTHING",
      {ToValue(group_id), ToValue(user_id)}));
  return {};
}

base::Status SqlIdentities::RemoveMember(std::string_view group_id,
                                         std::string_view user_id) {
  return connection_.RunOnOne(
      "DELETE FROM iam_memberships WHERE group_id = $1 AND user_id = $2",
      {ToValue(group_id), ToValue(user_id)},
      "the user is not a member of this group");
}

base::Result<std::vector<std::string>> SqlIdentities::GetGroupIds(
    std::string_view user_id) {
  return TakeAll(connection_.Query("SELECT group_id FROM iam_memberships "
                                   "WHERE user_id = $1 ORDER BY group_id",
                                   {ToValue(user_id)}),
                 "iam_memberships", TakeText);
}

base::Result<std::vector<std::string>> SqlIdentities::GetMemberIds(
    std::string_view group_id) {
  return TakeAll(connection_.Query("SELECT user_id FROM iam_memberships "
                                   "WHERE group_id = $1 ORDER BY user_id",
                                   {ToValue(group_id)}),
                 "iam_memberships", TakeText);
}

base::Result<std::vector<Tag>> SqlIdentities::GetEntityTags(
    std::string_view entity_id) {
  return TakeAll(connection_.Query("SELECT tag_key, tag_value FROM iam_tags "
                                   "WHERE entity_id = $1 ORDER BY tag_key",
                                   {ToValue(entity_id)}),
                 "iam_tags", TakeTag);
}

base::Status SqlIdentities::PutEntityTag(std::string_view entity_id,
                                         const Tag& tag) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO iam_tags (entity_id, tag_key, tag_value) "
      "VALUES ($1, $2, $3) ON CONFLICT (entity_id, tag_key) DO UPDATE SET "
      "tag_value = excluded.tag_value",
      {ToValue(entity_id), ToValue(tag.key), ToValue(tag.value)}));
  return {};
}

base::Status SqlIdentities::DeleteEntityTag(std::string_view entity_id,
                                            std::string_view tag_key) {
  return connection_.RunOnOne(
      "DELETE FROM iam_tags WHERE entity_id = $1 AND tag_key = $2",
      {ToValue(entity_id), ToValue(tag_key)}, "the entity has no such tag");
}

base::Result<std::vector<AccessKey>> SqlIdentities::GetAccessKeys(
    std::string_view user_id) {
  return TakeAll(
      connection_.Query(std::string(kAccessKeyColumns) +
                            "WHERE user_id = $1 ORDER BY created, id",
                        {ToValue(user_id)}),
      "access_keys", TakeAccessKey);
}

base::Status SqlIdentities::InsertAccessKey(const AccessKey& key) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO access_keys (id, account, user_name, user_id, active, "
      "secret_nonce, secret_ciphertext, created) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {ToValue(key.id), ToValue(key.account), ToValue(key.user_name),
       ToValue(key.user_id), ToValue(key.active),
       BlobValue(key.sealed_secret.nonce),
       BlobValue(key.sealed_secret.ciphertext), ToValue(key.created)}));
  return {};
}

base::Status SqlIdentities::SetAccessKeyActive(std::string_view id,
                                               bool active) {
  return connection_.RunOnOne(
      "UPDATE access_keys SET active = $2 WHERE id = $1",
      {ToValue(id), ToValue(active)}, "the store has no such access key");
}

base::Status SqlIdentities::DeleteAccessKey(std::string_view id) {
  return connection_.RunOnOne("DELETE FROM access_keys WHERE id = $1",
                              {ToValue(id)},
                              "the store has no such access key");
}

}  // namespace kms::store
