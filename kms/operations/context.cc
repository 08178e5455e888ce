// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/context.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kms/audit/json_text.h"

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

  void AddEncryptionContext(std::string_view member) {
    for (const auto& [key, value] : call_.Context(member)) {
      call_.context.push_back({"kms:EncryptionContext:", key, value});
      call_.context.push_back({"kms:EncryptionContextKeys", {}, key});
    }
  }

 private:
  Call& call_;
};

bool HasMember(const Operation& operation, std::string_view name) {
  return std::ranges::find(operation.input, name, &Member::name) !=
         operation.input.end();
}

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
  builder.AddBool("kms:MultiRegion", call.Flag("MultiRegion"));
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

void AddMembers(Call& call, const Check& check, Builder& builder) {
  if (check.action == "kms:ReEncryptFrom") {
    AddEncryption(call, "Source", builder);
  } else if (check.action == "kms:ReEncryptTo") {
    AddEncryption(call, "Destination", builder);
  } else {
    AddEncryption(call, "", builder);
  }
  if (call.source != nullptr && call.key != nullptr) {
    builder.AddBool("kms:ReEncryptOnSameKey", call.source->id == call.key->id);
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
  AddTags(call, builder);
}

}  // namespace

void BuildContext(Call& call, const Check& check) {
  Builder builder(call);
  AddCaller(call, builder);
  AddRequest(call, builder);
  if (check.key != nullptr) {
    AddKey(*check.key, builder);
  } else if (call.operation.action == "kms:CreateKey") {
    AddNewKey(call, builder);
  }
  AddMembers(call, check, builder);
}

}  // namespace kms::operations
