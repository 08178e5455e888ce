// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/context.h"

#include <nlohmann/json.hpp>
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

  // A member of the request that is a condition key as it stands.
  void AddMember(std::string_view key, std::string_view member) {
    if (const auto text = call_.Text(member)) {
      Add(key, *text);
    }
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
  }
  AddMembers(call, check, builder);
}

}  // namespace kms::operations
