// SPDX-License-Identifier: Apache-2.0
#include "kms/xks/authorization.h"

#include <utility>

#include "policy/evaluate.h"
#include "policy/text.h"

namespace kms::xks {
namespace {

// The fields of an ARN: "arn", partition, service, Region, account, resource.
constexpr std::size_t kPartition = 1;
constexpr std::size_t kOfService = 2;
constexpr std::size_t kRegion = 3;
constexpr std::size_t kAccount = 4;
constexpr std::size_t kResource = 5;

// What a request does not say is no entry: conditions on it do not hold.
void Add(Verdict& verdict, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    verdict.context.push_back({.key = key, .suffix = {}, .value = value});
  }
}

// Who asks, as far as the ARN tells.
struct Principal {
  policy::PrincipalKind kind = policy::PrincipalKind::kService;
  std::string account;
  std::string arn;  // For aws:PrincipalArn: of a session that of its role.
};

// A session's ARN does not tell the path of its role:
// "arn:aws:sts::1:assumed-role/Name/session" is of arn:aws:iam::1:role/Name.
std::string RoleArn(const policy::ArnParts& session) {
  std::string_view name = session[kResource];
  name.remove_prefix(name.find('/') + 1);
  return std::string("arn:")
      .append(session[kPartition])
      .append(":iam::")
      .append(session[kAccount])
      .append(":role/")
      .append(name.substr(0, name.find('/')));
}

// "AWS Internal", which no policy can name, is one of everyone. What is no ARN
// else is a service, which is not, as in every policy, and must be named.
Principal ReadPrincipal(std::string_view text) {
  using enum policy::PrincipalKind;
  const auto parts = policy::SplitArn(text);
  if (!parts) {
    return {.kind = text == "AWS Internal" ? kUser : kService,
            .account = {},
            .arn = std::string(text)};
  }
  Principal principal = {.kind = kUser,
                         .account = std::string((*parts)[kAccount]),
                         .arn = std::string(text)};
  const std::string_view resource = (*parts)[kResource];
  if ((*parts)[kOfService] == "sts") {
    if (resource.starts_with("assumed-role/")) {
      principal.kind = kAssumedRole;
      principal.arn = RoleArn(*parts);
    } else if (resource.starts_with("federated-user/")) {
      principal.kind = kFederatedUser;
    }
  } else if (resource == "root") {
    principal.kind = kRoot;
  }
  return principal;
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
  const Principal principal = ReadPrincipal(metadata.principal_arn);
  const std::string_view account =
      verdict.owned.emplace_back(principal.account);
  policy::Request request;
  request.action = ActionOf(operation);
  request.resource = verdict.resource;
  request.principal = metadata.principal_arn;
  request.principal_kind = principal.kind;
  request.principal_account = account;
  Add(verdict, "aws:PrincipalArn", verdict.owned.emplace_back(principal.arn));
  Add(verdict, "aws:PrincipalAccount", account);
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
