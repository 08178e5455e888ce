// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/explain/recorded.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kms/audit/json_text.h"
#include "kms/operations/context.h"
#include "kms/operations/explain/json_members.h"
#include "kms/operations/explain/principals.h"
#include "kms/operations/explain/recorded_input.h"
#include "kms/operations/explain/scope.h"

namespace kms::operations {
namespace {

constexpr std::string_view kResourceTag = "aws:ResourceTag/";

// Names are those of one API each; ours and AWS's do not meet. What was asked
// of the XKS proxy is none of ours.
const Operation* OperationOf(const base::Json& event) {
  if (TextOfMember(event, "eventSource") == "kms-xks-proxy.amazonaws.com") {
    return nullptr;
  }
  const std::string_view name = TextOfMember(event, "eventName");
  const auto all = AllOperations();
  const auto found = std::ranges::find(all, name, &Operation::name);
  return found == all.end() ? nullptr : &*found;
}

Door DoorNamed(std::string_view name) {
  for (const Door door : {Door::kHttp, Door::kUnix}) {
    if (name == DoorName(door)) {
      return door;
    }
  }
  return Door::kHttps;
}

Supposed SupposedOf(const base::Json& event, CallerPtr caller,
                    base::WallTime time) {
  const std::string_view door =
      TextOfMember(MemberOf(event, "additionalEventData"), "door");
  return {.caller = std::move(caller),
          .operation = OperationOf(event),
          .region = std::string(TextOfMember(event, "awsRegion")),
          .source_address = std::string(TextOfMember(event, "sourceIPAddress")),
          .user_agent = std::string(TextOfMember(event, "userAgent")),
          .door = DoorNamed(door),
          .time = time};
}

// What is the same for all checks of a request.
bool IsOfRequest(const GivenKey& key) {
  return key.name == "kms:RequestAlias" ||
         (HasPrefix(key.name, "aws:") && !HasPrefix(key.name, kResourceTag) &&
          key.name != "aws:RequestedRegion");
}

bool HasAny(const std::vector<GivenKey>& keys, std::string_view prefix) {
  return std::ranges::any_of(keys, [prefix](const GivenKey& key) {
    return HasPrefix(key.name, prefix);
  });
}

}  // namespace

base::Result<base::Json> ParseEvent(std::string_view line) {
  auto event = base::ParseJson(line);
  if (!event || !event->is_object() ||
      TextOfMember(*event, "eventID").empty()) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "this is no event of the audit log"};
  }
  return event;
}

Recorded::Recorded(const Call& viewer, base::Json event)
    : viewer_(viewer), event_(std::move(event)) {
  Environment& environment = viewer.environment;
  const auto time =
      audit::ParseTime(std::string(TextOfMember(event_, "eventTime")))
          .value_or(base::WallTime());
  RecordedCaller who = CallerOfEvent(environment, event_, time);
  if (!who.note.empty()) {
    Note(std::move(who.note));
  }
  subject_ = std::make_unique<Subject>(
      environment, SupposedOf(event_, std::move(who.caller), time));
  subject_->call().web_identity = std::move(who.web);
}

base::Result<std::unique_ptr<Recorded>> Recorded::Rebuild(const Call& viewer,
                                                          base::Json event) {
  std::unique_ptr<Recorded> recorded(new Recorded(viewer, std::move(event)));
  const base::Json& context =
      MemberOf(MemberOf(recorded->event_, "additionalEventData"), "context");
  if (recorded->decision().is_null()) {
    recorded->Note(
        fmt::format("Policies were not asked about this request. {}: {}",
                    TextOfMember(recorded->event_, "errorCode"),
                    TextOfMember(recorded->event_, "errorMessage")));
  } else if (IsOmitted(context)) {
    recorded->Note(
        "The condition context was too large to be recorded: the request "
        "cannot be decided again.");
  } else {
    recorded->keys_ = ReadGivenKeys(context);
    recorded->RebuildInput();
    RETURN_IF_ERROR(recorded->RebuildChecks());
  }
  return recorded;
}

const base::Json& Recorded::decision() const {
  return MemberOf(MemberOf(event_, "additionalEventData"), "decision");
}

