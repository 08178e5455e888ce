// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/authorize.h"

#include <array>
#include <string>
#include <utility>

#include "kms/key_policy.h"
#include "kms/operations/context.h"
#include "kms/operations/grant_views.h"
#include "kms/operations/grants.h"
#include "kms/operations/resolve.h"
#include "policy/decide.h"
#include "policy/policy.h"

namespace kms::operations {
namespace {

constexpr int kGrantsAtOnce = 1000;

}  // namespace

policy::Request QuestionOf(const Call& call, const Check& check) {
  const Caller& caller = call.request.caller;
  policy::Request question;
  question.action = check.action;
  question.resource = check.resource;
  question.resource_account = check.account;
  if (check.key != nullptr) {
    question.resource_service = check.key->managing_service;
  }
  question.principal = caller.arn;
  question.principal_account = caller.account;
  question.principal_id = caller.UniqueId();
  if (call.web_identity) {
    question.principal = call.web_identity->provider_arn;
    question.principal_account = call.web_identity->account;
  }
  question.context = call.context;
  return question;
}

namespace {

// Whom a grant may name so that it speaks to the caller.
std::vector<store::GrantQuery> QueriesFor(const Caller& caller,
                                          const std::string& root) {
  std::vector<store::GrantQuery> queries;
  if (caller.kind == CallerKind::kService) {
    queries.push_back({.grantee_service = caller.service});
    return queries;
  }
  queries.push_back({.grantee_principal = caller.arn});
  if (!caller.role_arn.empty()) {
    queries.push_back({.grantee_principal = caller.role_arn});
  }
  queries.push_back({.grantee_principal = root});
  return queries;
}

// Statements were told already; the ids of grants are views of a page.
void KeepGrants(const policy::Trace& page, Call& call, policy::Trace& trace) {
  for (const policy::GrantTrace& grant : page.grants) {
    trace.grants.push_back({call.owned.emplace_back(grant.id), grant.outcome});
  }
}

// Decides again with the grants of one query, page by page, until one allows.
base::Status DecideByGrants(Call& call, const policy::Request& question,
                            const policy::Authority& resource,
                            store::GrantQuery query, policy::Trace* trace) {
  const bool creates = question.action == "kms:CreateGrant";
  const Grant child = creates ? RequestedGrant(call) : Grant();
  query.limit = kGrantsAtOnce;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(const store::Page<Grant> page,
                     call.environment.store.ListGrants(query));
    GrantViews views;
    for (const Grant& grant : page.items) {
      views.Add(grant, creates && MayCreateFrom(grant, child));
    }
    policy::Authority authority = resource;
    authority.grants = views.views();
    policy::Trace of_page;
    policy::Decision decision = call.environment.authorizer.Authorize(
        call.request.caller, question, authority,
        trace == nullptr ? nullptr : &of_page);
    if (trace != nullptr) {
      KeepGrants(of_page, call, *trace);
    }
    if (decision.verdict == policy::Verdict::kAllow) {
      decision.sid = call.owned.emplace_back(decision.sid);
      call.decision = decision;
      return {};
    }
    more = page.truncated;
    const std::string_view last =
        more ? std::string_view(call.owned.emplace_back(page.items.back().id))
             : std::string_view();
    query.after = last;
  }
  return {};
}

bool CanBeGranted(std::string_view action) {
  constexpr std::string_view kPrefix = "kms:";
  return action.starts_with(kPrefix) &&
         ParseGrantOperation(action.substr(kPrefix.size())).has_value();
}

// Who may retire a grant, it says itself. Where there is none, whoever could
// retire one that only the key's account may retire learns so.
struct Retired {
  Grant none;
  GrantViews views;

  Retired(const Call& call, const Check& check) {
    none.issuing_account = check.account;
    views.Add(call.grant == nullptr ? none : *call.grant);
  }
};

base::Status Decide(Call& call, const Check& check, policy::Trace* trace) {
  const Caller& caller = call.request.caller;
  const Authorizer& authorizer = call.environment.authorizer;
  const policy::Request question = QuestionOf(call, check);
  policy::Authority resource;
  if (check.key != nullptr) {
    resource.resource_policy = check.key->compiled_policy.get();
  } else {
    resource.resource_policy = check.resource_policy.get();
  }
  if (check.action == "kms:RetireGrant") {
    const Retired retired(call, check);
    resource.retired = &retired.views.views().front();
    call.decision = authorizer.Authorize(caller, question, resource, trace);
    call.decision.sid = call.owned.emplace_back(call.decision.sid);
    return {};
  }
  call.decision = authorizer.Authorize(caller, question, resource, trace);
  if (call.decision.verdict != policy::Verdict::kImplicitDeny ||
      check.key == nullptr || !CanBeGranted(check.action)) {
    return {};
  }
  const std::string root = "arn:aws:iam::" + caller.account + ":root";
  for (store::GrantQuery& query : QueriesFor(caller, root)) {
    query.key_row_id = check.key->row_id;
    RETURN_IF_ERROR(DecideByGrants(call, question, resource, query, trace));
    if (call.decision.verdict == policy::Verdict::kAllow) {
      break;
    }
  }
  return {};
}

}  // namespace

base::Status Authorize(Call& call) {
  call.decided = 0;
  for (const Check& check : call.checks) {
    RETURN_IF_ERROR(BuildContext(call, check));
    RETURN_IF_ERROR(Decide(call, check, nullptr));
    ++call.decided;
    if (call.decision.verdict != policy::Verdict::kAllow) {
      return AccessDenied(call, check, call.decision);
    }
  }
  return {};
}

base::Status ExplainCheck(Call& call, const Check& check,
                          policy::Trace& trace) {
  return Decide(call, check, &trace);
}

base::Result<bool> Allows(Call& call, const Check& check) {
  const std::vector<policy::ContextEntry> context = call.context;
  const policy::Decision decision = call.decision;
  const std::size_t owned = call.owned.size();
  base::Status status = BuildContext(call, check);
  if (status) {
    status = Decide(call, check, nullptr);
  }
  const bool allowed = call.decision.verdict == policy::Verdict::kAllow;
  call.context = context;
  call.decision = decision;
  call.owned.resize(owned);  // Nothing views the rest any more.
  RETURN_IF_ERROR(status);
  return allowed;
}

base::Status CheckLockout(Call& call, Key key) {
  if (call.Flag("BypassPolicyLockoutSafetyCheck")) {
    return {};
  }
  key.compiled_policy = CompileStored(policy::PolicyKind::kKey, key.policy,
                                      key.policy_principals);
  const Check check = {.action = "kms:PutKeyPolicy",
                       .resource = key.Arn(),
                       .account = key.account,
                       .key = std::make_shared<const Key>(key),
                       .region = key.region};
  // The record shows what the call itself was decided by.
  const std::vector<policy::ContextEntry> context = call.context;
  RETURN_IF_ERROR(BuildContext(call, check));
  const policy::Request question = QuestionOf(call, check);
  const policy::Decision decision = call.environment.authorizer.Authorize(
      call.request.caller, question,
      {.resource_policy = check.key->compiled_policy.get()}, nullptr);
  call.context = context;
  if (decision.verdict != policy::Verdict::kAllow) {
    return base::Error{base::ErrorCode::kMalformedPolicy,
                       "The new key policy will not allow you to update the "
                       "key policy in the future."};
  }
  return {};
}

}  // namespace kms::operations
