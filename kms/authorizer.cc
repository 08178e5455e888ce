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

}  // namespace

policy::Candidate WithCaller(const Caller& caller,
                             const policy::Request& request,
                             const policy::Authority& resource) {
  policy::Candidate whole = {request, resource};
  if (caller.policies != nullptr) {
    whole.authority.identity = caller.policies->identity.views();
    whole.authority.boundary = caller.policies->boundary.views();
  }
  if (caller.session != nullptr) {
    whole.authority.session = caller.session->policies.views();
  }
  whole.request.principal_kind = KindOf(caller);
  whole.request.issuer = caller.role_arn;
  return whole;
}

policy::Decision PolicyAuthorizer::Authorize(const Caller& caller,
                                             const policy::Request& request,
                                             const policy::Authority& resource,
                                             policy::Trace* trace) const {
  const policy::Candidate whole = WithCaller(caller, request, resource);
  return policy::Decide(whole.request, whole.authority, trace);
}

}  // namespace kms
