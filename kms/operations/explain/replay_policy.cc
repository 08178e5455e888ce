// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include "kms/audit/json_text.h"
#include "kms/operations/authorize.h"
#include "kms/operations/explain/handlers.h"
#include "kms/operations/explain/json_members.h"
#include "kms/operations/explain/log_search.h"
#include "kms/operations/explain/recorded.h"
#include "kms/operations/explain/scope.h"
#include "kms/operations/page.h"
#include "kms/operations/policies.h"
#include "policy/policy.h"

namespace kms::operations {
namespace {

using policy::Decision;
using policy::Verdict;

// What one call looks at, and says, at most; the next goes on there.
constexpr int kMostEvents = 5000;
constexpr std::size_t kMostReplyBytes = 512 << 10;

// The last number of a page before; 0: there is none.
base::Result<std::uint64_t> PageStart(const Call& call) {
  ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kMostEvents));
  std::uint64_t sequence = 0;
  for (const char digit : page.after) {
    if (digit < '0' || digit > '9') {
      return InvalidMarker();
    }
    sequence = sequence * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return sequence;
}

// The key as it would be.
base::Result<KeyPtr> WithNewPolicy(const Call& call) {
  auto changed = std::make_shared<Key>(*call.key);
  changed->policy = *call.Text("NewPolicy");
  RETURN_IF_ERROR(BindPrincipals(call, *changed));
  changed->compiled_policy = CompileStored(
      policy::PolicyKind::kKey, changed->policy, changed->policy_principals);
  return changed;
}

// A decision and the permission that it is about, which outlive nothing.
struct Answered {
  std::string action;
  std::string verdict;
  std::string layer;
  std::string sid;
  bool allowed = false;
};

// Goes through requests and writes down those that would be answered otherwise.
class Replay {
 public:
  Replay(const Call& call, KeyPtr changed, JsonWriter& changes,
         const base::WipingString& written)
      : call_(call),
        changed_(std::move(changed)),
        changes_(changes),
        written_(written) {}

  // Whether to go on.
  base::Result<bool> Look(std::string_view line);

  void WriteCounts(JsonWriter& writer) const {
    writer.Number("Examined", examined_)
        .Number("Changed", changed_count_)
        .Number("AlreadyDifferent", already_different_)
        .Number("OfOtherAccounts", foreign_)
        .Number("NotDecidable", not_decidable_);
  }

 private:
  bool IsSince(const base::Json& event) const;
  base::Result<Answered> AnswerOf(Recorded& recorded, bool changed) const;
  void Write(const Recorded& recorded, const Answered& before,
             const Answered& after);
  void WriteAnswer(std::string_view name, const Answered& answer);

