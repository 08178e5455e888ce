// SPDX-License-Identifier: Apache-2.0
#include "policy/who_can.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "kms/operations/authorize.h"
#include "kms/operations/context.h"
#include "kms/operations/explain/handlers.h"
#include "kms/operations/explain/log_search.h"
#include "kms/operations/explain/principals.h"
#include "kms/operations/explain/scope.h"
#include "kms/operations/grant_views.h"
#include "kms/operations/page.h"
#include "policy/policy.h"
#include "policy/text.h"

namespace kms::operations {
namespace {

using policy::Can;
using policy::Possibility;

constexpr std::size_t kMostReplyBytes = 512 << 10;
constexpr int kGrantsAtOnce = 1000;
constexpr std::size_t kMostGrants = 10'000;
constexpr std::size_t kTurnPrincipals = 64;

// What BuildContext has of every request, and none is needed to ask who could.
constexpr std::array<std::string_view, 6> kOfARequest = {
    "aws:CurrentTime", "aws:EpochTime",      "aws:SecureTransport",
    "aws:SourceIp",    "aws:TokenIssueTime", "aws:UserAgent"};

// Of these the context says all: of the key, and of everyone who asks for it;
// of a user also what a session may have otherwise.
constexpr std::array<std::string_view, 22> kKnown = {
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalType",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag/",
    "aws:ViaAWSService",
    "kms:CallerAccount",
    "kms:CustomerMasterKeySpec",
    "kms:CustomerMasterKeyUsage",
    "kms:KeyOrigin",
    "kms:KeySpec",
    "kms:KeyUsage",
    "kms:MultiRegion",
    "kms:MultiRegionKeyType",
    "kms:ResourceAliases"};
constexpr std::array<std::string_view, 3> kKnownOfUsers = {
    "aws:PrincipalTag/", "aws:username", "aws:userid"};

policy::KnownKeys KnownOf(const Caller& caller) {
  std::vector<std::string_view> names(kKnown.begin(), kKnown.end());
  if (caller.kind != CallerKind::kAssumedRole) {
    names.insert(names.end(), kKnownOfUsers.begin(), kKnownOfUsers.end());
  }
  return policy::KnownKeys(names);
}

// Sessions differ in their names and tags.
bool DependsOnRequest(const policy::ContextEntry& entry, const Caller& caller) {
  return std::ranges::find(kOfARequest, entry.key) != kOfARequest.end() ||
         (caller.kind == CallerKind::kAssumedRole &&
          (entry.key == "aws:userid" || entry.key == "aws:PrincipalTag/"));
}

// The grants on the key, by whom they are for.
class GrantsByGrantee {
 public:
  base::Status Load(const Call& call) {
    store::GrantQuery query = {.key_row_id = call.key->row_id,
                               .limit = kGrantsAtOnce};
    std::string last;
    for (complete_ = false; !complete_ && count_ < kMostGrants;) {
      query.after = last;
      ASSIGN_OR_RETURN(auto page, call.environment.store.ListGrants(query));
      complete_ = !page.truncated;
      for (Grant& grant : page.items) {
        last = grant.id;
        ++count_;
        const std::string grantee = grant.grantee_service.empty()
                                        ? grant.grantee_principal
                                        : grant.grantee_service;
        by_grantee_[grantee].push_back(std::move(grant));
      }
    }
    return {};
  }

  bool complete() const { return complete_; }

  std::vector<std::string> Grantees() const {
    std::vector<std::string> grantees;
    for (const auto& [grantee, grants] : by_grantee_) {
      grantees.push_back(grantee);
    }
    return grantees;
  }

  // Adds those that name the caller, its role or its account.
  void AddFor(const Caller& caller, GrantViews& views) const {
    const std::string root =
        fmt::format("arn:aws:iam::{}:root", caller.account);
    std::set<std::string_view> names = {caller.arn};
    if (caller.kind != CallerKind::kService) {
      names.insert(root);
      names.insert(caller.role_arn);
    }
    for (const std::string_view name : names) {
      const auto found = by_grantee_.find(name);
      if (found == by_grantee_.end()) {
        continue;
      }
      for (const Grant& grant : found->second) {
        views.Add(grant);
      }
    }
  }

