// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_EXTERNAL_KEYS_H_
#define KMS_STORE_EXTERNAL_KEYS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kms/external_key.h"

namespace kms::store {

// All that the store knows of the tenants of the XKS proxy.
struct ExternalKeyRows {
  // At least what had been committed as this revision is in here.
  std::uint64_t revision = 0;
  std::vector<ExternalKey> keys;           // By tenant and id.
  std::vector<XksCredential> credentials;  // The oldest first.
};

// The part of a Transaction that is about external keys. What removes or
// changes a row fails with kNotFound if there is none, what adds one with
// kAlreadyExists if it is there.
class ExternalKeys {
 public:
  virtual ~ExternalKeys() = default;

  virtual base::Result<ExternalKey> GetExternalKey(std::string_view tenant,
                                                   std::string_view id) = 0;
  virtual base::Status InsertExternalKey(const ExternalKey& key) = 0;
  virtual base::Status SetExternalKeyEnabled(std::string_view tenant,
                                             std::string_view id,
                                             bool enabled) = 0;
  // Its number must be the next one. Fails with kConflict if another has got it
  // meanwhile.
  virtual base::Status AddVersion(std::string_view tenant, std::string_view id,
                                  const ExternalKeyVersion& version) = 0;

  // The oldest first.
  virtual base::Result<std::vector<XksCredential>> GetXksCredentials(
      std::string_view tenant) = 0;
  virtual base::Status InsertXksCredential(const XksCredential& credential) = 0;
  virtual base::Status DeleteXksCredential(std::string_view access_key_id) = 0;

  // Reserves `count` uses of a version of an external key and returns how many
  // had been reserved before. For keys whose IVs are random (format 1 of
  // docs/protocol/xks.md), which must not be used without end.
  virtual base::Result<std::uint64_t> ReserveUses(const hsm::Locator& version,
                                                  std::uint64_t count) = 0;
};

}  // namespace kms::store

#endif  // KMS_STORE_EXTERNAL_KEYS_H_
