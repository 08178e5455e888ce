// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_TENANTS_H_
#define KMS_XKS_TENANTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "kms/current.h"
#include "kms/key_policy.h"
#include "kms/store/external_keys.h"

// The tenants of the XKS proxy, in memory.
namespace kms::xks {

// What the configuration says of a tenant: one [[xks_tenant]].
struct TenantSettings {
  std::string name;
  std::string uri_prefix;  // "/team-a", or empty: what is before "/kms/xks/v1".
  // In which requests may be signed; empty: in any.
  std::vector<std::string> regions;
  PolicyPtr policy;  // Who may use which key; null: who can sign may.
  int requests_per_second = 1800;  // More are throttled.
};

using SecretPtr = std::shared_ptr<const base::Secret>;

// A Tenant has its own keys and credentials, and knows of no other's.
struct Tenant {
  TenantSettings settings;
  std::map<std::string, ExternalKey, std::less<>> keys;   // By id.
  std::map<std::string, SecretPtr, std::less<>> secrets;  // By access key id.

  const ExternalKey* FindKey(std::string_view id) const;
  SecretPtr FindSecret(std::string_view access_key_id) const;
};

// Tenants are all of them as they were at one moment. It never changes, so any
// thread may read it; what it returns lives as long as it does.
class Tenants {
 public:
  // `secrets` are those of the credentials in `rows`, by access key id: one
  // without lets nobody in. Rows of tenants that have no settings are kept, and
  // not served.
  using Secrets = std::map<std::string, SecretPtr, std::less<>>;
  Tenants(const std::vector<TenantSettings>& settings,
          store::ExternalKeyRows rows, Secrets secrets);
  Tenants(const Tenants&) = delete;
  Tenants& operator=(const Tenants&) = delete;

  // nullptr if there is none.
  const Tenant* FindByName(std::string_view name) const;
  const Tenant* FindByPrefix(std::string_view uri_prefix) const;

  // Changes whenever a secret of an access key id may have.
  std::uint64_t revision() const { return rows_.revision; }
  const store::ExternalKeyRows& rows() const { return rows_; }
  // Whether the store knows a tenant of this name, configured or not.
  bool HasRowsOf(std::string_view tenant) const;
  SecretPtr FindSecret(std::string_view access_key_id) const;

 private:
  store::ExternalKeyRows rows_;
  Secrets secrets_;
  std::map<std::string, Tenant, std::less<>> by_prefix_;
};

// A TenantSource holds the tenants in force. Safe to call from any thread.
class TenantSource : public Current<Tenants> {
 public:
  // Until the store has told there are no keys, and nobody can sign.
  explicit TenantSource(std::vector<TenantSettings> settings);

  const std::vector<TenantSettings>& settings() const { return settings_; }

 private:
  const std::vector<TenantSettings> settings_;
};

}  // namespace kms::xks

#endif  // KMS_XKS_TENANTS_H_
