// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/grants.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "kms/operations/page.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

std::string TextOr(const Call& call, std::string_view name) {
  return std::string(call.Text(name).value_or(""));
}

std::optional<ContextPairs> PairsIn(const base::Json& constraints,
                                    std::string_view name) {
  const auto it = constraints.find(name);
  if (it == constraints.end() || it->is_null()) {
    return std::nullopt;
  }
  ContextPairs pairs;
  for (const auto& [key, value] : it->get_ref<const base::Json::object_t&>()) {
    pairs.emplace(std::string_view(key), base::TextOf(value));
  }
  return pairs;
}

void WritePairs(JsonWriter& writer, std::string_view name,
                const std::optional<ContextPairs>& pairs) {
  if (!pairs) {
    return;
  }
  writer.BeginObject(name);
  for (const auto& [key, value] : *pairs) {
    writer.Pair(key, value);
  }
  writer.EndObject();
}

void WriteConstraints(JsonWriter& writer, const GrantConstraints& constraints) {
  if (constraints == GrantConstraints()) {
    return;
  }
  writer.BeginObject("Constraints");
  WritePairs(writer, "EncryptionContextSubset", constraints.context_subset);
  WritePairs(writer, "EncryptionContextEquals", constraints.context_equals);
  if (!constraints.source_arn.empty()) {
    writer.Text("SourceArn", constraints.source_arn);
  }
  writer.EndObject();
}

void WriteOptional(JsonWriter& writer, std::string_view name,
                   std::string_view text) {
  if (!text.empty()) {
    writer.Text(name, text);
  }
}

// Where a service is the principal, AWS names it in the older member, too.
void WritePrincipal(JsonWriter& writer, std::string_view name,
                    std::string_view service_name, const std::string& principal,
                    const std::string& service) {
  WriteOptional(writer, name, service.empty() ? principal : service);
  WriteOptional(writer, service_name, service);
}

void WriteGrant(JsonWriter& writer, const Grant& grant) {
  writer.BeginObject()
      .Text("KeyId", grant.KeyArn())
      .Text("GrantId", grant.id)
      .Text("Name", grant.name)
      .Time("CreationDate", grant.created);
  WritePrincipal(writer, "GranteePrincipal", "GranteeServicePrincipal",
                 grant.grantee_principal, grant.grantee_service);
  WritePrincipal(writer, "RetiringPrincipal", "RetiringServicePrincipal",
                 grant.retiring_principal, grant.retiring_service);
  writer
      .Text("IssuingAccount", "arn:aws:iam::" + grant.issuing_account + ":root")
      .BeginArray("Operations");
  grant.operations.ForEachName(
      [&writer](std::string_view name) { writer.Item(name); });
  writer.EndArray();
  WriteConstraints(writer, grant.constraints);
  writer.EndObject();
}

}  // namespace

GrantConstraints RequestedConstraints(const Call& call) {
  GrantConstraints constraints;
  const base::Json* const given = call.Find("Constraints");
  if (given == nullptr) {
    return constraints;
  }
  constraints.context_equals = PairsIn(*given, "EncryptionContextEquals");
  constraints.context_subset = PairsIn(*given, "EncryptionContextSubset");
  const auto source = given->find("SourceArn");
  if (source != given->end() && !source->is_null()) {
    constraints.source_arn = base::TextOf(*source);
  }
  return constraints;
}

Grant RequestedGrant(const Call& call) {
  Grant grant;
  grant.id = NewGrantId();
  grant.key_row_id = call.key->row_id;
  grant.account = call.key->account;
  grant.region = call.key->region;
  grant.name = TextOr(call, "Name");
  grant.grantee_principal = TextOr(call, "GranteePrincipal");
  grant.grantee_service = TextOr(call, "GranteeServicePrincipal");
  grant.retiring_principal = TextOr(call, "RetiringPrincipal");
  grant.retiring_service = TextOr(call, "RetiringServicePrincipal");
  grant.issuing_account = call.request.caller.account;
  grant.creating_principal = call.request.caller.arn;
  // Not there in a request that is only supposed.
  if (const base::Json* const names = call.Find("Operations")) {
    for (const base::Json& name : *names) {
      if (const auto operation = ParseGrantOperation(base::TextOf(name))) {
        grant.operations.Add(*operation);
      }
    }
  }
  grant.constraints = RequestedConstraints(call);
  grant.created = call.now;
  return grant;
}

base::Status CheckGrantId(const Call& call) {
  const auto id = call.Text("GrantId");
  if (!id || IsGrantId(*id)) {
    return {};
  }
  return Error{ErrorCode::kInvalidGrantId,
               fmt::format("The grant ID '{}' is not valid: a grant ID is 64 "
                           "hexadecimal digits.",
                           *id)};
}

base::Status CheckPrincipal(const Call& call, std::string_view name) {
  const auto arn = call.Text(name);
  if (!arn || AccountOfPrincipal(*arn)) {
    return {};
  }
  return Error{
      ErrorCode::kInvalidArn,
      fmt::format("{} '{}' is not the ARN of a principal. Give that of an "
                  "account's root, an IAM user or role, a federated user or an "
                  "assumed role; for an AWS service use the member for service "
                  "principals.",
                  name, *arn)};
}

base::Status CheckOneOf(const Call& call, std::string_view first,
                        std::string_view second, bool required) {
  const bool has_first = call.Find(first) != nullptr;
  const bool has_second = call.Find(second) != nullptr;
  if (has_first && has_second) {
    return Error{
        ErrorCode::kValidation,
        fmt::format("Specify either {} or {}, not both.", first, second)};
  }
  if (required && !has_first && !has_second) {
    return Error{ErrorCode::kValidation,
                 fmt::format("Specify {} or {}.", first, second)};
  }
  return {};
}

base::Error NoSuchGrant(const Call& call) {
  return {ErrorCode::kNotFound,
          fmt::format("Grant ID {} not found", *call.Text("GrantId"))};
}

Reply GrantList(const Call& call, const store::Page<Grant>& page) {
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Grants");
  for (const Grant& grant : page.items) {
    WriteGrant(writer, grant);
  }
  writer.EndArray();
  WritePageEnd(call, page.truncated,
               page.items.empty() ? "" : page.items.back().id, writer);
  writer.EndObject();
  return reply;
}

}  // namespace kms::operations
