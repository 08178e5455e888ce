// SPDX-License-Identifier: Apache-2.0
#include "kms/xks/tenants.h"

#include <algorithm>
#include <utility>

namespace kms::xks {
namespace {

template <typename Map>
auto FindOrNull(const Map& map, std::string_view key) ->
    typename Map::mapped_type {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : it->second;
}

}  // namespace

const ExternalKey* Tenant::FindKey(std::string_view id) const {
  const auto it = keys.find(id);
  return it == keys.end() ? nullptr : &it->second;
}

SecretPtr Tenant::FindSecret(std::string_view access_key_id) const {
  return FindOrNull(secrets, access_key_id);
}

Tenants::Tenants(const std::vector<TenantSettings>& settings,
                 store::ExternalKeyRows rows, Secrets secrets)
    : rows_(std::move(rows)), secrets_(std::move(secrets)) {
  for (const TenantSettings& each : settings) {
    Tenant tenant;
    tenant.settings = each;
    for (const ExternalKey& key : rows_.keys) {
      if (key.tenant == each.name) {
        tenant.keys.emplace(key.id, key);
      }
    }
    for (const XksCredential& credential : rows_.credentials) {
      SecretPtr secret = FindSecret(credential.access_key_id);
      if (credential.tenant == each.name && secret != nullptr) {
        tenant.secrets.emplace(credential.access_key_id, std::move(secret));
      }
    }
    by_prefix_.emplace(each.uri_prefix, std::move(tenant));
  }
}

const Tenant* Tenants::FindByName(std::string_view name) const {
  const auto it = std::ranges::find_if(by_prefix_, [name](const auto& entry) {
    return entry.second.settings.name == name;
  });
  return it == by_prefix_.end() ? nullptr : &it->second;
}

const Tenant* Tenants::FindByPrefix(std::string_view uri_prefix) const {
  const auto it = by_prefix_.find(uri_prefix);
  return it == by_prefix_.end() ? nullptr : &it->second;
}

bool Tenants::HasRowsOf(std::string_view tenant) const {
  return std::ranges::find(rows_.keys, tenant, &ExternalKey::tenant) !=
             rows_.keys.end() ||
         std::ranges::find(rows_.credentials, tenant, &XksCredential::tenant) !=
             rows_.credentials.end();
}

SecretPtr Tenants::FindSecret(std::string_view access_key_id) const {
  return FindOrNull(secrets_, access_key_id);
}

TenantSource::TenantSource(std::vector<TenantSettings> settings)
    : Current(std::make_shared<const Tenants>(
          settings, store::ExternalKeyRows(), Tenants::Secrets())),
      settings_(std::move(settings)) {}

}  // namespace kms::xks
