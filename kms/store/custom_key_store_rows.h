// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_CUSTOM_KEY_STORE_ROWS_H_
#define KMS_STORE_CUSTOM_KEY_STORE_ROWS_H_

#include <string_view>
#include <vector>

#include "kms/store/connection.h"
#include "kms/store/custom_key_stores.h"

// The rows of custom key stores, like reads.h.
namespace kms::store {

// All of them. The revision is read first.
base::Result<CustomKeyStoreRows> ReadCustomKeyStoreRows(Connection& connection);

// The CustomKeyStores of a transaction on `connection`, which it borrows.
class SqlCustomKeyStores final : public CustomKeyStores {
 public:
  explicit SqlCustomKeyStores(Connection& connection)
      : connection_(connection) {}

  base::Result<CustomKeyStore> GetCustomKeyStore(std::string_view id) override;
  base::Result<std::vector<CustomKeyStore>> GetCustomKeyStores() override;
  base::Status InsertCustomKeyStore(const CustomKeyStore& store) override;
  base::Status UpdateCustomKeyStore(const CustomKeyStore& store) override;
  base::Status DeleteCustomKeyStore(std::string_view id) override;
  base::Result<std::uint64_t> CountKeys(std::string_view id,
                                        std::string_view xks_key_id) override;
  base::Result<WrongPasswords> GetWrongPasswords() override;
  base::Status SetWrongPasswords(std::string_view cluster_id,
                                 std::uint64_t in_a_row) override;

 private:
  Connection& connection_;
};

}  // namespace kms::store

#endif  // KMS_STORE_CUSTOM_KEY_STORE_ROWS_H_
