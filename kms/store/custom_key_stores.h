// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_CUSTOM_KEY_STORES_H_
#define KMS_STORE_CUSTOM_KEY_STORES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kms/custom_key_store.h"

namespace kms::store {

// How many passwords in a row were not the PIN of its token, by cluster; of one
// that is not there, none.
using WrongPasswords = std::map<std::string, std::uint64_t, std::less<>>;

// All custom key stores that a store knows.
struct CustomKeyStoreRows {
  // At least what had been committed as this revision is in here.
  std::uint64_t revision = 0;
  std::vector<CustomKeyStore> stores;  // By id.
  WrongPasswords wrong_passwords;
};

// The part of a Transaction that is about custom key stores. What removes or
// changes a row fails with kNotFound if there is none, what adds one with
// kAlreadyExists if it is there.
class CustomKeyStores {
 public:
  virtual ~CustomKeyStores() = default;

  virtual base::Result<CustomKeyStore> GetCustomKeyStore(
      std::string_view id) = 0;
  // Of all accounts and Regions, by id.
  virtual base::Result<std::vector<CustomKeyStore>> GetCustomKeyStores() = 0;
  virtual base::Status InsertCustomKeyStore(const CustomKeyStore& store) = 0;
  // Writes all but id, account, Region, type and creation.
  virtual base::Status UpdateCustomKeyStore(const CustomKeyStore& store) = 0;
  virtual base::Status DeleteCustomKeyStore(std::string_view id) = 0;

  // How many keys live there, whatever their state; with `xks_key_id`, how many
  // of them are that external key.
  virtual base::Result<std::uint64_t> CountKeys(
      std::string_view id, std::string_view xks_key_id = {}) = 0;

  virtual base::Result<WrongPasswords> GetWrongPasswords() = 0;
  // Whether or not a custom key store has the cluster.
  virtual base::Status SetWrongPasswords(std::string_view cluster_id,
                                         std::uint64_t in_a_row) = 0;
};

}  // namespace kms::store

#endif  // KMS_STORE_CUSTOM_KEY_STORES_H_
