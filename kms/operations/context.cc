// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/context.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "kms/audit/json_text.h"
#include "kms/operations/grants.h"

namespace kms::operations {
namespace {

// Collects entries; values that are not views of the request are kept in the
// call.
class Builder {
 public:
  explicit Builder(Call& call) : call_(call) {
    call_.context.clear();
    call_.context.reserve(24);
  }

  void Add(std::string_view key, std::string_view value) {
    if (!value.empty()) {
      call_.context.push_back({key, {}, value});
    }
  }

  void AddOwned(std::string_view key, std::string value) {
    Add(key, call_.owned.emplace_back(std::move(value)));
  }

  void AddBool(std::string_view key, bool value) {
    Add(key, value ? "true" : "false");
  }

  // A member of the request that is a condition key as it stands.
  void AddMember(std::string_view key, std::string_view member) {
    if (const auto text = call_.Text(member)) {
      Add(key, *text);
    }
  }

  void AddEncryptionContext(std::string_view member) {
    for (const auto& [key, value] : call_.Context(member)) {
      AddPair(key, value);
    }
  }

  void AddPair(std::string_view key, std::string_view value) {
    call_.context.push_back({"kms:EncryptionContext:", key, value});
    call_.context.push_back({"kms:EncryptionContextKeys", {}, key});
  }

 private:
  Call& call_;
};

void AddCaller(const Call& call, Builder& builder) {
  const Caller& caller = call.request.caller;
  const bool root = caller.kind == CallerKind::kRoot;
  builder.Add("aws:PrincipalArn", caller.arn);
  builder.Add("aws:PrincipalAccount", caller.account);
  builder.Add("aws:PrincipalType", root ? "Account" : "User");
  builder.Add("aws:userid", caller.principal_id);
  builder.Add("aws:username", caller.user_name);
  builder.Add("kms:CallerAccount", caller.account);
}

void AddRequest(const Call& call, Builder& builder) {
  const Request& request = call.request;
  if (request.door != Door::kUnix) {
    builder.Add("aws:SourceIp", request.source_address);
  }
  builder.Add("aws:UserAgent", request.user_agent);
  builder.Add("aws:RequestedRegion", request.region);
  builder.AddBool("aws:SecureTransport", request.door == Door::kHttps);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(call.now);
  std::string current_time;
  audit::AppendTime(call.now, current_time);
  builder.AddOwned("aws:CurrentTime", std::move(current_time));
  builder.AddOwned("aws:EpochTime",
                   std::to_string(seconds.time_since_epoch().count()));
}

void AddKey(const Key& key, Builder& builder) {
  builder.Add("kms:KeySpec", KeySpecName(key.spec));
  builder.Add("kms:KeyUsage", KeyUsageName(key.usage));
  builder.Add("kms:KeyOrigin", OriginName(key.origin));
  builder.AddBool("kms:MultiRegion", false);
}

void AddTags(Call& call, Builder& builder) {
  const base::Json* const tags = call.Find("Tags");
  if (tags == nullptr) {
    return;
  }
  for (const base::Json& tag : *tags) {
    const std::string_view key = base::TextOf(tag.at("TagKey"));
    call.context.push_back(
        {"aws:RequestTag/", key, base::TextOf(tag.at("TagValue"))});
    builder.Add("aws:TagKeys", key);
  }
}

void AddConstraints(const GrantConstraints& constraints, Call& call,
                    Builder& builder) {
  if (!constraints.HasContext()) {
    return;
  }
  const bool equals = constraints.context_equals.has_value();
  builder.Add("kms:GrantConstraintType",
              equals ? "EncryptionContextEquals" : "EncryptionContextSubset");
  const ContextPairs& pairs =
      equals ? *constraints.context_equals : *constraints.context_subset;
  for (const auto& [key, value] : pairs) {
    const std::string& kept_key = call.owned.emplace_back(key);
    const std::string& kept_value = call.owned.emplace_back(value);
    builder.AddPair(kept_key, kept_value);
  }
}

void AddCreateGrant(Call& call, Builder& builder) {
  builder.AddMember("kms:GranteePrincipal", "GranteePrincipal");
  builder.AddMember("kms:GranteeServicePrincipal", "GranteeServicePrincipal");
  builder.AddMember("kms:RetiringPrincipal", "RetiringPrincipal");
  builder.AddMember("kms:RetiringServicePrincipal", "RetiringServicePrincipal");
  for (const base::Json& name : *call.Find("Operations")) {
    builder.Add("kms:GrantOperations", base::TextOf(name));
  }
  const GrantConstraints constraints = RequestedConstraints(call);
  AddConstraints(constraints, call, builder);
  builder.AddOwned("kms:GrantConstraintSourceArn", constraints.source_arn);
}

// No AWS service calls on anybody's behalf here: kms:GrantIsForAWSResource is
// false.
void AddGrant(Call& call, const Check& check, Builder& builder) {
  if (check.action == "kms:CreateGrant") {
    AddCreateGrant(call, builder);
  }
  if (check.action == "kms:RetireGrant") {
    if (call.grant != nullptr) {
      AddConstraints(call.grant->constraints, call, builder);
    }
    return;
  }
  builder.AddBool("kms:GrantIsForAWSResource", false);
}

bool IsAboutGrants(const Check& check) {
  return check.action.ends_with("Grant") || check.action == "kms:ListGrants";
}

void AddMembers(Call& call, const Check& check, Builder& builder) {
  if (check.action == "kms:ReEncryptFrom") {
    builder.AddEncryptionContext("SourceEncryptionContext");
  } else if (check.action == "kms:ReEncryptTo") {
    builder.AddEncryptionContext("DestinationEncryptionContext");
  } else {
    builder.AddEncryptionContext("EncryptionContext");
  }
  if (call.source != nullptr && call.key != nullptr) {
    builder.AddBool("kms:ReEncryptOnSameKey", call.source->id == call.key->id);
  }
  builder.Add("kms:RequestAlias", call.request_alias);
  builder.AddMember("kms:EncryptionAlgorithm", "EncryptionAlgorithm");
  if (call.Find("BypassPolicyLockoutSafetyCheck") != nullptr) {
    builder.AddBool("kms:BypassPolicyLockoutSafetyCheck",
                    call.Flag("BypassPolicyLockoutSafetyCheck"));
  }
  if (const auto days = call.Number("PendingWindowInDays")) {
    builder.AddOwned("kms:ScheduleKeyDeletionPendingWindowInDays",
                     std::to_string(*days));
  }
  if (IsAboutGrants(check)) {
    AddGrant(call, check, builder);
  }
  AddTags(call, builder);
}

}  // namespace

void BuildContext(Call& call, const Check& check) {
  Builder builder(call);
  AddCaller(call, builder);
  AddRequest(call, builder);
  if (check.key != nullptr) {
    AddKey(*check.key, builder);
  }
  AddMembers(call, check, builder);
}

}  // namespace kms::operations
