// SPDX-License-Identifier: Apache-2.0
#include "tests/policy/policies.h"

#include "tests/testlib/status.h"

namespace policy {
namespace {

Request From(std::string_view principal, std::string_view account,
             PrincipalKind kind) {
  return {.action = "kms:Decrypt",
          .resource = kKeyArn,
          .resource_account = kAccount,
          .principal = principal,
          .principal_account = account,
          .principal_kind = kind};
}

// One level for each policy.
std::vector<PolicySet> LevelsOf(const std::vector<const Policy*>& policies) {
  std::vector<PolicySet> levels;
  levels.reserve(policies.size());
  for (const Policy* const& policy : policies) {
    levels.emplace_back(&policy, 1);
  }
  return levels;
}

}  // namespace

std::string Document(std::string_view statements) {
  return R"({"Version":"2012-10-17","Statement":[)" + std::string(statements) +
         "]}";
}

std::string Allow(std::string_view members) {
  return R"({"Effect":"Allow",)" + std::string(members) + "}";
}

std::string Deny(std::string_view members) {
  return R"({"Effect":"Deny",)" + std::string(members) + "}";
}

std::string For(std::string_view principal, std::string_view action) {
  const std::string value =
      principal.starts_with('{')
          ? std::string(principal)
          : R"({"AWS":")" + std::string(principal) + R"("})";
  return R"("Principal":)" + value + R"(,"Action":")" + std::string(action) +
         R"(","Resource":"*")";
}

Policy Compiled(PolicyKind kind, std::string_view document) {
  return testlib::Take(Policy::Parse(kind, document));
}

Request FromAlice() { return From(kAlice, kAccount, PrincipalKind::kUser); }
Request FromRoot() { return From(kRoot, kAccount, PrincipalKind::kRoot); }
Request FromSession() {
  Request request = From(kSession, kAccount, PrincipalKind::kAssumedRole);
  request.issuer = kRole;
  return request;
}
Request FromFederatedUser() {
  Request request = From(kFederated, kAccount, PrincipalKind::kFederatedUser);
  request.issuer = kAlice;
  return request;
}
Request FromStranger() {
  return From(kStranger, kOtherAccount, PrincipalKind::kUser);
}
Request FromService(std::string_view service) {
  return From(service, kAccount, PrincipalKind::kService);
}

void Rules::Layer::Add(PolicyKind kind, std::string_view statements) {
  policies.push_back(
      std::make_unique<Policy>(Compiled(kind, Document(statements))));
  pointers.push_back(policies.back().get());
}

Rules& Rules::Key(std::string_view statements) {
  resource_ = std::make_unique<Policy>(
      Compiled(PolicyKind::kKey, Document(statements)));
  return *this;
}
Rules& Rules::Trust(std::string_view statements) {
  resource_ = std::make_unique<Policy>(
      Compiled(PolicyKind::kTrust, Document(statements)));
  return *this;
}
Rules& Rules::Identity(std::string_view statements) {
  identity_.Add(PolicyKind::kIdentity, statements);
  return *this;
}
Rules& Rules::Boundary(std::string_view statements) {
  boundary_.Add(PolicyKind::kPermissionsBoundary, statements);
  return *this;
}
Rules& Rules::Session(std::string_view statements) {
  session_.Add(PolicyKind::kSession, statements);
  return *this;
}
Rules& Rules::ServiceControl(std::string_view statements) {
  service_control_.Add(PolicyKind::kServiceControl, statements);
  return *this;
}
Rules& Rules::ResourceControl(std::string_view statements) {
  resource_control_.Add(PolicyKind::kResourceControl, statements);
  return *this;
}
Rules& Rules::With(Grant grant) {
  grants_.push_back(grant);
  return *this;
}

Authority Rules::authority() const {
  service_control_levels_ = LevelsOf(service_control_.pointers);
  resource_control_levels_ = LevelsOf(resource_control_.pointers);
  return {.resource_policy = resource_.get(),
          .identity = identity_.pointers,
          .boundary = boundary_.pointers,
          .session = session_.pointers,
          .service_control = service_control_levels_,
          .resource_control = resource_control_levels_,
          .grants = grants_};
}

Decision Rules::Decide(const Request& request) const {
  return policy::Decide(request, authority());
}

Verdict Rules::VerdictOn(const Request& request) const {
  return Decide(request).verdict;
}

}  // namespace policy
