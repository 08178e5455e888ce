// SPDX-License-Identifier: Apache-2.0
#include "policy/grant.h"

#include <algorithm>
#include <optional>

#include "policy/text.h"

namespace policy {
namespace {

constexpr std::string_view kContextPrefix = "kms:encryptioncontext:";

// AWS KMS Developer Guide, "Using grant constraints": these do not see an
// encryption context; what CreateGrant must fulfil is Grant::covers_child.
constexpr KmsActions kWithoutContext =
    Bit("DescribeKey") | Bit("RetireGrant") | Bit("CreateGrant");

// The name in the encryption context that an entry is about. Unlike condition
// keys, it depends on case.
std::optional<std::string_view> ContextName(const ContextEntry& entry) {
  if (!FoldsTo(entry.key.substr(0, kContextPrefix.size()), kContextPrefix)) {
    return std::nullopt;
  }
  const std::string_view rest = entry.key.substr(kContextPrefix.size());
  return rest.empty() ? entry.suffix : rest;
}

bool HasPair(std::span<const ContextEntry> context, const ContextPair& pair) {
  return std::ranges::any_of(context, [&](const ContextEntry& entry) {
    return ContextName(entry) == pair.key && entry.value == pair.value;
  });
}

// Whether a constraint on what is not known counts as met.
bool Assumed(const Assumption& assumption) {
  return assumption.Answer(Effect::kAllow) == Match::kYes;
}

bool MeetsContext(const Grant& grant, const RequestView& view) {
  if (grant.constraint == Grant::Constraint::kNone) {
    return true;
  }
  const auto context = view.request().context;
  const bool has_all = std::ranges::all_of(
      grant.pairs,
      [&](const ContextPair& pair) { return HasPair(context, pair); });
  const bool subset = grant.constraint == Grant::Constraint::kSubset;
  if (subset && has_all) {
    return true;
  }
  const Assumption* const assumption = view.assumption();
  if (assumption != nullptr && !assumption->known.Has(kContextPrefix)) {
    return Assumed(*assumption);  // There may be more pairs.
  }
  const auto count = std::ranges::count_if(
      context,
      [](const ContextEntry& entry) { return ContextName(entry).has_value(); });
  return has_all && !subset &&
         static_cast<std::size_t>(count) == grant.pairs.size();
}

// Wildcards as in the ArnLike of aws:SourceArn.
bool MeetsSourceArn(std::string_view pattern, const RequestView& view) {
  if (pattern.empty()) {
    return true;
  }
  const auto context = view.request().context;
  const Assumption* const assumption = view.assumption();
  if (assumption != nullptr &&
      assumption->IsUnknown(ContextKey("aws:SourceArn"), context)) {
    return Assumed(*assumption);
  }
  const auto wanted = SplitArn(pattern);
  return wanted && std::ranges::any_of(context, [&](const ContextEntry& entry) {
           const auto actual = SplitArn(entry.value);
           return entry.suffix.empty() && FoldsTo(entry.key, "aws:sourcearn") &&
                  actual && std::ranges::equal(*wanted, *actual, GlobMatches);
         });
}

}  // namespace

PrincipalMatch FindPrincipal(std::string_view name, std::string_view id,
                             const Request& request) {
  const PrincipalKind kind = request.principal_kind;
  if (name.empty() || kind == PrincipalKind::kWebIdentity) {
    return PrincipalMatch::kNone;
  }
  if (kind == PrincipalKind::kService) {
    return name == request.principal ? PrincipalMatch::kDirect
                                     : PrincipalMatch::kNone;
  }
  using Kind = PrincipalSet::Kind;
  const auto arn = SplitArn(name);
  if (arn && (*arn)[2] == "iam" && (*arn)[5] == "root") {
    return FindMember({Kind::kAccount, (*arn)[4]}, request, false);
  }
  return FindMember({Kind::kArn, name, !id.empty(), id}, request, false);
}

GrantMatch MatchGrant(const Grant& grant, const RequestView& view) {
  using What = GrantTrace::Outcome;
  const KmsActions bit = view.action().bit();
  if ((grant.operations & bit) == 0) {
    return {What::kOperation};
  }
  const bool sees_context = (bit & kWithoutContext) == 0;
  if (!MeetsSourceArn(grant.source_arn, view) ||
      (sees_context && !MeetsContext(grant, view))) {
    return {What::kConstraint};
  }
  if (bit == Bit("CreateGrant") && !grant.covers_child) {
    return {What::kChild};
  }
  const PrincipalMatch principal =
      FindPrincipal(grant.grantee, grant.grantee_id, view.request());
  if (principal == PrincipalMatch::kNone) {
    return {What::kGrantee};
  }
  return {What::kMatched, principal};
}

}  // namespace policy
