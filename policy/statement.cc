// SPDX-License-Identifier: Apache-2.0
#include "policy/statement.h"

#include <algorithm>

namespace policy {
namespace {

constexpr std::string_view kRoleResource = "role/";
constexpr std::string_view kSessionResource = "assumed-role/";

bool IsSession(PrincipalKind kind) {
  return kind == PrincipalKind::kAssumedRole ||
         kind == PrincipalKind::kFederatedUser;
}

bool HasAccount(PrincipalKind kind) {
  return IsSession(kind) || kind == PrincipalKind::kUser ||
         kind == PrincipalKind::kRoot;
}

// Whether the role `arn` has the name of the role whose session `session` is:
// a session's ARN does not hold its role's path.
bool IsRoleByName(std::string_view arn, std::string_view session) {
  const auto role = SplitArn(arn);
  const auto caller = SplitArn(session);
  if (!role || !caller || (*role)[1] != (*caller)[1] ||
      (*role)[4] != (*caller)[4] || !(*role)[5].starts_with(kRoleResource) ||
      !(*caller)[5].starts_with(kSessionResource)) {
    return false;
  }
  const std::string_view name = (*role)[5].substr((*role)[5].rfind('/') + 1);
  const std::string_view rest = (*caller)[5].substr(kSessionResource.size());
  return rest.substr(0, rest.find('/')) == name;
}

bool IsIssuer(std::string_view arn, const Request& request) {
  if (!request.issuer.empty()) {
    return arn == request.issuer;
  }
  return request.principal_kind == PrincipalKind::kAssumedRole &&
         IsRoleByName(arn, request.principal);
}

PrincipalMatch FindArn(const PrincipalSet::Member& member,
                       const Request& request) {
  const PrincipalKind kind = request.principal_kind;
  if (kind != PrincipalKind::kUser && !IsSession(kind)) {
    return PrincipalMatch::kNone;
  }
  if (member.bound &&
      (member.id.empty() || member.id != request.principal_id)) {
    return PrincipalMatch::kNone;
  }
  if (member.text == request.principal) {
    return PrincipalMatch::kDirect;
  }
  return IsSession(kind) && IsIssuer(member.text, request)
             ? PrincipalMatch::kIssuer
             : PrincipalMatch::kNone;
}

}  // namespace

PrincipalMatch FindMember(const PrincipalSet::Member& member,
                          const Request& request, bool deny) {
  using Kind = PrincipalSet::Kind;
  const PrincipalKind caller = request.principal_kind;
  const auto direct = [](bool matches) {
    return matches ? PrincipalMatch::kDirect : PrincipalMatch::kNone;
  };
  switch (member.kind) {
    case Kind::kEveryone:
      return direct(deny || HasAccount(caller));
    case Kind::kAccount:
      if (!HasAccount(caller) || member.text != request.principal_account) {
        return PrincipalMatch::kNone;
      }
      return caller == PrincipalKind::kRoot ? PrincipalMatch::kDirect
                                            : PrincipalMatch::kAccount;
    case Kind::kArn:
      return FindArn(member, request);
    case Kind::kId:
      if (member.text != request.principal_id) {
        return PrincipalMatch::kNone;
      }
      return IsSession(caller) ? PrincipalMatch::kIssuer
                               : PrincipalMatch::kDirect;
    case Kind::kService:
      return direct(caller == PrincipalKind::kService &&
                    member.text == request.principal);
    case Kind::kFederated:
      return direct(caller == PrincipalKind::kWebIdentity &&
                    member.text == request.principal);
  }
  return PrincipalMatch::kNone;
}

PrincipalMatch PrincipalSet::Find(const Request& request, bool deny) const {
  PrincipalMatch best = PrincipalMatch::kNone;
  for (const Member& member : members_) {
    best = std::max(best, FindMember(member, request, deny));
  }
  return best;
}

Match ResourceMatcher::Matches(const ArnParts* parts,
                               std::span<const ContextEntry> context) const {
  Match listed = everything_ ? Match::kYes : Match::kNo;
  for (const ArnPattern& pattern : patterns_) {
    // IAM User Guide: NotResource with a variable that has no value matches no
    // resource at all.
    if (inverted_ && !pattern.Resolves(context)) {
      return Match::kNo;
    }
    if (parts != nullptr && listed != Match::kYes) {
      listed = Or(listed, pattern.Matches(*parts, context));
    }
  }
  return inverted_ ? Not(listed) : listed;
}

}  // namespace policy
