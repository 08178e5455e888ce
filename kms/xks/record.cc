// SPDX-License-Identifier: Apache-2.0
#include "kms/xks/record.h"

#include <vector>

#include "kms/audit/event.h"

namespace kms::xks {
namespace {

// Those that are not empty.
void Add(std::vector<audit::Member>& members, std::string_view name,
         std::string_view value) {
  if (!value.empty()) {
    members.push_back({name, value});
  }
}

std::vector<audit::Member> ParametersOf(const Recorded& recorded) {
  const RequestMetadata& metadata = recorded.metadata;
  std::vector<audit::Member> members;
  Add(members, "tenant", recorded.request.tenant.settings.name);
  Add(members, "externalKeyId", recorded.request.key_id);
  if (recorded.version != 0) {
    members.push_back({"keyVersion", recorded.version});
  }
  Add(members, "keyStore", recorded.key_store);
  members.push_back(
      {"milliseconds", static_cast<std::uint64_t>(recorded.took.count())});
  Add(members, "kmsRequestId", metadata.kms_request_id);
  Add(members, "kmsOperation", metadata.kms_operation);
  Add(members, "kmsKeyArn", metadata.kms_key_arn);
  Add(members, "kmsViaService", metadata.via_service);
  return members;
}

std::vector<audit::Member> ContextOf(const Verdict& verdict) {
  std::vector<audit::Member> members;
  members.reserve(verdict.context.size());
  for (const policy::ContextEntry& entry : verdict.context) {
    members.push_back({entry.key, entry.value});
  }
  return members;
}

}  // namespace

std::string EventOf(const Recorded& recorded) {
  const Request& request = recorded.request;
  const std::vector<audit::Member> parameters = ParametersOf(recorded);
  const std::vector<audit::Member> context = ContextOf(recorded.verdict);
  std::vector<audit::Member> decision;
  const audit::Event::Resource resource = {
      {}, recorded.verdict.resource, "Claviger::XKS::ExternalKey"};
  audit::Event event;
  event.identity = {.type = "Unknown",
                    .arn = recorded.metadata.principal_arn,
                    .access_key_id = request.access_key_id};
  event.time = recorded.time;
  event.source = "kms-xks-proxy.amazonaws.com";
  event.name = OperationName(request.operation);
  event.region = request.region;
  event.source_address = request.source_address;
  event.user_agent = request.user_agent;
  if (recorded.error != nullptr) {
    event.error_code = ErrorRowOf(recorded.error->code).name;
    event.error_message = recorded.error->message;
  }
  event.request = parameters;
  if (!recorded.verdict.resource.empty()) {
    event.resources = {&resource, 1};
    decision.push_back(
        {"verdict", policy::VerdictName(recorded.verdict.decision.verdict)});
    Add(decision, "layer", recorded.verdict.decision.layer);
    Add(decision, "sid", recorded.verdict.decision.sid);
    event.decision = decision;
    event.context = context;
  }
  event.door = "xks";
  event.request_id = recorded.event_id;
  event.event_id = recorded.event_id;
  return audit::EventText(event);
}

}  // namespace kms::xks
