// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/policy_files.h"

#include <set>
#include <string>

#include "base/bytes.h"
#include "tools/clavigerd/organization.h"
#include "tools/files/files.h"

namespace tools {
namespace {

constexpr std::size_t kMostBytes = 1U << 20;

void AddFiles(const std::vector<config::OrganizationNode>& nodes,
              std::set<std::string>& files) {
  for (const config::OrganizationNode& node : nodes) {
    files.insert(node.service_control_policies.begin(),
                 node.service_control_policies.end());
    files.insert(node.resource_control_policies.begin(),
                 node.resource_control_policies.end());
  }
}

}  // namespace

base::Result<base::Digest> DigestOfPolicies(const config::Config& config) {
  std::set<std::string> files;
  for (const config::OidcProvider& provider : config.oidc_providers) {
    files.insert(provider.jwks_file);
  }
  if (config.organization) {
    AddFiles(config.organization->units, files);
    AddFiles(config.organization->accounts, files);
    files.erase(std::string(kFullAccess));
  }
  for (const config::XksTenant& tenant : config.xks_tenants) {
    if (!tenant.policy.empty()) {
      files.insert(tenant.policy);
    }
  }
  std::string all;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(const std::string text, ReadPublicFile(file, kMostBytes));
    all.append(file).push_back('\0');
    all.append(std::to_string(text.size())).push_back('\0');
    all.append(text);
  }
  return base::ThreadHasher().Sha256(base::AsBytes(all));
}

}  // namespace tools
