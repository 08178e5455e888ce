// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/xks/tenants.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"
#include "hsm/client/call_on.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kCredentialType = "xks-proxy-credential";
constexpr std::string_view kTrialType = "xks-trial";

// A row of one tenant does not serve another.
hsm::Aad CredentialAad(const Environment& environment, std::string_view tenant,
                       std::string_view access_key_id) {
  return ServiceAad(environment, kCredentialType,
                    std::string(tenant).append("/").append(access_key_id));
}

// The secret of the very row; nullptr if that was not opened.
xks::SecretPtr OpenedBefore(const xks::Tenants& before,
                            const XksCredential& row) {
  const auto& credentials = before.rows().credentials;
  const bool is_same =
      std::ranges::any_of(credentials, [&row](const XksCredential& each) {
        return each.access_key_id == row.access_key_id &&
               each.tenant == row.tenant &&
               each.sealed_secret.nonce == row.sealed_secret.nonce &&
               each.sealed_secret.ciphertext == row.sealed_secret.ciphertext;
      });
  return is_same ? before.FindSecret(row.access_key_id) : nullptr;
}

}  // namespace

asio::awaitable<base::Status> LoadTenants(Environment& environment) {
  xks::TenantSource* const source = environment.tenants;
  if (source == nullptr) {
    co_return base::Status();
  }
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForXksCredentials));
  CO_ASSIGN_OR_RETURN(auto rows, environment.store.ReadExternalKeys());
  const auto before = source->current();
  xks::Tenants::Secrets secrets;
  for (XksCredential& row : rows.credentials) {
    xks::SecretPtr secret = OpenedBefore(*before, row);
    if (secret == nullptr) {
      const hsm::Aad aad =
          CredentialAad(environment, row.tenant, row.access_key_id);
      auto opened =
          co_await OpenUnder(environment, key, aad, row.sealed_secret);
      if (!opened && opened.error().code == ErrorCode::kInvalidCiphertext) {
        base::LogError(
            "the secret of XKS credential {} is not what was stored; it lets "
            "nobody in",
            row.access_key_id);
        continue;
      }
      CO_ASSIGN_OR_RETURN(base::Secret clear, std::move(opened));
      secret = std::make_shared<const base::Secret>(std::move(clear));
    }
    secrets.emplace(row.access_key_id, std::move(secret));
  }
  source->Replace(std::make_shared<const xks::Tenants>(
      source->settings(), std::move(rows), std::move(secrets)));
  co_return base::Status();
}

asio::awaitable<base::Status> CommitTenants(Call& call,
                                            store::Store::Change change) {
  CO_RETURN_IF_ERROR(co_await call.Commit(std::move(change)));
  base::Status loaded = co_await LoadTenants(call.environment);
  if (!loaded) {
    call.environment.tenants->FallBehind(
        call.environment.store.info().revision);
  }
  co_return loaded;
}

asio::awaitable<base::Status> CatchUpTenants(Environment& environment) {
  if (environment.tenants == nullptr || !environment.tenants->is_behind()) {
    co_return base::Status();
  }
  base::Status loaded = co_await LoadTenants(environment);
  if (!loaded) {
    base::LogError(
        "tenants of the XKS proxy have changed and cannot be read: "
        "{}",
        loaded.error().message);
  }
  co_return loaded;
}

void LogForgottenTenants(const Environment& environment) {
  if (environment.tenants == nullptr) {
    return;
  }
  const auto tenants = environment.tenants->current();
  std::map<std::string, std::pair<int, int>> forgotten;
  for (const ExternalKey& key : tenants->rows().keys) {
    if (tenants->FindByName(key.tenant) == nullptr) {
      ++forgotten[key.tenant].first;
    }
  }
  for (const XksCredential& credential : tenants->rows().credentials) {
    if (tenants->FindByName(credential.tenant) == nullptr) {
      ++forgotten[credential.tenant].second;
    }
  }
  for (const auto& [tenant, counts] : forgotten) {
    base::LogWarning(
        "no [[xks_tenant]] has the name {}, but the store has {} external keys "
        "and {} credentials of it: they would be those of a tenant of that "
        "name",
        tenant, counts.first, counts.second);
  }
}

asio::awaitable<base::Result<XksCredential>> SealXksCredential(
    Environment& environment, std::string tenant, std::string access_key_id,
    const base::Secret& secret) {
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForXksCredentials));
  const hsm::Aad aad = CredentialAad(environment, tenant, access_key_id);
  base::Secret plaintext = base::Secret::CopyOf(secret.Reveal());
  CO_ASSIGN_OR_RETURN(
      hsm::Sealed sealed,
      co_await SealUnder(environment, key, aad, std::move(plaintext)));
  co_return XksCredential{.access_key_id = std::move(access_key_id),
                          .tenant = std::move(tenant),
                          .sealed_secret = std::move(sealed),
                          .created = environment.clock.Now()};
}

base::Result<const xks::TenantSettings*> TenantOf(const Call& call) {
  const std::string_view name = call.Text("Tenant").value_or("");
  const xks::TenantSource* const source = call.environment.tenants;
  std::string names;
  if (source != nullptr) {
    for (const xks::TenantSettings& tenant : source->settings()) {
      if (tenant.name == name) {
        return &tenant;
      }
      names.append(names.empty() ? "" : ", ").append(tenant.name);
    }
  }
  return Error{
      ErrorCode::kNotFound,
      std::string("There is no XKS tenant '")
          .append(name)
          .append(names.empty() ? "': the configuration has no [[xks_tenant]]."
                                : "': the configuration has " + names + ".")};
}

base::Result<std::string> TenantNameOf(const Call& call) {
  const std::string name(call.Text("Tenant").value_or(""));
  const xks::TenantSource* const source = call.environment.tenants;
  if (source != nullptr && source->current()->HasRowsOf(name)) {
    return name;
  }
  ASSIGN_OR_RETURN(const xks::TenantSettings* const settings, TenantOf(call));
  return settings->name;
}

std::string UriPathOf(const xks::TenantSettings& tenant) {
  return tenant.uri_prefix + "/kms/xks/v1";
}

// External keys are objects of the home token. The server's own key may be a
// wrapped one, which any token of the key store serves.
asio::awaitable<base::Status> TryToken(Environment& environment) {
  auto lives = co_await environment.key_stores.primary().hsm.CallOn(
      std::string(hsm::client::kHomeToken), hsm::HealthRequest{});
  if (!lives) {
    co_return Error(std::move(lives).error());
  }
  CO_ASSIGN_OR_RETURN(const store::ServiceKey key,
                      FindServiceKey(environment, kForXksCredentials));
  const hsm::Aad aad = ServiceAad(environment, kTrialType, "");
  CO_ASSIGN_OR_RETURN(
      hsm::Sealed sealed,
      co_await SealUnder(environment, key, aad, base::Secret(12)));
  CO_ASSIGN_OR_RETURN(
      const base::Secret opened,
      co_await OpenUnder(environment, key, aad, std::move(sealed)));
  co_return opened.empty()
      ? base::Status(Error{ErrorCode::kCorrupt, "the token gave nothing back"})
      : base::Status();
}

}  // namespace kms::operations
