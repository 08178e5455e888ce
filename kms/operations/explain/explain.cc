// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>
#include <string>

#include "kms/json_writer.h"
#include "kms/operations/explain/handlers.h"
#include "kms/operations/explain/json_members.h"
#include "kms/operations/explain/log_search.h"
#include "kms/operations/explain/recorded.h"
#include "kms/operations/explain/scope.h"
#include "policy/evaluate.h"

namespace kms::operations {
namespace {

// The checks decided again.
struct Again {
  std::vector<std::string> explanations;
  bool allowed = true;
  policy::Decision of_decided;      // Of the check that the record is about.
  std::set<std::string> not_shown;  // Accounts whose policies are not.
};

base::Result<Again> DecideAgain(const Call& viewer, Recorded& recorded) {
  Again again;
  for (std::size_t i = 0; i < recorded.checks().size(); ++i) {
    ASSIGN_OR_RETURN(Call* const call, recorded.ForCheck(i));
    const Check& check = recorded.checks()[i];
    const bool own = MaySee(viewer, check.account);
    ASSIGN_OR_RETURN(
        std::string explanation,
        ExplanationOf(*call, check, own ? Shown::kAll : Shown::kNotOfResource));
    if (!own) {
      again.not_shown.insert(check.account);
    }
    again.explanations.push_back(std::move(explanation));
    again.allowed &= call->decision.verdict == policy::Verdict::kAllow;
    if (i == recorded.decided()) {
      again.of_decided = call->decision;
    }
  }
  return again;
}

bool Differs(const Recorded& recorded, const Again& again) {
  const base::Json& before = recorded.decision();
  const policy::Decision& now = again.of_decided;
  return TextOfMember(before, "verdict") != policy::VerdictName(now.verdict) ||
         TextOfMember(before, "layer") != now.layer ||
         TextOfMember(before, "sid") != now.sid ||
         recorded.WasAllowed() != again.allowed;
}

// What the record says, but of what another account's policies and grants said
// only whether they let the caller in.
base::Json RecordedDecision(const Recorded& recorded, const Again& again) {
  base::Json decision = recorded.decision();
  const std::string_view layer = TextOfMember(decision, "layer");
  const bool of_resource = policy::IsOfResource(layer) || layer == kByGrant;
  if (of_resource && !again.not_shown.empty()) {
    decision.erase("sid");
    if (!recorded.WasAllowed()) {
      decision["verdict"] = base::WipingString(
          policy::VerdictName(policy::Verdict::kImplicitDeny));
    }
  }
  return decision;
}

void WriteReply(const Recorded& recorded, const Again& again,
                JsonWriter& writer) {
  const base::Json& event = recorded.event();
  writer.BeginObject()
      .Text("EventId", TextOfMember(event, "eventID"))
      .Text("EventName", TextOfMember(event, "eventName"))
      .Text("EventTime", TextOfMember(event, "eventTime"));
  const std::string_view code = TextOfMember(event, "errorCode");
  if (!code.empty()) {
    writer.Text("ErrorCode", code);
  }
  if (recorded.decision().is_object()) {
    writer.Json("Recorded", RecordedDecision(recorded, again).dump());
  }
  writer.Text("PoliciesAreOf", "now");
  if (!again.explanations.empty()) {
    writer.Bool("Differs", Differs(recorded, again));
  }
  writer.BeginArray("Notes");
  for (const std::string& note : recorded.notes()) {
    writer.Item(note);
  }
  for (const std::string& account : again.not_shown) {
    writer.Item(
        fmt::format("What account {} says of its own is not shown.", account));
  }
  writer.EndArray().BeginArray("Checks");
  for (const std::string& explanation : again.explanations) {
    writer.JsonItem(explanation);
  }
  writer.EndArray().EndObject();
}

}  // namespace

Answer Explain(Call& call) {
  const std::string id(*call.Text("EventId"));
  CO_ASSIGN_OR_RETURN(const std::string line,
                      co_await FindEvent(call.environment.log_folder, id));
  CO_ASSIGN_OR_RETURN(base::Json event, ParseEvent(line));
  if (!MaySee(call, TextOfMember(event, "recipientAccountId"))) {
    co_return NoSuchEvent(id);
  }
  CO_ASSIGN_OR_RETURN(const auto recorded,
                      Recorded::Rebuild(call, std::move(event)));
  CO_ASSIGN_OR_RETURN(const Again again, DecideAgain(call, *recorded));
  Reply reply;
  JsonWriter writer(reply.body);
  WriteReply(*recorded, again, writer);
  co_return reply;
}

}  // namespace kms::operations
