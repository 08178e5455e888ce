// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/record.h"

#include <array>
#include <list>
#include <memory_resource>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kms/audit/event.h"
#include "kms/http/errors.h"
#include "kms/operations/tags.h"

namespace kms::operations {
namespace {

using audit::Event;
using audit::StringPair;

// Where the parts of one event lie until it is written: for most, on the stack.
class Arena {
 public:
  std::pmr::memory_resource* get() { return &resource_; }

 private:
  std::array<std::byte, 4096> first_;
  std::pmr::monotonic_buffer_resource resource_{first_.data(), first_.size()};
};

// The members of an event that must be made, and what they view. The input is
// copied by the operation's table: members that it does not know, blobs, and
// members marked as not audited do not pass.
class Parameters {
 public:
  Parameters(const Call& call, Arena& arena) : arena_(arena.get()) {
    members_.reserve(call.operation.input.size());
    for (const Member& member : call.operation.input) {
      const base::Json* const value = call.Find(member.name);
      if (value != nullptr && member.shape->audited) {
        Add(member, *value);
      }
    }
  }

  audit::Members members() const { return members_; }

 private:
  void Add(const Member& member, const base::Json& value) {
    switch (member.shape->type) {
      case Type::kString:
        return Push(member, value.is_string(),
                    [&] { return audit::Value(base::TextOf(value)); });
      case Type::kInteger:
        return Push(member, value.is_number_integer(),
                    [&] { return audit::Value(value.get<std::int64_t>()); });
      case Type::kBoolean:
        return Push(member, value.is_boolean(),
                    [&] { return audit::Value(value.get<bool>()); });
      case Type::kStringMap:
        return Push(member, value.is_object(),
                    [&] { return audit::Value(Pairs(value)); });
      case Type::kList:
        return AddList(member, value);
      case Type::kBlob:
      case Type::kStructure:
      case Type::kTimestamp:
      case Type::kConditions:
        return;
    }
  }

  void AddList(const Member& member, const base::Json& value) {
    if (!value.is_array()) {
      return;
    }
    if (member.shape->item->type == Type::kString) {
      return Push(member, true, [&] { return audit::Value(Items(value)); });
    }
    Push(member, true,
         [&] { return audit::Value(TagPairs(*member.shape->item, value)); });
  }

  // A value of the wrong type (the call fails for it) is left out.
  template <typename Make>
  void Push(const Member& member, bool right_type, Make make) {
    if (right_type) {
      std::pmr::string& name = names_.emplace_back(member.name);
      name[0] = static_cast<char>(name[0] - 'A' + 'a');
      members_.push_back({name, make()});
    }
  }

  std::span<const StringPair> Pairs(const base::Json& object) {
    std::pmr::vector<StringPair>& pairs = pairs_.emplace_back();
    for (const auto& [key, value] :
         object.get_ref<const base::Json::object_t&>()) {
      if (value.is_string()) {
        pairs.emplace_back(std::string_view(key), base::TextOf(value));
      }
    }
    return pairs;
  }

  std::span<const std::string_view> Items(const base::Json& list) {
    std::pmr::vector<std::string_view>& items = items_.emplace_back();
    for (const base::Json& item : list) {
      if (item.is_string()) {
        items.push_back(base::TextOf(item));
      }
    }
    return items;
  }

  std::span<const StringPair> TagPairs(const Shape& shape,
                                       const base::Json& list) {
    std::pmr::vector<StringPair>& pairs = pairs_.emplace_back();
    for (const base::Json& item : list) {
      if (const auto tag = ViewTag(shape, item)) {
        pairs.emplace_back(tag->key, tag->value);
      }
    }
    return pairs;
  }

