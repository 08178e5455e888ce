// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/context.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kms/audit/json_text.h"
#include "kms/managed_keys.h"
#include "kms/operations/aliases.h"
#include "kms/operations/grants.h"
#include "kms/operations/iam/context.h"
#include "kms/operations/sts/session.h"
#include "kms/operations/tags.h"
#include "policy/policy.h"

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

bool HasMember(const Operation& operation, std::string_view name) {
  return std::ranges::find(operation.input, name, &Member::name) !=
         operation.input.end();
}

// A service acts for its account's users, none of whom is the principal.
void AddService(const Caller& caller, std::string_view region,
                Builder& builder) {
  builder.AddBool("aws:PrincipalIsAWSService", true);
  builder.Add("aws:PrincipalServiceName", caller.service);
  builder.Add("kms:CallerAccount", caller.account);
  builder.AddOwned("kms:ViaService", ViaService(caller.service, region));
}

// IAM JSON Policy Reference, "AWS global condition context keys":
// aws:PrincipalType.
std::string_view PrincipalType(CallerKind kind) {
  switch (kind) {
    case CallerKind::kRoot:
      return "Account";
    case CallerKind::kUser:
      return "User";
    case CallerKind::kAssumedRole:
      return "AssumedRole";
    case CallerKind::kService:
      return "Service";
    case CallerKind::kAnonymous:
      return "Anonymous";
  }
  return "";
}

std::string TimeText(base::WallTime time) {
  std::string text;
  audit::AppendTime(time, text);
  return text;
}

// Of temporary credentials. There is no second factor here.
void AddSession(const SessionFacts& session, Builder& builder) {
  builder.AddOwned("aws:TokenIssueTime", TimeText(session.issued));
  builder.AddBool("aws:MultiFactorAuthPresent", false);
  builder.Add("aws:SourceIdentity", session.source_identity);
  builder.Add("aws:FederatedProvider", session.federated_provider);
}

void AddCaller(Call& call, Builder& builder) {
  const Caller& caller = call.request.caller;
  if (caller.kind == CallerKind::kService) {
    return AddService(caller, call.request.region, builder);
  }
  if (caller.kind == CallerKind::kAnonymous) {
    return;
  }
  const bool in_role = caller.kind == CallerKind::kAssumedRole;
  builder.Add("aws:PrincipalArn", in_role ? caller.role_arn : caller.arn);
  builder.Add("aws:PrincipalAccount", caller.account);
  builder.Add("aws:PrincipalType", PrincipalType(caller.kind));
  builder.Add("aws:userid", caller.principal_id);
  builder.Add("aws:username", caller.user_name);
  builder.Add("kms:CallerAccount", caller.account);
  for (const auto& [key, value] : caller.tags) {
    call.context.push_back({"aws:PrincipalTag/", key, value});
  }
  if (caller.session != nullptr) {
    AddSession(*caller.session, builder);
  }
}

void AddRequest(const Call& call, const Check& check, Builder& builder) {
  const Request& request = call.request;
  if (request.door != Door::kUnix) {
    builder.Add("aws:SourceIp", request.source_address);
  }
  builder.Add("aws:UserAgent", request.user_agent);
  builder.Add("aws:RequestedRegion",
              check.region.empty() ? request.region : check.region);
  builder.AddBool("aws:SecureTransport", request.door == Door::kHttps);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(call.now);
  builder.AddOwned("aws:CurrentTime", TimeText(call.now));
  builder.AddOwned("aws:EpochTime",
                   std::to_string(seconds.time_since_epoch().count()));
}

void AddMultiRegion(MultiRegionType type, Builder& builder) {
  const bool multi_region = type != MultiRegionType::kNone;
  builder.AddBool("kms:MultiRegion", multi_region);
  if (multi_region) {
    builder.Add("kms:MultiRegionKeyType", MultiRegionTypeName(type));
  }
}

// `type` is the key's own, or that of the replica which it is to have.
void AddKey(const Key& key, MultiRegionType type, Builder& builder) {
  builder.Add("kms:KeySpec", KeySpecName(key.spec));
  builder.Add("kms:KeyUsage", KeyUsageName(key.usage));
  builder.Add("kms:KeyOrigin", OriginName(key.origin));
  AddMultiRegion(type, builder);
}

