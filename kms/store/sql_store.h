// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_SQL_STORE_H_
#define KMS_STORE_SQL_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kms/store/cache.h"
#include "kms/store/connection.h"
#include "kms/store/file_lock.h"
#include "kms/store/reader_pool.h"
#include "kms/store/store.h"
#include "kms/store/writer.h"

namespace kms::store {

// The Store over an SQL database: caches and readers for what is asked, a
// Writer for what changes. Without a connection for writing it only answers.
class SqlStore final : public Store {
 public:
  // `writer` is null in a store that is only looked at.
  SqlStore(const StoreOptions& options, StoreInfo info,
           std::optional<FileLock> lock, std::unique_ptr<ReaderPool> readers,
           std::unique_ptr<Connection> writer);

  StoreInfo info() const override;

  base::Result<KeyPtr> FindKey(std::string_view row_id) override;
  base::Result<std::vector<RelatedKey>> ListRelatedKeys(
      std::string_view key_id) override;
  base::Result<Alias> FindAlias(std::string_view account,
                                std::string_view region,
                                std::string_view name) override;
  base::Result<std::vector<Tag>> Tags(std::string_view row_id) override;
  base::Result<std::vector<base::Bytes>> Certificates(
      std::string_view row_id) override;

  base::Result<Page<std::string>> ListKeys(std::string_view account,
                                           std::string_view region,
                                           std::string_view after,
                                           int limit) override;
  base::Result<Page<Alias>> ListAliases(std::string_view account,
                                        std::string_view region,
                                        std::string_view row_id,
                                        std::string_view after,
                                        int limit) override;
  base::Result<GrantPtr> FindGrant(std::string_view id) override;
  base::Result<Page<Grant>> ListGrants(const GrantQuery& query) override;
  base::Result<std::vector<std::string>> ListDueDeletions(
      base::WallTime now) override;
  base::Result<std::vector<std::string>> ListDueRotations(base::WallTime now,
                                                          int limit) override;
  base::Result<std::vector<DueMaterial>> ListDueMaterials(
      base::WallTime now) override;
  base::Result<std::vector<std::string>> ListImporters(
      const MaterialId& material) override;
  base::Result<ImportPair> FindImportPair(const hsm::Locator& locator) override;
  base::Result<std::vector<ImportPair>> ListExpiredImportPairs(
      base::WallTime now) override;
  base::Result<std::vector<ImportPairStock>> ListImportPairStock(
      std::string_view key_store) override;
  base::Result<std::vector<hsm::Locator>> ListLocators(
      std::string_view key_store) override;

  base::Result<bool> HasWrappedMaterials(std::string_view key_store) override;

  base::Result<std::vector<Intent>> ListIntents() override;
  base::Result<std::vector<ServiceKey>> ListServiceKeys() override;
  base::Result<std::vector<std::string>> ListServiceKeysDue() override;
  base::Result<IdentityRows> ReadIdentities() override;
  base::Result<ExternalKeyRows> ReadExternalKeys() override;
  base::Result<CustomKeyStoreRows> ReadCustomKeyStores() override;
  base::Result<std::uint64_t> CountKeysOfCustomKeyStore(
      std::string_view id, std::string_view xks_key_id) override;
  base::Result<std::vector<OutboxEvent>> ListOutbox() override;
  base::Result<std::optional<ClockProgress>> GetClockProgress() override;

  base::Result<std::vector<LastUse>> ListKeyUsages(std::string_view row_id,
                                                   int limit) override;
  base::Result<std::optional<UsageProgress>> GetUsageProgress() override;
  base::Result<base::WallTime> KeyUsageSince() override;

  boost::asio::awaitable<base::Status> Write(Change change) override;
  base::Status WriteNow(Change change) override;
  void ForgetOutbox(std::string event_id) override;
  std::size_t QueueLength() const override;

 private:
  std::unique_ptr<Writer> StartWriter(const StoreOptions& options,
                                      std::unique_ptr<Connection> connection);

  // In the order of their making: the writer goes first and the lock last.
  const std::optional<FileLock> lock_;
  const StoreInfo opened_as_;
  Cache<Key> keys_;
  Cache<Alias> aliases_;
  KeyPolicies policies_;
  const std::unique_ptr<ReaderPool> readers_;
  const std::unique_ptr<Writer> writer_;  // Null if only looked at.
};

}  // namespace kms::store

#endif  // KMS_STORE_SQL_STORE_H_
