// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/organization.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/policy.h"
#include "tools/config/organization.h"
#include "tools/files/files.h"

namespace tools {
namespace {

using config::OrganizationNode;
using policy::PolicyKind;

constexpr std::string_view kFullAccessText =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
    R"("Action":"*","Resource":"*"}]})";

base::Result<kms::PolicyPtr> LoadPolicy(PolicyKind kind,
                                        const std::string& name) {
  std::string text(kFullAccessText);
  if (kind != PolicyKind::kServiceControl || name != kFullAccess) {
    ASSIGN_OR_RETURN(text, ReadPublicFile(name, policy::MostBytes(kind)));
  }
  ASSIGN_OR_RETURN(policy::Policy policy, policy::Policy::Parse(kind, text));
  return std::make_shared<const policy::Policy>(std::move(policy));
}

base::Result<kms::PolicyList> LoadLevel(const OrganizationNode& node,
                                        PolicyKind kind) {
  const bool service = kind == PolicyKind::kServiceControl;
  kms::PolicyList level;
  for (const std::string& name : service ? node.service_control_policies
                                         : node.resource_control_policies) {
    auto policy = LoadPolicy(kind, name);
    if (!policy) {
      return base::Error{
          base::ErrorCode::kInvalidArgument,
          fmt::format("{}: {}_control_policies of {}: {}: {}", node.where.text,
                      service ? "service" : "resource", node.id, name,
                      policy.error().message)};
    }
    level.Add(*std::move(policy));
  }
  return level;
}

base::Result<kms::Organization::Member> LoadMember(
    const config::Organization& organization, const OrganizationNode& account) {
  kms::Organization::Member member;
  member.path = organization.id + "/";
  const bool is_bound = account.id != organization.management_account;
  for (const OrganizationNode* const node : WayTo(organization, account)) {
    ASSIGN_OR_RETURN(auto service,
                     LoadLevel(*node, PolicyKind::kServiceControl));
    ASSIGN_OR_RETURN(auto resource,
                     LoadLevel(*node, PolicyKind::kResourceControl));
    if (is_bound) {
      member.service_control.Add(std::move(service));
      member.resource_control.Add(std::move(resource));
    }
    if (node != &account) {
      member.path += node->id + "/";
    }
  }
  return member;
}

}  // namespace

base::Result<kms::Organization> LoadOrganization(const config::Config& config) {
  if (!config.organization) {
    return kms::Organization();
  }
  kms::Organization organization(config.organization->id);
  for (const OrganizationNode& account : config.organization->accounts) {
    ASSIGN_OR_RETURN(auto member, LoadMember(*config.organization, account));
    organization.Add(account.id, std::move(member));
  }
  return organization;
}

}  // namespace tools
