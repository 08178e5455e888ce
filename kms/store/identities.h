// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_IDENTITIES_H_
#define KMS_STORE_IDENTITIES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/client/client.h"
#include "kms/entity.h"

// Accounts, entities and what belongs to them: who may ask, and for what.
namespace kms::store {

// An access key; its secret is sealed under the service key "credentials".
struct AccessKey {
  std::string id;  // AKIA...
  std::string account;
  std::string user_name;
  std::string user_id;  // AIDA...
  bool active = true;
  hsm::Sealed sealed_secret;
  base::WallTime created{};
};

// All that the store knows of who may ask.
struct IdentityRows {
  // At least what had been committed as this revision is in here.
  std::uint64_t revision = 0;
  std::vector<Account> accounts;
  std::vector<Entity> entities;  // By account, kind and folded name.
  std::vector<EntityDocument> documents;
  std::vector<Attachment> attachments;
  std::vector<Membership> memberships;
  std::vector<EntityTag> tags;
  std::vector<AccessKey> access_keys;  // The oldest first.
};

// The part of a Transaction that is about identities. It changes rows one by
// one: what IAM allows is its caller's to know. What removes or changes a row
// fails with kNotFound if there is none, what adds one with kAlreadyExists if
// it is there.
class Identities {
 public:
  virtual ~Identities() = default;

  virtual base::Status InsertAccount(const Account& account) = 0;

  // By its name in any case. kNotFound.
  virtual base::Result<Entity> GetEntity(std::string_view account,
                                         EntityKind kind,
                                         std::string_view name) = 0;
  virtual base::Status InsertEntity(const Entity& entity) = 0;
  // Writes all but id, account, kind, name, path and creation.
  virtual base::Status UpdateEntity(const Entity& entity) = 0;
  // With its tags. Whatever else it has must be gone.
  virtual base::Status DeleteEntity(std::string_view id) = 0;

  // By name.
  virtual base::Result<std::vector<Document>> GetDocuments(
      std::string_view entity_id) = 0;
  // Adds or replaces the one of this name.
  virtual base::Status PutDocument(std::string_view entity_id,
                                   const Document& document) = 0;
  virtual base::Status DeleteDocument(std::string_view entity_id,
                                      std::string_view name) = 0;

  // ARNs of managed policies. Attaching again changes nothing.
  virtual base::Result<std::vector<std::string>> GetAttachments(
      std::string_view entity_id) = 0;
  virtual base::Status Attach(std::string_view entity_id,
                              std::string_view policy_arn) = 0;
  virtual base::Status Detach(std::string_view entity_id,
                              std::string_view policy_arn) = 0;
  // Whether an entity has it attached or as its boundary.
  virtual base::Result<bool> IsInUse(std::string_view policy_arn) = 0;

  // Adding again changes nothing.
  virtual base::Status AddMember(std::string_view group_id,
                                 std::string_view user_id) = 0;
  virtual base::Status RemoveMember(std::string_view group_id,
                                    std::string_view user_id) = 0;
  virtual base::Result<std::vector<std::string>> GetGroupIds(
      std::string_view user_id) = 0;
  virtual base::Result<std::vector<std::string>> GetMemberIds(
      std::string_view group_id) = 0;

  virtual base::Result<std::vector<Tag>> GetEntityTags(
      std::string_view entity_id) = 0;
  virtual base::Status PutEntityTag(std::string_view entity_id,
                                    const Tag& tag) = 0;
  virtual base::Status DeleteEntityTag(std::string_view entity_id,
                                       std::string_view tag_key) = 0;

  // The oldest first.
  virtual base::Result<std::vector<AccessKey>> GetAccessKeys(
      std::string_view user_id) = 0;
  virtual base::Status InsertAccessKey(const AccessKey& key) = 0;
  virtual base::Status SetAccessKeyActive(std::string_view id, bool active) = 0;
  virtual base::Status DeleteAccessKey(std::string_view id) = 0;
};

}  // namespace kms::store

#endif  // KMS_STORE_IDENTITIES_H_
