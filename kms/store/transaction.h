// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_TRANSACTION_H_
#define KMS_STORE_TRANSACTION_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kms/store/connection.h"
#include "kms/store/custom_key_store_rows.h"
#include "kms/store/external_key_rows.h"
#include "kms/store/identity_rows.h"
#include "kms/store/store.h"

namespace kms::store {

// What changes have touched, as the caches name it.
struct Touched {
  std::set<std::string> keys;
  std::set<std::string> aliases;

  void Merge(Touched other);
};

// How the cache of aliases names one. No part may hold a zero byte, which
// separates them.
std::string AliasCacheKey(std::string_view account, std::string_view region,
                          std::string_view name);

// The Transaction of one change on the writer's connection, which it borrows.
// The caller opens and closes the savepoint around it.
class SqlTransaction final : public Transaction {
 public:
  SqlTransaction(Connection& connection, std::uint64_t revision)
      : connection_(connection),
        revision_(revision),
        identities_(connection),
        external_keys_(connection),
        custom_key_stores_(connection) {}

  std::uint64_t revision() const override { return revision_; }

  base::Result<Key> GetKey(std::string_view row_id) override;
  base::Result<std::vector<RelatedKey>> GetRelatedKeys(
      std::string_view key_id) override;
  base::Status InsertKey(const Key& key) override;
  base::Status InsertReplica(const Key& key) override;
  base::Status UpdateKey(const Key& key) override;
  base::Status AddMaterial(std::string_view key_id,
                           const KeyMaterial& material) override;
  base::Status InsertImportedMaterial(const Key& key,
                                      const KeyMaterial& material) override;
  base::Status RotateToMaterial(std::string_view key_id,
                                const MaterialId& material,
                                const Rotation& rotation) override;
  base::Status DeleteMaterial(std::string_view key_id,
                              const MaterialId& material) override;
  base::Status MoveMaterial(std::string_view key_id,
                            const KeyMaterial& material) override;
  base::Status PutImportTerms(std::string_view row_id,
                              const KeyMaterial& material) override;
  base::Result<std::vector<std::string>> GetImporters(
      const MaterialId& material) override;
  base::Status InsertImportPair(const ImportPair& pair) override;
  base::Result<std::optional<ImportPair>> ClaimImportPair(
      const ImportPair& terms) override;
  base::Result<std::vector<ImportPair>> GetImportPairs(
      std::string_view row_id) override;
  base::Status DeleteImportPair(const hsm::Locator& locator) override;
  base::Status DeleteKey(std::string_view row_id) override;

  base::Result<Alias> GetAlias(std::string_view account,
                               std::string_view region,
                               std::string_view name) override;
  base::Result<std::uint64_t> CountAliases(std::string_view row_id) override;
  base::Status InsertAlias(const Alias& alias) override;
  base::Status UpdateAlias(const Alias& alias) override;
  base::Status DeleteAlias(const Alias& alias) override;

  base::Result<std::vector<Tag>> GetTags(std::string_view row_id) override;
  base::Status PutTag(std::string_view row_id, const Tag& tag) override;
  base::Status DeleteTag(std::string_view row_id,
                         std::string_view tag_key) override;
  base::Status SetCertificates(
      std::string_view row_id,
      const std::vector<base::Bytes>& certificates) override;

  base::Result<Grant> GetGrant(std::string_view id) override;
  base::Result<std::uint64_t> CountGrants(std::string_view row_id) override;
  base::Result<std::optional<std::string>> FindSameGrant(
      const Grant& grant) override;
  base::Status InsertGrant(const Grant& grant) override;
  base::Status DeleteGrant(std::string_view id) override;

  base::Status InsertIntent(const Intent& intent) override;
  base::Status DeleteIntent(const hsm::Locator& locator) override;
  base::Status AbandonIntent(const hsm::Locator& locator) override;

  base::Status InsertServiceKey(const ServiceKey& key) override;
  Identities& identities() override { return identities_; }
  ExternalKeys& external_keys() override { return external_keys_; }
  CustomKeyStores& custom_key_stores() override { return custom_key_stores_; }

  base::Status PutKeyUsage(std::string_view row_id,
                           const LastUse& usage) override;
  base::Status TrimKeyUsages(std::string_view key_id, int most) override;
  base::Status SetUsageProgress(const UsageProgress& progress) override;

  base::Status AddOutbox(const OutboxEvent& event) override;
  base::Status SetClockProgress(const ClockProgress& progress) override;

  base::Result<std::uint64_t> ReserveCounters(const MaterialId& material,
                                              std::uint64_t count) override;

  Touched TakeTouched() && { return std::move(touched_); }

 private:
  base::Status InsertRow(const Key& key);
  base::Status TouchRowsOf(std::string_view key_id);
  base::Status AppendMaterial(std::string_view key_id,
                              const KeyMaterial& material);
  base::Status InsertMaterial(std::string_view key_id, std::uint64_t ordinal,
                              const KeyMaterial& material);
  Connection& connection_;
  std::uint64_t revision_;
  SqlIdentities identities_;
  SqlExternalKeys external_keys_;
  SqlCustomKeyStores custom_key_stores_;
  Touched touched_;
};

}  // namespace kms::store

#endif  // KMS_STORE_TRANSACTION_H_