  std::pmr::memory_resource* arena_;
  std::pmr::list<std::pmr::string> names_{arena_};
  std::pmr::list<std::pmr::vector<StringPair>> pairs_{arena_};
  std::pmr::list<std::pmr::vector<std::string_view>> items_{arena_};
  std::pmr::vector<audit::Member> members_{arena_};
};

// The condition context as members: several values of one key, which follow
// each other, stand as a list.
class Conditions {
 public:
  Conditions(const Call& call, Arena& arena) : arena_(arena.get()) {
    const std::vector<policy::ContextEntry>& context = call.context;
    members_.reserve(context.size());
    for (std::size_t i = 0, next = 0; i < context.size(); i = next) {
      next = i + 1;
      while (next < context.size() && IsSameKey(context[i], context[next])) {
        ++next;
      }
      if (!StandsElsewhere(context[i].key)) {
        Add({context.data() + i, next - i});
      }
    }
  }

  audit::Members members() const { return members_; }

 private:
  static bool IsSameKey(const policy::ContextEntry& one,
                        const policy::ContextEntry& other) {
    return one.key == other.key && one.suffix == other.suffix;
  }

  // In the keys of other entries, or in the request's parameters.
  static bool StandsElsewhere(std::string_view key) {
    return key == "kms:EncryptionContextKeys" || key == "aws:TagKeys" ||
           key == "kms:GrantOperations";
  }

  void Add(std::span<const policy::ContextEntry> entries) {
    std::string_view name = entries.front().key;
    if (!entries.front().suffix.empty()) {
      name = names_.emplace_back(name).append(entries.front().suffix);
    }
    if (entries.size() == 1) {
      members_.push_back({name, entries.front().value});
      return;
    }
    std::pmr::vector<std::string_view>& values = values_.emplace_back();
    for (const policy::ContextEntry& entry : entries) {
      values.push_back(entry.value);
    }
    members_.push_back({name, std::span<const std::string_view>(values)});
  }