  const Call& call_;
  const KeyPtr changed_;
  JsonWriter& changes_;
  const base::WipingString& written_;
  std::int64_t examined_ = 0;
  std::int64_t changed_count_ = 0;
  std::int64_t already_different_ = 0;
  std::int64_t foreign_ = 0;
  std::int64_t not_decidable_ = 0;
};

bool Replay::IsSince(const base::Json& event) const {
  const auto time =
      audit::ParseTime(std::string(TextOfMember(event, "eventTime")));
  return time &&
         *time >= base::WallTime(std::chrono::seconds(*call_.Number("Since")));
}

// The first check that is denied answers; otherwise the last.
base::Result<Answered> Replay::AnswerOf(Recorded& recorded,
                                        bool changed) const {
  Answered answered;
  for (std::size_t i = 0; i < recorded.checks().size(); ++i) {
    Check check = recorded.checks()[i];
    if (changed && check.key != nullptr &&
        check.key->row_id == changed_->row_id) {
      check.key = changed_;
    }
    ASSIGN_OR_RETURN(Call* const subject, recorded.ForCheck(i));
    policy::Trace trace;
    RETURN_IF_ERROR(ExplainCheck(*subject, check, trace));
    const Decision& decision = subject->decision;
    answered = {.action = std::string(check.action),
                .verdict = std::string(policy::VerdictName(decision.verdict)),
                .layer = std::string(decision.layer),
                .sid = std::string(decision.sid),
                .allowed = decision.verdict == Verdict::kAllow};
    if (!answered.allowed) {
      break;
    }
  }
  return answered;
}

base::Result<bool> Replay::Look(std::string_view line) {
  auto event = ParseEvent(line);
  // The key's ARN may stand in a record for other reasons.
  if (!event || !IsSince(*event) ||
      MemberOf(MemberOf(*event, "additionalEventData"), "decision").is_null()) {
    return true;
  }
  if (!MaySee(call_, TextOfMember(*event, "recipientAccountId"))) {
    ++foreign_;
    return true;
  }
  ASSIGN_OR_RETURN(const auto recorded,
                   Recorded::Rebuild(call_, *std::move(event)));
  const auto& checks = recorded->checks();
  if (checks.empty()) {
    ++not_decidable_;
    return true;
  }
  if (std::ranges::find(checks, changed_->Arn(), &Check::resource) ==
      checks.end()) {
    return true;
  }
  ASSIGN_OR_RETURN(const Answered before, AnswerOf(*recorded, false));
  ASSIGN_OR_RETURN(const Answered after, AnswerOf(*recorded, true));
  ++examined_;
  already_different_ += before.allowed != recorded->WasAllowed();
  if (before.allowed != after.allowed) {
    ++changed_count_;
    Write(*recorded, before, after);
  }
  return examined_ < kMostEvents && written_.size() < kMostReplyBytes;
}

void Replay::WriteAnswer(std::string_view name, const Answered& answer) {
  changes_.BeginObject(name)
      .Text("Verdict", answer.verdict)
      .Text("Layer", answer.layer)
      .Text("Sid", answer.sid)
      .EndObject();
}

void Replay::Write(const Recorded& recorded, const Answered& before,
                   const Answered& after) {
  const base::Json& event = recorded.event();
  const base::Json& identity = MemberOf(event, "userIdentity");
  std::string_view principal = TextOfMember(identity, "arn");
  for (const char* const other : {"invokedBy", "userName"}) {
    if (principal.empty()) {
      principal = TextOfMember(identity, other);
    }
  }
  changes_.BeginObject()
      .Text("EventId", TextOfMember(event, "eventID"))
      .Text("EventTime", TextOfMember(event, "eventTime"))
      .Text("Principal", principal)
      .Text("Action", after.allowed ? before.action : after.action)
      .Text("Recorded", TextOfMember(recorded.decision(), "verdict"));
  WriteAnswer("Before", before);
  WriteAnswer("After", after);
  changes_.EndObject();
}

}  // namespace

Answer ReplayPolicy(Call& call) {
  CO_RETURN_IF_ERROR(CheckPolicyText(*call.Text("NewPolicy")));
  CO_RETURN_IF_ERROR(FindVisibleKey(call));
  CO_ASSIGN_OR_RETURN(const std::uint64_t after, PageStart(call));
  CO_ASSIGN_OR_RETURN(KeyPtr changed, WithNewPolicy(call));
  LogRange range = {
      .since = base::WallTime(std::chrono::seconds(*call.Number("Since"))),
      .after = after,
      .needle = changed->Arn()};
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject()
      .Text("KeyId", changed->Arn())
      .Text("PoliciesAreOf", "now")
      .BeginArray("Changes");
  Replay replay(call, std::move(changed), writer, reply.body);
  std::function<base::Result<bool>(std::string_view)> each =
      [&replay](std::string_view line) { return replay.Look(line); };
  CO_ASSIGN_OR_RETURN(const LogEnd end,
                      co_await WalkLog(call.environment.log_folder,
                                       std::move(range), std::move(each)));
  writer.EndArray();
  replay.WriteCounts(writer);
  WritePageEnd(call, !end.complete, std::to_string(end.last), writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
