// SPDX-License-Identifier: Apache-2.0
#include "tools/config/organization.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace tools::config {
namespace {

using base::Status;

// AWS Organizations quotas: five levels of units below the root, and accounts.
constexpr std::size_t kDeepestUnit = 6;

bool IsOf(std::string_view text, std::string_view letters, std::size_t least,
          std::size_t most) {
  return text.size() >= least && text.size() <= most &&
         text.find_first_not_of(letters) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLower = "0123456789abcdefghijklmnopqrstuvwxyz";

bool IsOrganizationId(std::string_view text) {
  return text.starts_with("o-") && IsOf(text.substr(2), kLower, 10, 32);
}

bool IsRootId(std::string_view text) {
  return text.starts_with("r-") && IsOf(text.substr(2), kLower, 4, 32);
}

bool IsUnitId(std::string_view text) {
  if (!text.starts_with("ou-")) {
    return false;
  }
  const std::string_view rest = text.substr(3);
  const std::size_t dash = rest.find('-');
  return dash != std::string_view::npos &&
         IsOf(rest.substr(0, dash), kLower, 4, 32) &&
         IsOf(rest.substr(dash + 1), kLower, 8, 32);
}

const OrganizationNode* FindUnit(const Organization& organization,
                                 std::string_view id) {
  const auto found =
      std::ranges::find(organization.units, id, &OrganizationNode::id);
  return found == organization.units.end() ? nullptr : &*found;
}

// Units stand before what is in them, so that they make a tree.
void CheckParent(TableReader& reader, const Organization& organization,
                 const OrganizationNode& node, std::size_t deepest) {
  if (node.parent.empty()) {
    reader.Refuse("id", "needs a 'parent', the id of the unit that it is in");
  } else if (FindUnit(organization, node.parent) == nullptr) {
    reader.Refuse("parent",
                  fmt::format("'{}' is no unit that stands before it; put its "
                              "[[organization.unit]] there",
                              node.parent));
  } else if (WayTo(organization, node).size() > deepest) {
    reader.Refuse("parent", "is too deep: units are five levels deep at most");
  }
}

OrganizationNode ReadNode(TableReader& reader) {
  OrganizationNode node;
  reader.Text("id", node.id, true)
      .Text("parent", node.parent)
      .Texts("service_control_policies", node.service_control_policies)
      .Texts("resource_control_policies", node.resource_control_policies);
  return node;
}

Status ReadUnit(TableReader& reader, Organization& organization) {
  OrganizationNode unit = ReadNode(reader);
  RETURN_IF_ERROR(reader.Finish());
  unit.where = {reader.Where("id")};
  const bool is_root = IsRootId(unit.id);
  if (!is_root && !IsUnitId(unit.id)) {
    reader.Refuse("id", fmt::format("'{}' is neither a root (r-ab12) nor an "
                                    "organizational unit (ou-ab12-11111111)",
                                    unit.id));
  } else if (FindUnit(organization, unit.id) != nullptr) {
    reader.Refuse("id", fmt::format("'{}' stands there twice", unit.id));
  } else if (organization.units.empty() != is_root) {
    reader.Refuse("id",
                  "must be a root (r-ab12) in the first "
                  "[[organization.unit]], and in no other");
  } else if (is_root && !unit.parent.empty()) {
    reader.Refuse("parent", "is not for a root, which is in nothing");
  } else if (!is_root) {
    CheckParent(reader, organization, unit, kDeepestUnit);
  }
  organization.units.push_back(std::move(unit));
  return reader.Finish();
}

Status ReadAccount(TableReader& reader, Organization& organization) {
  OrganizationNode account = ReadNode(reader);
  RETURN_IF_ERROR(reader.Finish());
  account.where = {reader.Where("id")};
  if (!IsOf(account.id, kDigits, 12, 12)) {
    reader.Refuse("id", "must be an account: 12 digits");
  } else if (std::ranges::find(organization.accounts, account.id,
                               &OrganizationNode::id) !=
             organization.accounts.end()) {
    reader.Refuse("id", fmt::format("'{}' stands there twice", account.id));
  } else {
    CheckParent(reader, organization, account, kDeepestUnit + 1);
  }
  organization.accounts.push_back(std::move(account));
  return reader.Finish();
}

}  // namespace

std::vector<const OrganizationNode*> WayTo(const Organization& organization,
                                           const OrganizationNode& node) {
  std::vector<const OrganizationNode*> way = {&node};
  while (const OrganizationNode* const above =
             FindUnit(organization, way.back()->parent)) {
    way.push_back(above);
  }
  std::ranges::reverse(way);
  return way;
}

Status ReadOrganization(TableReader& reader, Config& config) {
  Organization organization;
  reader.Text("id", organization.id, true)
      .Text("management_account", organization.management_account)
      .Tables("unit",
              [&](TableReader& table) { return ReadUnit(table, organization); })
      .Tables("account", [&](TableReader& table) {
        return ReadAccount(table, organization);
      });
  RETURN_IF_ERROR(reader.Finish());
  if (!IsOrganizationId(organization.id)) {
    reader.Refuse("id", fmt::format("'{}' is not an organization's, such as "
                                    "o-exampleorg1",
                                    organization.id));
  } else if (!organization.management_account.empty() &&
             std::ranges::find(
                 organization.accounts, organization.management_account,
                 &OrganizationNode::id) == organization.accounts.end()) {
    reader.Refuse("management_account",
                  "must be one of the [[organization.account]] tables");
  }
  config.organization = std::move(organization);
  return reader.Finish();
}

}  // namespace tools::config
