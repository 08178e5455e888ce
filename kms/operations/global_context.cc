// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "kms/audit/json_text.h"
#include "kms/managed_keys.h"
#include "kms/operations/context_builder.h"
#include "policy/text.h"

// IAM JSON Policy Reference, "AWS global condition context keys".
namespace kms::operations {
namespace {

// What only a service can say: for whose resource it acts.
void AddSource(const Request& request, ContextBuilder& builder) {
  builder.Add("aws:SourceArn", request.source_arn);
  const auto parts = policy::SplitArn(request.source_arn);
  builder.Add("aws:SourceAccount", parts && !parts->at(4).empty()
                                       ? parts->at(4)
                                       : request.caller.account);
}

// A service acts for its account's users, none of whom is the principal.
void AddService(const Request& request, ContextBuilder& builder) {
  const Caller& caller = request.caller;
  builder.AddBool("aws:PrincipalIsAWSService", true);
  builder.Add("aws:PrincipalServiceName", caller.service);
  builder.Add("kms:CallerAccount", caller.account);
  builder.AddOwned("kms:ViaService",
                   ViaService(caller.service, request.region));
  if (!request.source_arn.empty()) {
    AddSource(request, builder);
  }
}

// IAM JSON Policy Reference, "AWS global condition context keys":
// aws:PrincipalType.
std::string_view PrincipalType(CallerKind kind) {
  switch (kind) {
    case CallerKind::kRoot:
      return "Account";
    case CallerKind::kUser:
      return "User";
    case CallerKind::kAssumedRole:
      return "AssumedRole";
    case CallerKind::kService:
      return "Service";
    case CallerKind::kAnonymous:
      return "Anonymous";
  }
  return "";
}

std::string TimeText(base::WallTime time) {
  std::string text;
  audit::AppendTime(time, text);
  return text;
}

// Of temporary credentials. There is no second factor here.
void AddSession(const SessionFacts& session, ContextBuilder& builder) {
  builder.AddOwned("aws:TokenIssueTime", TimeText(session.issued));
  builder.AddBool("aws:MultiFactorAuthPresent", false);
  builder.Add("aws:SourceIdentity", session.source_identity);
  builder.Add("aws:FederatedProvider", session.federated_provider);
}

void AddCaller(Call& call, ContextBuilder& builder) {
  const Caller& caller = call.request.caller;
  if (caller.kind == CallerKind::kService) {
    return AddService(call.request, builder);
  }
  if (caller.kind == CallerKind::kAnonymous) {
    return;
  }
  builder.AddBool("aws:PrincipalIsAWSService", false);
  const bool in_role = caller.kind == CallerKind::kAssumedRole;
  builder.Add("aws:PrincipalArn", in_role ? caller.role_arn : caller.arn);
  builder.Add("aws:PrincipalAccount", caller.account);
  builder.Add("aws:PrincipalType", PrincipalType(caller.kind));
  builder.Add("aws:userid", caller.principal_id);
  builder.Add("aws:username", caller.user_name);
  builder.Add("kms:CallerAccount", caller.account);
  for (const auto& [key, value] : caller.tags) {
    call.context.push_back({"aws:PrincipalTag/", key, value});
  }
  if (caller.session != nullptr) {
    AddSession(*caller.session, builder);
  }
}

void AddOrganizations(const Call& call, const Check& check,
                      ContextBuilder& builder) {
  const Organization& all = call.environment.organization;
  const Caller& caller = call.request.caller;
  const auto* const of_caller = all.Find(caller.account);
  if (of_caller != nullptr && caller.kind != CallerKind::kService) {
    builder.Add("aws:PrincipalOrgID", all.id());
    builder.Add("aws:PrincipalOrgPaths", of_caller->path);
  }
  if (const auto* const of_resource = all.Find(check.account)) {
    builder.Add("aws:ResourceOrgID", all.id());
    builder.Add("aws:ResourceOrgPaths", of_resource->path);
  }
}

void AddRequest(const Call& call, const Check& check, ContextBuilder& builder) {
  const Request& request = call.request;
  if (request.door != Door::kUnix) {
    builder.Add("aws:SourceIp", request.source_address);
  }
  builder.Add("aws:UserAgent", request.user_agent);
  builder.Add("aws:RequestedRegion",
              check.region.empty() ? request.region : check.region);
  builder.Add("aws:Referer", request.referer);
  builder.Add("aws:ResourceAccount", check.account);
  builder.AddBool("aws:ViaAWSService", false);
  builder.AddBool("aws:SecureTransport", request.door == Door::kHttps);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(call.now);
  builder.AddOwned("aws:CurrentTime", TimeText(call.now));
  builder.AddOwned("aws:EpochTime",
                   std::to_string(seconds.time_since_epoch().count()));
}

}  // namespace

void AddGlobalContext(Call& call, const Check& check, ContextBuilder& builder) {
  AddCaller(call, builder);
  AddRequest(call, check, builder);
  AddOrganizations(call, check, builder);
}

}  // namespace kms::operations
