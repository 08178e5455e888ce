// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluate.h"

#include <array>

namespace policy {
namespace {

using What = StatementTrace::Outcome;

// The statement that Policy::Unreadable() denies with.
const Statement& UnreadableStatement() {
  static const Statement statement = {.sid = "unreadable policy"};
  return statement;
}

// How a statement took a request.
struct StatementMatch {
  What outcome = What::kMatched;
  PrincipalMatch principal = PrincipalMatch::kDirect;
  const Condition* condition = nullptr;
};

// Whether the caller is one of those that the statement speaks of.
PrincipalMatch FindCaller(const Statement& statement, const Request& request,
                          bool has_boundary) {
  if (!statement.has_principals) {
    return PrincipalMatch::kDirect;
  }
  const bool deny = statement.effect == Effect::kDeny;
  const PrincipalMatch found = statement.principals.Find(request, deny);
  if (!statement.not_principal) {
    return found;
  }
  // IAM User Guide, "NotPrincipal": do not use it with a permissions boundary,
  // for it denies whoever has one, whatever it lists.
  return found == PrincipalMatch::kNone || has_boundary
             ? PrincipalMatch::kDirect
             : PrincipalMatch::kNone;
}

StatementMatch Failed(What what) { return {.outcome = what}; }

// Whether a variable or condition asks for an unknown key. `any_key` tells
// whether a predicate holds for one of its keys.
template <typename AnyKey>
bool AsksForUnknown(const RequestView& view, AnyKey any_key) {
  return any_key([&](const ContextKey& key) {
    return view.assumption()->IsUnknown(key, view.request().context);
  });
}

Match Holds(const Condition& condition, Effect effect,
            const RequestView& view) {
  if (view.assumption() != nullptr &&
      AsksForUnknown(view, [&](auto is) { return condition.AnyKey(is); })) {
    return view.assumption()->Answer(effect);
  }
  return condition.Holds(view.request().context);
}

Match CoversResource(const Statement& statement, const RequestView& view) {
  const ResourceMatcher& resources = statement.resources;
  if (view.assumption() != nullptr && AsksForUnknown(view, [&](auto is) {
        return resources.AnyVariable(is);
      })) {
    return view.assumption()->Answer(statement.effect);
  }
  return resources.Matches(view.resource(), view.request().context);
}

// All conditions must hold. One that cannot be evaluated settles the statement
// only if none of the others fails.
StatementMatch MatchConditions(const Statement& statement,
                               const RequestView& view, StatementMatch match) {
  for (const Condition& condition : statement.conditions) {
    const Match holds = Holds(condition, statement.effect, view);
    if (holds == Match::kNo) {
      match.outcome = What::kCondition;
      match.condition = &condition;
      return match;
    }
    if (holds == Match::kError && match.outcome == What::kMatched) {
      match.outcome = What::kUnevaluable;
      match.condition = &condition;
    }
  }
  return match;
}

StatementMatch MatchStatement(const Statement& statement,
                              const RequestView& view, bool has_boundary) {
  if (statement.dead) {
    return Failed(What::kDead);
  }
  if (!statement.actions.Matches(view.action())) {
    return Failed(What::kAction);
  }
  StatementMatch match;
  match.principal = FindCaller(statement, view.request(), has_boundary);
  if (match.principal == PrincipalMatch::kNone) {
    return Failed(What::kPrincipal);
  }
  if (statement.has_resources) {
    const Match resource = CoversResource(statement, view);
    if (resource == Match::kNo) {
      return Failed(What::kResource);
    }
    if (resource == Match::kError) {
      match.outcome = What::kUnevaluable;
    }
  }
  return MatchConditions(statement, view, match);
}

bool Applies(const Statement& statement, const StatementMatch& match) {
  return match.outcome == What::kMatched ||
         (match.outcome == What::kUnevaluable &&
          statement.effect == Effect::kDeny);
}

const Statement*& Allowing(Outcome& outcome, PrincipalMatch principal) {
  switch (principal) {
    case PrincipalMatch::kAccount:
      return outcome.delegation;
    case PrincipalMatch::kIssuer:
      return outcome.issuer;
    case PrincipalMatch::kNone:
    case PrincipalMatch::kDirect:
      break;
  }
  return outcome.direct;
}

void Record(const Statement& statement, std::size_t index,
            const StatementMatch& match, const Request& request, Trace& trace) {
  StatementTrace entry = {.layer = trace.layer,
                          .policy = trace.policy,
                          .index = index,
                          .sid = statement.sid,
                          .effect = statement.effect,
                          .outcome = match.outcome,
                          .condition = match.condition};
  if (match.condition != nullptr) {
    for (const ContextEntry& one : request.context) {
      if (match.condition->context_key().Names(one)) {
        entry.actual.push_back(one.value);
      }
    }
  }
  trace.statements.push_back(std::move(entry));
}

}  // namespace

RequestView::RequestView(const Request& request, const Assumption* assumption)
    : request_(request),
      assumption_(assumption),
      action_(request.action),
      parts_(SplitArn(request.resource)) {}

std::string_view LayerName(Layer layer) {
  constexpr std::array<std::string_view, 6> kNames = {
      "service control policy", "resource control policy",
      "resource-based policy",  "identity-based policy",
      "permissions boundary",   "session policy"};
  return kNames.at(static_cast<std::size_t>(layer));
}

bool IsOfResource(std::string_view layer_name) {
  return layer_name == LayerName(Layer::kResource) ||
         layer_name == LayerName(Layer::kResourceControl);
}

std::string_view OutcomeName(StatementTrace::Outcome outcome) {
  constexpr std::array<std::string_view, 7> kNames = {
      "matched",   "no action or resource", "action", "principal", "resource",
      "condition", "not evaluable"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

std::string_view OutcomeName(GrantTrace::Outcome outcome) {
  constexpr std::array<std::string_view, 6> kNames = {
      "matched",     "operation", "constraint",
      "child grant", "grantee",   "not allowed by policies"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

Outcome Evaluate(const Policy& policy, const RequestView& view,
                 bool has_boundary, Trace* trace) {
  Outcome outcome;
  if (!policy.readable()) {
    outcome.deny = &UnreadableStatement();
    return outcome;
  }
  std::size_t index = 0;
  for (const Statement& statement : policy.statements()) {
    const StatementMatch match = MatchStatement(statement, view, has_boundary);
    if (trace != nullptr) {
      Record(statement, index, match, view.request(), *trace);
    }
    ++index;
    if (!Applies(statement, match)) {
      continue;
    }
    const Statement*& first = statement.effect == Effect::kDeny
                                  ? outcome.deny
                                  : Allowing(outcome, match.principal);
    first = first == nullptr ? &statement : first;
    if (outcome.deny != nullptr && trace == nullptr) {
      return outcome;
    }
  }
  return outcome;
}

}  // namespace policy
