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

policy::Decision PolicyAuthorizer::Authorize(
    const Caller& caller, const policy::Request& request,
    const policy::Authority& resource) const {
  policy::Authority authority = resource;
  if (caller.policies != nullptr) {
    authority.identity = caller.policies->identity.views();
    authority.boundary = caller.policies->boundary.views();
  }
  if (caller.session != nullptr) {
    authority.session = caller.session->policies.views();
  }
  policy::Request question = request;
  question.principal_kind = KindOf(caller);
  question.issuer = caller.role_arn;
  return policy::Decide(question, authority);
}

}  // namespace kms