bool Recorded::WasAllowed() const {
  return TextOfMember(decision(), "verdict") ==
         policy::VerdictName(policy::Verdict::kAllow);
}

void Recorded::RebuildInput() {
  Call& call = subject_->call();
  const base::Json& parameters = MemberOf(event_, "requestParameters");
  if (IsOmitted(parameters)) {
    Note(
        "The request's parameters were too large to be recorded: checks "
        "beside the one that was decided may be explained without them.");
  }
  call.input = std::make_unique<base::Json>(
      InputOfParameters(parameters, call.operation.input));
  if (call.operation.name == "CreateGrant") {
    PutConstraints(keys_, *call.input);
  }
}

base::Status Recorded::AddCheck(std::string_view action,
                                std::string_view resource,
                                std::string_view region) {
  Call& call = subject_->call();
  ASSIGN_OR_RETURN(Check check, CheckOf(call, action, resource));
  check.region = call.owned.emplace_back(region);
  if (check.key == nullptr && resource.find(":key/") != resource.npos &&
      MaySee(viewer_, check.account)) {
    Note(
        fmt::format("{} is gone: this is as if it were there, without a key "
                    "policy and grants.",
                    resource));
  }
  checks_.push_back(std::move(check));
  return {};
}

// See ChecksOf in record.cc.
base::Status Recorded::RebuildChecks() {
  const base::Json& checks =
      MemberOf(MemberOf(event_, "additionalEventData"), "checks");
  if (IsOmitted(checks)) {
    Note(
        "What was asked of policies was too large to be recorded: the request "
        "cannot be decided again.");
    return {};
  }
  if (checks.is_array()) {
    for (const base::Json& check : checks) {
      RETURN_IF_ERROR(AddCheck(TextOfMember(check, "action"),
                               TextOfMember(check, "resource"),
                               TextOfMember(check, "region")));
    }
  } else {
    const base::Json& resources = MemberOf(event_, "resources");
    const bool on_key = resources.is_array() && !resources.empty();
    RETURN_IF_ERROR(
        AddCheck(subject_->call().operation.action,
                 on_key ? TextOfMember(resources.front(), "ARN") : "*", ""));
  }
  const base::Json& decided = MemberOf(decision(), "check");
  if (decided.is_number_unsigned()) {
    decided_ = decided.get<std::size_t>();
  }
  return RebuildResources();
}

// What the operation itself would have found.
base::Status Recorded::RebuildResources() {
  Call& call = subject_->call();
  for (const Check& check : checks_) {
    if (check.action == "kms:ReEncryptFrom") {
      call.source = check.key;
    } else if (call.key == nullptr) {
      call.key = check.key;
    }
  }
  if (call.operation.name != "RetireGrant") {
    return {};
  }
  std::string id(call.Text("GrantId").value_or(""));
  if (id.empty()) {
    id = TextOfMember(MemberOf(event_, "responseElements"), "grantId");
  }
  auto grant = call.environment.store.FindGrant(id);
  if (grant) {
    call.grant = *std::move(grant);
  } else if (grant.error().code == base::ErrorCode::kNotFound) {
    Note("The grant is not there: this is as if nobody could retire it.");
  } else {
    return base::Error(std::move(grant).error());
  }
  return {};
}

base::Result<Call*> Recorded::ForCheck(std::size_t index) {
  Call& call = subject_->call();
  const Check& check = checks_.at(index);
  if (index == decided_) {
    call.context.clear();
    if (check.key != nullptr) {
      RETURN_IF_ERROR(AddLookedUp(call, *check.key));
    }
    if (HasAny(keys_, kResourceTag)) {
      std::erase_if(call.context, [](const policy::ContextEntry& entry) {
        return entry.key == kResourceTag;
      });
    }
    PutKeys(keys_, call);
  } else {
    RETURN_IF_ERROR(BuildContext(call, check));
    std::vector<GivenKey> of_request = keys_;
    std::erase_if(of_request,
                  [](const GivenKey& key) { return !IsOfRequest(key); });
    PutKeys(of_request, call);
  }
  AddDerivedKeys(call);
  return &call;
}

}  // namespace kms::operations
