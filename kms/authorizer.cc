// SPDX-License-Identifier: Apache-2.0
#include "kms/authorizer.h"

#include "policy/decide.h"

namespace kms {
namespace {

policy::PrincipalKind KindOf(const Caller& caller) {
  switch (caller.kind) {
    case CallerKind::kRoot:
      return policy::PrincipalKind::kRoot;
    case CallerKind::kUser:
      return policy::PrincipalKind::kUser;
    case CallerKind::kAssumedRole:
      return policy::PrincipalKind::kAssumedRole;
    case CallerKind::kService:
      return policy::PrincipalKind::kService;
    case CallerKind::kAnonymous:
      return policy::PrincipalKind::kWebIdentity;
  }
  return policy::PrincipalKind::kWebIdentity;
}

// "Resources and entities not restricted by RCPs": only some services' can be,
// ours are KMS and STS; and never a key that a service manages.
bool IsBoundByAccount(const policy::Request& request) {
  return request.resource_service.empty() &&
         (request.action.starts_with("kms:") ||
          request.action.starts_with("sts:"));
}

}  // namespace

policy::Candidate WithCaller(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource,
                             const Organization& organization) {
  policy::Candidate whole = {request, resource};
  if (caller.policies != nullptr) {
    whole.authority.identity = caller.policies->identity.views();
    whole.authority.boundary = caller.policies->boundary.views();
  }
  if (caller.session != nullptr) {
    whole.authority.session = caller.session->policies.views();
  }
  if (const auto* const member = organization.Find(caller.account)) {
    whole.authority.service_control = member->service_control.sets();
  }
  if (const auto* const member = organization.Find(request.resource_account);
      member != nullptr && IsBoundByAccount(request)) {
    whole.authority.resource_control = member->resource_control.sets();
  }
  whole.request.principal_kind = KindOf(caller);
  whole.request.issuer = caller.role_arn;
  return whole;
}

policy::Decision PolicyAuthorizer::Authorize(const Caller& caller,
                                             const policy::Request& request,
                                             const policy::Authority& resource,
                                             policy::Trace* trace) const {
  const policy::Candidate whole =
      WithCaller(caller, request, resource, organization_);
  return policy::Decide(whole.request, whole.authority, trace);
}

}  // namespace kms
