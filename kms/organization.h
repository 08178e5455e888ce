// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_ORGANIZATION_H_
#define KMS_ORGANIZATION_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kms/caller.h"
#include "policy/decide.h"

// AWS Organizations User Guide, "Service control policies (SCPs)" and "Resource
// control policies (RCPs)".
namespace kms {

// A ControlLevels is the policies on the way from the root of an organization
// down to an account: those of one level add up, and every level must allow.
class ControlLevels {
 public:
  void Add(PolicyList level);

  // Views of this, which moving keeps.
  std::span<const policy::PolicySet> sets() const { return sets_; }
  bool uses_resource_tags() const;
  bool uses_resource_aliases() const;

 private:
  std::vector<PolicyList> levels_;
  std::vector<policy::PolicySet> sets_;
};

// An Organization knows which accounts belong together, and what bounds them.
// Immutable once in use; then safe to read from any thread.
class Organization {
 public:
  struct Member {
    std::string path;                // "o-exampleorg1/r-ab12/ou-ab12-11111111/"
    ControlLevels service_control;   // Of its users and roles, and its root.
    ControlLevels resource_control;  // Of its keys and roles.
  };

  Organization() = default;  // There is none.
  explicit Organization(std::string id) : id_(std::move(id)) {}

  void Add(std::string account, Member member);

  const std::string& id() const { return id_; }
  // nullptr if the account is in no organization.
  const Member* Find(std::string_view account) const;

 private:
  std::string id_;
  std::map<std::string, Member, std::less<>> members_;
};

}  // namespace kms

#endif  // KMS_ORGANIZATION_H_
