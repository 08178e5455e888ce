// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_IDENTITY_ROWS_H_
#define KMS_STORE_IDENTITY_ROWS_H_

#include <string>
#include <string_view>
#include <vector>

#include "kms/store/columns.h"
#include "kms/store/connection.h"
#include "kms/store/identities.h"

// The rows of identities, like reads.h.
namespace kms::store {

// All of them. The revision is read first.
base::Result<IdentityRows> ReadIdentityRows(Connection& connection);

// Of a policy, in a key's row or a role's; '' is none.
PolicyPrincipals TakePrincipals(Columns& columns);
Value PrincipalsOf(const PolicyPrincipals& principals);

// The Identities of a transaction on `connection`, which it borrows.
class SqlIdentities final : public Identities {
 public:
  explicit SqlIdentities(Connection& connection) : connection_(connection) {}

  base::Status InsertAccount(const Account& account) override;
  base::Result<Entity> GetEntity(std::string_view account, EntityKind kind,
                                 std::string_view name) override;
  base::Status InsertEntity(const Entity& entity) override;
  base::Status UpdateEntity(const Entity& entity) override;
  base::Status DeleteEntity(std::string_view id) override;
  base::Result<std::vector<Document>> GetDocuments(
      std::string_view entity_id) override;
  base::Status PutDocument(std::string_view entity_id,
                           const Document& document) override;
  base::Status DeleteDocument(std::string_view entity_id,
                              std::string_view name) override;
  base::Result<std::vector<std::string>> GetAttachments(
      std::string_view entity_id) override;
  base::Status Attach(std::string_view entity_id,
                      std::string_view policy_arn) override;
  base::Status Detach(std::string_view entity_id,
                      std::string_view policy_arn) override;
  base::Result<bool> IsInUse(std::string_view policy_arn) override;
  base::Status AddMember(std::string_view group_id,
                         std::string_view user_id) override;
  base::Status RemoveMember(std::string_view group_id,
                            std::string_view user_id) override;
  base::Result<std::vector<std::string>> GetGroupIds(
      std::string_view user_id) override;
  base::Result<std::vector<std::string>> GetMemberIds(
      std::string_view group_id) override;
  base::Result<std::vector<Tag>> GetEntityTags(
      std::string_view entity_id) override;
  base::Status PutEntityTag(std::string_view entity_id,
                            const Tag& tag) override;
  base::Status DeleteEntityTag(std::string_view entity_id,
                               std::string_view tag_key) override;
  base::Result<std::vector<AccessKey>> GetAccessKeys(
      std::string_view user_id) override;
  base::Status InsertAccessKey(const AccessKey& key) override;
  base::Status SetAccessKeyActive(std::string_view id, bool active) override;
  base::Status DeleteAccessKey(std::string_view id) override;

 private:
  Connection& connection_;
};

}  // namespace kms::store

#endif  // KMS_STORE_IDENTITY_ROWS_H_