// CreateKey: the key that would be.
void AddNewKey(const Call& call, Builder& builder) {
  const auto old_member = call.Text("CustomerMasterKeySpec");
  builder.Add("kms:KeySpec", call.Text("KeySpec").value_or(old_member.value_or(
                                 KeySpecName(KeySpec::kSymmetricDefault))));
  builder.Add(
      "kms:KeyUsage",
      call.Text("KeyUsage").value_or(KeyUsageName(KeyUsage::kEncryptDecrypt)));
  builder.Add("kms:KeyOrigin",
              call.Text("Origin").value_or(OriginName(Origin::kAwsKms)));
  AddMultiRegion(call.Flag("MultiRegion") ? MultiRegionType::kPrimary
                                          : MultiRegionType::kNone,
                 builder);
}

// Members that are condition keys as they stand; `absent` is what leaving one
// out means.
struct ConditionMember {
  std::string_view key;
  std::string_view member;
  std::string_view absent;
};
constexpr std::array kConditionMembers = {
    ConditionMember{"kms:DataKeyPairSpec", "KeyPairSpec", ""},
    ConditionMember{"kms:ExpirationModel", "ExpirationModel",
                    "KEY_MATERIAL_EXPIRES"},
    ConditionMember{"kms:KeyAgreementAlgorithm", "KeyAgreementAlgorithm", ""},
    ConditionMember{"kms:MacAlgorithm", "MacAlgorithm", ""},
    ConditionMember{"kms:MessageType", "MessageType", "RAW"},
    ConditionMember{"kms:PrimaryRegion", "PrimaryRegion", ""},
    ConditionMember{"kms:ReplicaRegion", "ReplicaRegion", ""},
    ConditionMember{"kms:SigningAlgorithm", "SigningAlgorithm", ""},
    ConditionMember{"kms:WrappingAlgorithm", "WrappingAlgorithm", ""},
    ConditionMember{"kms:WrappingKeySpec", "WrappingKeySpec", ""},
};

void AddConditionMembers(const Call& call, Builder& builder) {
  for (const ConditionMember& row : kConditionMembers) {
    if (HasMember(call.operation, row.member)) {
      builder.Add(row.key, call.Text(row.member).value_or(row.absent));
    }
  }
}

// How the operation encrypts or decrypts; data keys only one way.
void AddEncryption(const Call& call, std::string_view prefix,
                   Builder& builder) {
  const std::string context = std::string(prefix).append("EncryptionContext");
  if (HasMember(call.operation, context)) {
    const std::string algorithm =
        std::string(prefix).append("EncryptionAlgorithm");
    builder.Add(
        "kms:EncryptionAlgorithm",
        call.Text(algorithm).value_or(KeySpecName(KeySpec::kSymmetricDefault)));
    builder.AddEncryptionContext(context);
  }
}

void AddTags(Call& call, Builder& builder) {
  for (const TagView& tag : ViewTags(call)) {
    call.context.push_back({"aws:RequestTag/", tag.key, tag.value});
    builder.Add("aws:TagKeys", tag.key);
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
  // Not there in a request that is only supposed.
  if (const base::Json* const names = call.Find("Operations")) {
    for (const base::Json& name : *names) {
      builder.Add("kms:GrantOperations", base::TextOf(name));
    }
  }
  const GrantConstraints constraints = RequestedConstraints(call);
  AddConstraints(constraints, call, builder);
  builder.AddOwned("kms:GrantConstraintSourceArn", constraints.source_arn);
}

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
  builder.AddBool("kms:GrantIsForAWSResource",
                  call.request.caller.kind == CallerKind::kService);
}

// What the policies that will be asked ask for.
struct Wanted {
  bool tags = false;
  bool aliases = false;

  Wanted(const Caller& caller, const Key& key) {
    if (key.compiled_policy != nullptr) {
      tags = key.compiled_policy->uses_resource_tags();
      aliases = key.compiled_policy->uses_resource_aliases();
    }
    if (caller.policies != nullptr) {
      Add(caller.policies->identity);
      Add(caller.policies->boundary);
    }
    if (caller.session != nullptr) {
      Add(caller.session->policies);
    }
  }

