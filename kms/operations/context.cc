// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/context.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kms/operations/aliases.h"
#include "kms/operations/context_builder.h"
#include "kms/operations/grants.h"
#include "kms/operations/iam/context.h"
#include "kms/operations/sts/session.h"
#include "kms/operations/tags.h"
#include "policy/policy.h"

namespace kms::operations {
namespace {

bool HasMember(const Operation& operation, std::string_view name) {
  return std::ranges::find(operation.input, name, &Member::name) !=
         operation.input.end();
}

void AddMultiRegion(MultiRegionType type, ContextBuilder& builder) {
  const bool multi_region = type != MultiRegionType::kNone;
  builder.AddBool("kms:MultiRegion", multi_region);
  if (multi_region) {
    builder.Add("kms:MultiRegionKeyType", MultiRegionTypeName(type));
  }
}

// Two keys have a second name, from before there were keys of other specs.
void AddSpecAndUsage(std::string_view spec, std::string_view usage,
                     ContextBuilder& builder) {
  builder.Add("kms:KeySpec", spec);
  builder.Add("kms:CustomerMasterKeySpec", spec);
  builder.Add("kms:KeyUsage", usage);
  builder.Add("kms:CustomerMasterKeyUsage", usage);
}

// `type` is the key's own, or that of the replica which it is to have.
void AddKey(const Key& key, MultiRegionType type, ContextBuilder& builder) {
  AddSpecAndUsage(KeySpecName(key.spec), KeyUsageName(key.usage), builder);
  builder.Add("kms:KeyOrigin", OriginName(key.origin));
  AddMultiRegion(type, builder);
}

// CreateKey: the key that would be.
void AddNewKey(const Call& call, ContextBuilder& builder) {
  const auto old_member = call.Text("CustomerMasterKeySpec");
  AddSpecAndUsage(
      call.Text("KeySpec").value_or(
          old_member.value_or(KeySpecName(KeySpec::kSymmetricDefault))),
      call.Text("KeyUsage").value_or(KeyUsageName(KeyUsage::kEncryptDecrypt)),
      builder);
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

void AddConditionMembers(const Call& call, ContextBuilder& builder) {
  for (const ConditionMember& row : kConditionMembers) {
    if (HasMember(call.operation, row.member)) {
      builder.Add(row.key, call.Text(row.member).value_or(row.absent));
    }
  }
}

// How the operation encrypts or decrypts; data keys only one way.
void AddEncryption(const Call& call, std::string_view algorithm,
                   std::string_view context, ContextBuilder& builder) {
  if (HasMember(call.operation, context)) {
    builder.Add(
        "kms:EncryptionAlgorithm",
        call.Text(algorithm).value_or(KeySpecName(KeySpec::kSymmetricDefault)));
    builder.AddEncryptionContext(context);
  }
}

void AddTags(Call& call, ContextBuilder& builder) {
  for (const TagView& tag : ViewTags(call)) {
    call.context.push_back({"aws:RequestTag/", tag.key, tag.value});
    builder.Add("aws:TagKeys", tag.key);
  }
}

void AddConstraints(const GrantConstraints& constraints, Call& call,
                    ContextBuilder& builder) {
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

void AddCreateGrant(Call& call, ContextBuilder& builder) {
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

void AddGrant(Call& call, const Check& check, ContextBuilder& builder) {
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

  Wanted(const Caller& caller, const Key& key,
         const Organization& organization) {
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
    if (const auto* const member = organization.Find(caller.account)) {
      Add(member->service_control);
    }
    if (const auto* const member = organization.Find(key.account)) {
      Add(member->resource_control);
    }
  }

  void Add(const auto& policies) {
    tags |= policies.uses_resource_tags();
    aliases |= policies.uses_resource_aliases();
  }
};

}  // namespace

base::Status AddLookedUp(Call& call, const Key& key) {
  const Wanted wanted(call.request.caller, key, call.environment.organization);
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

void AddMembers(Call& call, const Check& check, ContextBuilder& builder) {
  if (check.action == "kms:ReEncryptFrom") {
    AddEncryption(call, "SourceEncryptionAlgorithm", "SourceEncryptionContext",
                  builder);
  } else if (check.action == "kms:ReEncryptTo") {
    AddEncryption(call, "DestinationEncryptionAlgorithm",
                  "DestinationEncryptionContext", builder);
  } else {
    AddEncryption(call, "EncryptionAlgorithm", "EncryptionContext", builder);
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
  call.context.clear();
  ContextBuilder builder(call);
  AddGlobalContext(call, check, builder);
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