 private:
  std::map<std::string, std::vector<Grant>, std::less<>> by_grantee_;
  std::size_t count_ = 0;
  bool complete_ = false;
};

// Who might: everyone of the accounts that the caller may see, whom the key
// policy names as a service, and whom grants are for. Sorted.
std::set<std::string> Principals(const Call& call,
                                 const GrantsByGrantee& grants) {
  std::set<std::string> arns;
  const auto directory = call.environment.directory.current();
  for (const Account& account : directory->accounts()) {
    if (!MaySee(call, account.id)) {
      continue;
    }
    arns.insert(fmt::format("arn:aws:iam::{}:root", account.id));
    for (const EntityKind kind : {EntityKind::kUser, EntityKind::kRole}) {
      for (const identity::Record* const record :
           directory->List(account.id, kind)) {
        arns.insert(record->entity.Arn());
      }
    }
  }
  for (const policy::Statement& statement :
       call.key->compiled_policy->statements()) {
    for (const auto& member : statement.principals.members()) {
      if (member.kind == policy::PrincipalSet::Kind::kService) {
        arns.emplace(member.text);
      }
    }
  }
  if (!call.key->managing_service.empty()) {
    arns.insert(call.key->managing_service);
  }
  for (std::string& grantee : grants.Grantees()) {
    arns.insert(std::move(grantee));
  }
  return arns;
}

// Of whom only the name is known: another account's, or gone.
bool IsForeign(const Call& call, std::string_view arn) {
  const std::string account = AccountOfArn(arn);
  return !account.empty() && !MaySee(call, account);
}

// What a decision names lives as long as the caller and the grants.
base::Result<Possibility> CanCaller(const Call& call, const CallerPtr& caller,
                                    const std::string& action,
                                    const GrantsByGrantee& grants) {
  Subject subject(
      call.environment,
      {.caller = caller, .region = call.key->region, .time = call.now});
  Call& supposed = subject.call();
  ASSIGN_OR_RETURN(const Check check,
                   CheckOf(supposed, action, call.key->Arn()));
  RETURN_IF_ERROR(BuildContext(supposed, check));
  std::erase_if(supposed.context, [&](const policy::ContextEntry& entry) {
    return DependsOnRequest(entry, *caller);
  });
  GrantViews views;
  grants.AddFor(*caller, views);
  policy::Authority resource;
  resource.resource_policy = call.key->compiled_policy.get();
  resource.grants = views.views();
  const policy::Request question = QuestionOf(supposed, check);
  // A service and its own key are beside the policies.
  if (caller->kind == CallerKind::kService &&
      caller->service == call.key->managing_service) {
    const policy::Decision decision = call.environment.authorizer.Authorize(
        *caller, question, resource, nullptr);
    const bool allowed = decision.verdict == policy::Verdict::kAllow;
    return Possibility{allowed ? Can::kYes : Can::kNo, decision};
  }
  const policy::Candidate candidate =
      WithCaller(*caller, question, resource, call.environment.organization);
  return policy::WhoCan({&candidate, 1}, KnownOf(*caller)).front();
}

void WriteOne(std::string_view arn, const Possibility& possibility,
              JsonWriter& writer) {
  if (possibility.can == Can::kNo) {
    return;
  }
  writer.BeginObject()
      .Text("Principal", arn)
      .Text("Can", possibility.can == Can::kYes ? "Yes" : "Maybe")
      .Text("Layer", possibility.decision.layer)
      .Text("Sid", possibility.decision.sid)
      .BeginArray("DependsOn");
  for (const std::string& key : possibility.depends_on) {
    writer.Item(key);
  }
  writer.EndArray().EndObject();
}

// What a grant may let in of whom nothing else is known here.
Possibility ByGrantAlone() {
  return {.can = Can::kMaybe,
          .decision = {.layer = "grant"},
          .depends_on = {"the grant's operations and constraint",
                         "the principal's own policies"}};
}

// Writes what `arn` can do, unless that is nothing.
base::Status WriteIfCan(const Call& call, const std::string& arn,
                        const std::string& action,
                        const GrantsByGrantee& grants, JsonWriter& writer) {
  if (IsForeign(call, arn)) {
    WriteOne(arn, ByGrantAlone(), writer);
    return {};
  }
  const auto caller =
      FindCaller(call.environment, arn, call.key->account, call.now);
  if (!caller) {  // A grantee that is gone: its grants let nobody in.
    return {};
  }
  ASSIGN_OR_RETURN(const Possibility possibility,
                   CanCaller(call, *caller, action, grants));
  WriteOne(arn, possibility, writer);
  return {};
}

}  // namespace

Answer WhoCan(Call& call) {
  CO_RETURN_IF_ERROR(FindVisibleKey(call));
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, 0));
  const std::string action = SpelledAction(*call.Text("Action"));
  GrantsByGrantee grants;
  CO_RETURN_IF_ERROR(grants.Load(call));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject()
      .Text("Action", action)
      .Text("KeyId", call.key->Arn())
      .BeginArray("Principals");
  const std::set<std::string> principals = Principals(call, grants);
  std::string last;
  bool truncated = false;
  std::size_t looked_at = 0;
  for (auto at = principals.upper_bound(page.after); at != principals.end();
       ++at) {
    if (reply.body.size() > kMostReplyBytes) {
      truncated = true;
      break;
    }
    CO_RETURN_IF_ERROR(WriteIfCan(call, *at, action, grants, writer));
    last = *at;
    if (++looked_at % kTurnPrincipals == 0) {
      co_await Pause();
    }
  }
  writer.EndArray()
      .Bool("AllGrants", grants.complete())
      .Bool("AllAccounts", call.request.caller.administrator);
  WritePageEnd(call, truncated, last, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