  void Add(const PolicyList& policies) {
    tags |= policies.uses_resource_tags();
    aliases |= policies.uses_resource_aliases();
  }
};

}  // namespace

base::Status AddLookedUp(Call& call, const Key& key) {
  const Wanted wanted(call.request.caller, key);
  store::Store& store = call.environment.store;
  if (wanted.tags) {
    ASSIGN_OR_RETURN(const std::vector<Tag> tags, store.Tags(key.row_id));
    for (const Tag& tag : tags) {
      const std::string& name = call.owned.emplace_back(tag.key);
      const std::string& value = call.owned.emplace_back(tag.value);
      call.context.push_back({"aws:ResourceTag/", name, value});
    }
  }
  if (wanted.aliases) {
    ASSIGN_OR_RETURN(const store::Page<Alias> aliases,
                     store.ListAliases(key.account, key.region, key.row_id, "",
                                       static_cast<int>(kMaxAliasesPerKey)));
    for (const Alias& alias : aliases.items) {
      const std::string& name = call.owned.emplace_back(alias.name);
      call.context.push_back({"kms:ResourceAliases", {}, name});
    }
  }
  return {};
}

namespace {

bool IsAboutGrants(const Check& check) {
  return check.action.ends_with("Grant") || check.action == "kms:ListGrants";
}

// Of what ImportKeyMaterial has found to be a time within a year.
std::string SecondsText(double seconds) {
  return std::to_string(static_cast<std::int64_t>(seconds));
}

void AddMembers(Call& call, const Check& check, Builder& builder) {
  if (check.action == "kms:ReEncryptFrom") {
    AddEncryption(call, "Source", builder);
  } else if (check.action == "kms:ReEncryptTo") {
    AddEncryption(call, "Destination", builder);
  } else {
    AddEncryption(call, "", builder);
  }
  if (call.source != nullptr && call.key != nullptr) {
    builder.AddBool("kms:ReEncryptOnSameKey",
                    call.source->row_id == call.key->row_id);
  }
  builder.Add("kms:RequestAlias", call.request_alias);
  AddConditionMembers(call, builder);
  if (call.Find("BypassPolicyLockoutSafetyCheck") != nullptr) {
    builder.AddBool("kms:BypassPolicyLockoutSafetyCheck",
                    call.Flag("BypassPolicyLockoutSafetyCheck"));
  }
  if (const auto days = call.Number("PendingWindowInDays")) {
    builder.AddOwned("kms:ScheduleKeyDeletionPendingWindowInDays",
                     std::to_string(*days));
  }
  if (const auto days = call.Number("RotationPeriodInDays")) {
    builder.AddOwned("kms:RotationPeriodInDays", std::to_string(*days));
  }
  if (const base::Json* const valid_to = call.Find("ValidTo")) {
    builder.AddOwned("kms:ValidTo", SecondsText(valid_to->get<double>()));
  }
  if (IsAboutGrants(check)) {
    AddGrant(call, check, builder);
  }
  AddTags(call, builder);
}

}  // namespace

base::Status BuildContext(Call& call, const Check& check) {
  Builder builder(call);
  AddCaller(call, builder);
  AddRequest(call, check, builder);
  if (check.action.starts_with("sts:")) {
    AddStsContext(call);
    return {};
  }
  if (check.action.starts_with("iam:")) {
    AddTags(call, builder);
    iam::AddContext(call);
    return {};
  }
  if (check.key != nullptr) {
    AddKey(*check.key, check.key->multi_region, builder);
    RETURN_IF_ERROR(AddLookedUp(call, *check.key));
  } else if (call.operation.action == "kms:ReplicateKey" &&
             call.key != nullptr) {
    AddKey(*call.key, MultiRegionType::kReplica, builder);
  } else if (call.operation.action == "kms:CreateKey") {
    AddNewKey(call, builder);
  }
  AddMembers(call, check, builder);
  return {};
}

}  // namespace kms::operations
