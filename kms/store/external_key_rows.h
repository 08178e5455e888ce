// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_EXTERNAL_KEY_ROWS_H_
#define KMS_STORE_EXTERNAL_KEY_ROWS_H_

#include <string_view>
#include <vector>

#include "kms/store/connection.h"
#include "kms/store/external_keys.h"

// The rows of external keys, like reads.h.
namespace kms::store {

// All of them. The revision is read first.
base::Result<ExternalKeyRows> ReadExternalKeyRows(Connection& connection);

// The ExternalKeys of a transaction on `connection`, which it borrows.
class SqlExternalKeys final : public ExternalKeys {
 public:
  explicit SqlExternalKeys(Connection& connection) : connection_(connection) {}

  base::Result<ExternalKey> GetExternalKey(std::string_view tenant,
                                           std::string_view id) override;
  base::Status InsertExternalKey(const ExternalKey& key) override;
  base::Status SetExternalKeyEnabled(std::string_view tenant,
                                     std::string_view id,
                                     bool enabled) override;
  base::Status AddVersion(std::string_view tenant, std::string_view id,
                          const ExternalKeyVersion& version) override;
  base::Result<std::vector<XksCredential>> GetXksCredentials(
      std::string_view tenant) override;
  base::Status InsertXksCredential(const XksCredential& credential) override;
  base::Status DeleteXksCredential(std::string_view access_key_id) override;
  base::Result<std::uint64_t> ReserveUses(const hsm::Locator& version,
                                          std::uint64_t count) override;

 private:
  Connection& connection_;
};

}  // namespace kms::store

#endif  // KMS_STORE_EXTERNAL_KEY_ROWS_H_
