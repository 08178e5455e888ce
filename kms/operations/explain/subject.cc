// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/explain/subject.h"

#include <algorithm>
#include <utility>

#include "kms/key_id.h"
#include "kms/operations/authorize.h"
#include "policy/action.h"
#include "policy/explain.h"
#include "policy/text.h"

namespace kms::operations {
namespace {

constexpr Operation kNoOperation = {};

// The key that `arn` names; null if it names none, or one that is gone.
base::Result<KeyPtr> KeyOf(const Call& call, std::string_view arn) {
  const auto reference = ParseKeyReference(arn);
  if (!reference || !reference->is_arn || reference->is_alias) {
    return KeyPtr();
  }
  auto key = call.environment.store.FindKey(
      KeyRowId(reference->name, reference->region));
  if (!key && key.error().code != base::ErrorCode::kNotFound) {
    return base::Error(std::move(key).error());
  }
  const bool there = key && (*key)->account == reference->account &&
                     (*key)->region == reference->region && !(*key)->destroying;
  return there ? *key : KeyPtr();
}

}  // namespace

Subject::Subject(Environment& environment, Supposed supposed)
    : supposed_(std::move(supposed)),
      request_{.service = {},
               .operation = {},
               .body = {},
               .region = supposed_.region,
               .caller = *supposed_.caller,
               .source_address = supposed_.source_address,
               .user_agent = supposed_.user_agent,
               .request_id = {},
               .door = supposed_.door},
      call_(environment, request_,
            supposed_.operation == nullptr ? kNoOperation
                                           : *supposed_.operation) {
  call_.now = supposed_.time;
}

base::Result<Check> CheckOf(Call& call, std::string_view action,
                            std::string_view arn) {
  Check check;
  check.action = call.owned.emplace_back(action);
  check.resource = arn;
  check.account = call.request.caller.account;
  if (call.web_identity) {
    check.account = call.web_identity->account;
  }
  const auto parts = policy::SplitArn(arn);
  if (!parts) {
    return check;
  }
  if (policy::IsAccountId(parts->at(4))) {
    check.account = parts->at(4);
  }
  if (parts->at(2) == "kms") {
    ASSIGN_OR_RETURN(check.key, KeyOf(call, arn));
  } else if (action.starts_with("sts:")) {
    const auto directory = call.environment.directory.current();
    const identity::Record* const role = directory->FindByArn(arn);
    if (role != nullptr) {
      check.resource_policy = role->trust;  // Null unless it is a role.
    }
  }
  return check;
}

const Operation* FindOperationOf(std::string_view action) {
  // One operation asks for two permissions; its row has the first.
  const std::string wanted = policy::FoldsTo(action, "kms:reencryptto")
                                 ? "kms:reencryptfrom"
                                 : policy::Fold(action);
  const auto all = AllOperations();
  const Operation* found = nullptr;
  for (const Operation& operation : all) {
    if (policy::FoldsTo(operation.action, wanted)) {
      found = &operation;
      // That of AWS before one of ours that asks for the same.
      if (operation.action.ends_with(operation.name)) {
        break;
      }
    }
  }
  return found;
}

std::string SpelledAction(std::string_view action) {
  const std::string folded = policy::Fold(action);
  for (const std::string_view name : policy::kKmsActions) {
    std::string known = "kms:" + std::string(name);
    if (policy::FoldsTo(known, folded)) {
      return known;
    }
  }
  const Operation* const operation = FindOperationOf(action);
  return std::string(operation == nullptr ? action : operation->action);
}

base::Result<std::string> ExplanationOf(Call& call, const Check& check,
                                        Shown shown) {
  policy::Trace trace;
  RETURN_IF_ERROR(ExplainCheck(call, check, trace));
  if (shown == Shown::kAll) {
    return policy::ExplainJson(QuestionOf(call, check), call.decision, trace);
  }
  trace.grants.clear();
  std::erase_if(trace.statements, [](const policy::StatementTrace& statement) {
    return policy::IsOfResource(policy::LayerName(statement.layer));
  });
  policy::Decision decision = call.decision;
  if (policy::IsOfResource(decision.layer) || decision.layer == kByGrant) {
    const bool allowed = decision.verdict == policy::Verdict::kAllow;
    decision = {
        .verdict = allowed ? decision.verdict : policy::Verdict::kImplicitDeny,
        .layer = decision.layer};
  }
  std::vector<policy::ContextEntry> context = call.context;
  std::erase_if(context, [](const policy::ContextEntry& entry) {
    return entry.key == "aws:ResourceTag/" ||
           entry.key == "kms:ResourceAliases";
  });
  policy::Request question = QuestionOf(call, check);
  question.context = context;
  return policy::ExplainJson(question, decision, trace);
}

}  // namespace kms::operations
