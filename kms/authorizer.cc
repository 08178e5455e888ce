// SPDX-License-Identifier: Apache-2.0
#include "kms/authorizer.h"

#include <array>
#include <utility>

#include "policy/decide.h"
#include "policy/policy.h"

namespace kms {
namespace {

constexpr std::string_view kAdministratorAccess =
    R"({"Version":"2012-10-17","Statement":)"
    R"([{"Effect":"Allow","Action":"*","Resource":"*"}]})";

PolicyPtr AdministratorAccess() {
  auto parsed = policy::Policy::Parse(policy::PolicyKind::kIdentity,
                                      kAdministratorAccess);
  return std::make_shared<const policy::Policy>(
      parsed ? *std::move(parsed) : policy::Policy::Unreadable());
}

policy::PrincipalKind KindOf(const Caller& caller) {
  switch (caller.kind) {
    case CallerKind::kRoot:
      return policy::PrincipalKind::kRoot;
    case CallerKind::kUser:
      return policy::PrincipalKind::kUser;
    case CallerKind::kService:
      return policy::PrincipalKind::kService;
  }
  return policy::PrincipalKind::kUser;
}

}  // namespace

PolicyAuthorizer::PolicyAuthorizer()
    : administrator_access_(AdministratorAccess()) {}

policy::Decision PolicyAuthorizer::Authorize(
    const Caller& caller, const policy::Request& request,
    const policy::Authority& resource) const {
  const std::array identity = {administrator_access_.get()};
  policy::Authority authority = resource;
  if (caller.administrator) {
    authority.identity = identity;
  }
  policy::Request question = request;
  question.principal_kind = KindOf(caller);
  return policy::Decide(question, authority);
}

}  // namespace kms
