// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/xks_tenants.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "policy/policy.h"
#include "tools/files/files.h"

namespace tools {
namespace {

// Its resource is another service's: an external key has no key policy.
constexpr auto kKind = policy::PolicyKind::kResource;

base::Result<kms::PolicyPtr> LoadPolicy(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadPublicFile(file, policy::MostBytes(kKind)));
  ASSIGN_OR_RETURN(policy::Policy policy, policy::Policy::Parse(kKind, text));
  return std::make_shared<const policy::Policy>(std::move(policy));
}

}  // namespace

base::Result<std::vector<kms::xks::TenantSettings>> LoadXksTenants(
    const config::Config& config) {
  std::vector<kms::xks::TenantSettings> tenants;
  for (const config::XksTenant& tenant : config.xks_tenants) {
    kms::xks::TenantSettings settings;
    settings.name = tenant.name;
    settings.uri_prefix = tenant.uri_prefix;
    settings.regions = tenant.regions;
    settings.requests_per_second = tenant.requests_per_second;
    if (!tenant.policy.empty()) {
      auto policy = LoadPolicy(tenant.policy);
      if (!policy) {
        return base::Error{
            base::ErrorCode::kInvalidArgument,
            fmt::format("{}: xks_tenant.policy: {}: {}", tenant.where.text,
                        tenant.policy, policy.error().message)};
      }
      settings.policy = *std::move(policy);
    }
    tenants.push_back(std::move(settings));
  }
  return tenants;
}

}  // namespace tools
