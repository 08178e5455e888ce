// SPDX-License-Identifier: Apache-2.0
#include "kms/xks/authorization.h"

#include <utility>

#include "policy/evaluate.h"
#include "policy/text.h"

namespace kms::xks {
namespace {

// The fields of an ARN: "arn", partition, service, Region, account, resource.
constexpr std::size_t kRegion = 3;
constexpr std::size_t kAccount = 4;

// What a request does not say is no entry: conditions on it do not hold.
void Add(Verdict& verdict, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    verdict.context.push_back({.key = key, .suffix = {}, .value = value});
  }
}

// The role of a session's ARN; without its path, which the session does not
// tell: "arn:aws:sts::1:assumed-role/Name/session" is of role/Name.
std::string RoleArn(std::string_view session, std::string_view account) {
  constexpr std::string_view kSessions = ":assumed-role/";
  const std::size_t at = session.find(kSessions);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view name = session.substr(at + kSessions.size());
  return std::string("arn:aws:iam::")
      .append(account)
      .append(":role/")
      .append(name.substr(0, name.find('/')));
}

// "AWS Internal", which no policy can name, is one of everyone; a service is
// not, as in every policy, and must be named.
policy::PrincipalKind KindOf(std::string_view principal) {
  using enum policy::PrincipalKind;
  if (principal.ends_with(".amazonaws.com")) {
    return kService;
  }
  if (principal.find(":assumed-role/") != std::string_view::npos) {
    return kAssumedRole;
  }
  if (principal.find(":federated-user/") != std::string_view::npos) {
    return kFederatedUser;
  }
  return principal.ends_with(":root") ? kRoot : kUser;
}

void FillContext(const RequestMetadata& metadata, Verdict& verdict) {
  Add(verdict, "xks:KmsOperation", metadata.kms_operation);
  Add(verdict, "xks:KmsKeyArn", metadata.kms_key_arn);
  if (const auto parts = policy::SplitArn(metadata.kms_key_arn)) {
    Add(verdict, "xks:KmsKeyRegion", (*parts)[kRegion]);
    Add(verdict, "xks:KmsKeyAccount", (*parts)[kAccount]);
  }
  Add(verdict, "xks:KmsViaService", metadata.via_service);
  Add(verdict, "aws:SourceVpc", metadata.source_vpc);
  Add(verdict, "aws:SourceVpce", metadata.source_vpce);
}

}  // namespace

std::string ExternalKeyArn(std::string_view tenant, std::string_view key_id) {
  return std::string("arn:aws:xks:::")
      .append(tenant)
      .append("/")
      .append(key_id);
}

base::Status Authorize(const Tenant& tenant, Operation operation,
                       std::string_view key_id, const RequestMetadata& metadata,
                       Verdict& verdict) {
  verdict.resource = ExternalKeyArn(tenant.settings.name, key_id);
  FillContext(metadata, verdict);
  policy::Request request;
  request.action = ActionOf(operation);
  request.resource = verdict.resource;
  request.principal = metadata.principal_arn;
  request.principal_kind = KindOf(metadata.principal_arn);
  if (const auto parts = policy::SplitArn(metadata.principal_arn)) {
    request.principal_account = (*parts)[kAccount];
  }
  if (request.principal_kind == policy::PrincipalKind::kAssumedRole) {
    request.issuer = verdict.owned.emplace_back(
        RoleArn(metadata.principal_arn, request.principal_account));
    Add(verdict, "aws:PrincipalArn", request.issuer);
  } else {
    Add(verdict, "aws:PrincipalArn", metadata.principal_arn);
  }
  Add(verdict, "aws:PrincipalAccount", request.principal_account);
  request.context = verdict.context;
  policy::Decision& decision = verdict.decision;
  if (tenant.settings.policy == nullptr) {
    decision.verdict = policy::Verdict::kAllow;
    return {};
  }
  const policy::RequestView view(request);
  const policy::Outcome outcome = Evaluate(*tenant.settings.policy, view);
  decision.layer = policy::LayerName(policy::Layer::kResource);
  if (view.valid() && outcome.deny == nullptr && outcome.allows_somehow()) {
    decision.verdict = policy::Verdict::kAllow;
    return {};
  }
  if (outcome.deny != nullptr) {
    decision.verdict = policy::Verdict::kExplicitDeny;
    decision.sid = outcome.deny->sid;
  }
  return base::Error{
      base::ErrorCode::kAccessDenied,
      std::string("the tenant's policy does not allow ")
          .append(request.action)
          .append(outcome.deny != nullptr ? ": a statement denies it"
                                          : ": no statement allows it")};
}

}  // namespace kms::xks
