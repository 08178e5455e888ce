// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_READS_H_
#define KMS_STORE_READS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kms/store/connection.h"
#include "kms/store/store.h"

// What the store can be asked, each as one statement, so that an answer is one
// moment's. Both the writer, inside its transaction, and the readers use these.
// Fails with kCorrupt if a row cannot be what this program wrote.
namespace kms::store {

base::Result<Key> ReadKey(Connection& connection, std::string_view row_id);
base::Result<std::vector<RelatedKey>> ReadRelatedKeys(Connection& connection,
                                                      std::string_view key_id);
base::Result<Alias> ReadAlias(Connection& connection, std::string_view account,
                              std::string_view region, std::string_view name);
base::Result<std::vector<Alias>> ReadAliasesOfKey(Connection& connection,
                                                  std::string_view row_id);
base::Result<std::vector<Tag>> ReadTags(Connection& connection,
                                        std::string_view row_id);
base::Result<std::vector<base::Bytes>> ReadCertificates(
    Connection& connection, std::string_view row_id);

// Which listing, and which page of it.
struct Listing {
  std::string_view account;
  std::string_view region;
  std::string_view row_id;  // Of aliases: their key's; "" is all keys.
  std::string_view after;
  int limit;
};
base::Result<Page<std::string>> ReadKeyPage(Connection& connection,
                                            const Listing& listing);
base::Result<Page<Alias>> ReadAliasPage(Connection& connection,
                                        const Listing& listing);

base::Result<std::vector<std::string>> ReadDueDeletions(Connection& connection,
                                                        base::WallTime now);
base::Result<std::vector<std::string>> ReadDueRotations(Connection& connection,
                                                        base::WallTime now,
                                                        int limit);
base::Result<std::vector<hsm::Locator>> ReadLocators(
    Connection& connection, std::string_view key_store);
base::Result<bool> ReadHasWrappedMaterials(Connection& connection,
                                           std::string_view key_store);
base::Result<std::vector<Intent>> ReadIntents(Connection& connection);
base::Result<std::vector<ServiceKey>> ReadServiceKeys(Connection& connection);
base::Result<std::vector<std::string>> ReadServiceKeysDue(
    Connection& connection);
base::Result<std::vector<OutboxEvent>> ReadOutbox(Connection& connection);
base::Result<std::optional<ClockProgress>> ReadClockProgress(
    Connection& connection);
base::Result<std::vector<LastUse>> ReadKeyUsages(Connection& connection,
                                                 std::string_view row_id,
                                                 int limit);
base::Result<std::optional<UsageProgress>> ReadUsageProgress(
    Connection& connection);
base::Result<base::WallTime> ReadKeyUsageSince(Connection& connection);
base::Result<StoreInfo> ReadStoreInfo(Connection& connection);  // kNotFound

// The words of IntentKind.
std::string_view IntentKindName(IntentKind kind);
std::optional<IntentKind> ParseIntentKind(std::string_view name);

}  // namespace kms::store

#endif  // KMS_STORE_READS_H_