  std::pmr::memory_resource* arena_;
  std::pmr::list<std::pmr::string> names_{arena_};
  std::pmr::list<std::pmr::vector<std::string_view>> values_{arena_};
  std::pmr::vector<audit::Member> members_{arena_};
};

std::pmr::vector<audit::Member> DecisionMembers(const Call& call,
                                                Arena& arena) {
  const policy::Decision& decision = call.decision;
  std::pmr::vector<audit::Member> members(arena.get());
  members.reserve(4);
  members.push_back({"verdict", policy::VerdictName(decision.verdict)});
  if (!decision.layer.empty()) {
    members.push_back({"layer", decision.layer});
  }
  if (!decision.sid.empty()) {
    members.push_back({"sid", decision.sid});
  }
  if (call.checks.size() > 1 && call.decided > 0) {
    members.push_back({"check", call.decided - 1});
  }
  return members;
}

// What was asked of policies, where the rest of the event does not say it: by
// itself it says one check, of the operation's own permission, on its resource.
std::pmr::vector<Event::Check> ChecksOf(
    const Call& call, std::span<const Event::Resource> resources,
    Arena& arena) {
  std::pmr::vector<Event::Check> checks(arena.get());
  const std::string_view resource =
      resources.empty() ? "*" : resources.front().arn;
  const bool is_plain = call.checks.size() == 1 &&
                        call.checks.front().region.empty() &&
                        call.checks.front().action == call.operation.action &&
                        call.checks.front().resource == resource;
  if (is_plain) {
    return checks;
  }
  for (const Check& check : call.checks) {
    checks.push_back({check.action, check.resource, check.region});
  }
  return checks;
}

std::string_view TypeOf(CallerKind kind) {
  switch (kind) {
    case CallerKind::kRoot:
      return "Root";
    case CallerKind::kUser:
      return "IAMUser";
    case CallerKind::kAssumedRole:
      return "AssumedRole";
    case CallerKind::kService:
      return "AWSService";
    case CallerKind::kAnonymous:
      return "WebIdentityUser";
  }
  return "Unknown";
}

Event::Identity IdentityOf(const Call& call) {
  const Caller& caller = call.request.caller;
  Event::Identity identity = {.type = TypeOf(caller.kind),
                              .account_id = caller.account,
                              .access_key_id = caller.access_key_id};
  if (caller.kind == CallerKind::kService) {
    identity.invoked_by = caller.service;
    return identity;
  }
  if (caller.kind == CallerKind::kAnonymous) {
    if (call.web_identity) {
      identity.user_name = call.web_identity->identity.subject;
      identity.provider = call.web_identity->provider_arn;
    }
    return identity;
  }
  identity.principal_id = caller.principal_id;
  identity.arn = caller.arn;
  identity.user_name = caller.user_name;
  if (caller.session != nullptr) {
    identity.session_created = caller.session->issued;
    identity.issuer_arn = caller.role_arn;
    identity.issuer_name = caller.role_name;
    identity.issuer_id = caller.UniqueId();
  }
  return identity;
}

// CloudTrail's eventSource. Whatever is not AWS's is about the KMS.
std::string_view SourceOf(std::string_view service) {
  constexpr std::array<StringPair, 2> kSources = {{
      {"IAM", "iam.amazonaws.com"},
      {"STS", "sts.amazonaws.com"},
  }};
  for (const auto& [name, source] : kSources) {
    if (name == service) {
      return source;
    }
  }
  return "kms.amazonaws.com";
}

// What the operation has made or changed; no name: nothing to tell.
audit::Member ResponseOf(const Call& call) {
  if (!call.grant_id.empty()) {
    return {"grantId", call.grant_id};
  }
  if (!call.material_id.empty()) {
    return {"keyMaterialId", call.material_id};
  }
  return {call.made.name, call.made.id};
}

std::string Render(const Call& call, const base::Error* error,
                   std::uint64_t store_revision) {
  Arena arena;
  const Parameters parameters(call, arena);
  const Conditions conditions(call, arena);
  const auto decision = DecisionMembers(call, arena);
  std::pmr::vector<Event::Resource> resources(arena.get());
  for (const Check& check : call.checks) {
    if (check.key != nullptr) {
      resources.push_back({check.account, check.resource});
    }
  }
  std::string created_arn;
  if (resources.empty() && call.key != nullptr) {  // CreateKey.
    created_arn = call.key->Arn();
    resources.push_back({call.key->account, created_arn});
  }
  const auto checks = ChecksOf(call, resources, arena);

  Event event;
  event.identity = IdentityOf(call);
  event.time = call.now;
  event.source = SourceOf(call.operation.name.empty() ? call.request.service
                                                      : call.operation.service);
  event.name = call.operation.name.empty() ? call.request.operation
                                           : call.operation.name;
  event.region = call.request.region;
  event.source_address = call.request.source_address;
  event.user_agent = call.request.user_agent;
  if (error != nullptr) {
    const http::AwsError& aws = http::AwsErrorOf(error->code);
    const bool is_query = call.request.body_form == BodyForm::kQuery;
    event.error_code = is_query ? aws.query.name : aws.json.name;
    event.error_message = error->message;
  }
  event.request = parameters.members();
  const std::array response = {ResponseOf(call)};
  if (error == nullptr && !response[0].name.empty()) {
    event.response = response;
  }
  if (!call.checks.empty()) {
    event.decision = decision;
    event.checks = checks;
  }
  if (const auto& session = call.request.caller.session; session != nullptr) {
    event.session_policies = session->policies.views().size();
  }
  event.context = conditions.members();
  event.door = DoorName(call.request.door);
  event.request_id = call.request.request_id;
  event.event_id = call.event_id;
  event.read_only = call.operation.effect == Effect::kReads;
  event.resources = resources;
  event.recipient_account = call.request.caller.account;
  event.store_revision = store_revision;
  return audit::EventText(event);
}

}  // namespace

std::string SuccessEvent(const Call& call, std::uint64_t store_revision) {
  return Render(call, nullptr, store_revision);
}

std::string FailureEvent(const Call& call, const base::Error& error) {
  return Render(call, &error, 0);
}

}  // namespace kms::operations
