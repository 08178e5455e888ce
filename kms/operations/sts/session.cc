// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/sts/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kms/audit/json_text.h"
#include "kms/entity.h"
#include "kms/operations/session_token.h"
#include "policy/policy.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::int64_t kDefaultSeconds = 3600;
constexpr std::int64_t kMostSecondsOfChain = 3600;
constexpr std::size_t kMostTags = 50;
constexpr std::size_t kMostPolicyArns = 10;
// IAM and AWS STS quotas: characters of an inline session policy.
constexpr std::size_t kMostPolicyCharacters = 2048;

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string TimeText(base::WallTime time) {
  std::string text;
  audit::AppendTime(time, text);
  return text;
}

Error Invalid(std::string message) {
  return {ErrorCode::kValidation, std::move(message)};
}

Pairs RequestedTags(const Call& call) {
  Pairs tags;
  if (const base::Json* const list = call.Find("Tags")) {
    for (const base::Json& tag : *list) {
      tags.emplace_back(base::TextOf(tag.at("Key")),
                        base::TextOf(tag.at("Value")));
    }
  }
  return tags;
}

std::vector<std::string> RequestedTexts(const Call& call,
                                        std::string_view member) {
  std::vector<std::string> texts;
  if (const base::Json* const list = call.Find(member)) {
    for (const base::Json& item : *list) {
      texts.emplace_back(base::TextOf(item));
    }
  }
  return texts;
}

std::vector<std::string> RequestedPolicyArns(const Call& call) {
  std::vector<std::string> arns;
  if (const base::Json* const list = call.Find("PolicyArns")) {
    for (const base::Json& item : *list) {
      arns.emplace_back(base::TextOf(item.at("arn")));
    }
  }
  return arns;
}

bool HasKey(const Pairs& tags, std::string_view key) {
  return std::ranges::any_of(tags, [folded = FoldedName(key)](const auto& tag) {
    return FoldedName(tag.first) == folded;
  });
}

base::Status CheckSessionTags(const Call& call) {
  const Pairs tags = RequestedTags(call);
  if (tags.size() > kMostTags) {
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("A session has at most {} tags.", kMostTags)};
  }
  Pairs seen;
  for (const auto& tag : tags) {
    if (HasKey(seen, tag.first)) {
      return Invalid(
          "Duplicate tag keys found. Please note that Tag keys are "
          "case insensitive.");
    }
    if (FoldedName(tag.first).starts_with("aws:")) {
      return Invalid("A session tag's key cannot begin with aws:.");
    }
    seen.push_back(tag);
  }
  for (const std::string& key : RequestedTexts(call, "TransitiveTagKeys")) {
    if (!HasKey(tags, key)) {
      return Invalid(fmt::format(
          "The transitive tag key {} is not the key of one of the Tags.", key));
    }
  }
  return {};
}

// The tags of the caller's session that its roles inherit.
base::Status InheritTags(const Call& call, identity::Session& session) {
  const Caller& caller = call.request.caller;
  if (caller.session == nullptr) {
    return {};
  }
  for (const std::string& key : caller.session->transitive_tags) {
    if (HasKey(session.tags, key)) {
      return Invalid(fmt::format(
          "The tag {} is transitive and was set when the session began; it "
          "cannot be set again.",
          key));
    }
    const auto tag = std::ranges::find_if(caller.tags, [&key](const auto& own) {
      return FoldedName(own.first) == FoldedName(key);
    });
    if (tag != caller.tags.end()) {
      session.tags.push_back(*tag);
      session.transitive_tags.push_back(key);
    }
  }
  return {};
}

base::Status KeepSourceIdentity(const Call& call, identity::Session& session) {
  const Caller& caller = call.request.caller;
  if (caller.session == nullptr || caller.session->source_identity.empty()) {
    return {};
  }
  const std::string& kept = caller.session->source_identity;
  if (!session.source_identity.empty() && session.source_identity != kept) {
    return Invalid(
        "The source identity was set when the session began, and "
        "cannot be changed.");
  }
  session.source_identity = kept;
  return {};
}

// The request's, or what the caller's session hands on.
std::string_view SourceIdentityOf(const Call& call) {
  const Caller& caller = call.request.caller;
  return call.Text("SourceIdentity")
      .value_or(caller.session == nullptr
                    ? std::string_view()
                    : std::string_view(caller.session->source_identity));
}

base::Result<std::int64_t> Duration(const Call& call,
                                    const identity::Record& role) {
  const std::int64_t seconds =
      call.Number("DurationSeconds").value_or(kDefaultSeconds);
  if (seconds > role.entity.max_session) {
    return Invalid(
        "The requested DurationSeconds exceeds the "
        "MaxSessionDuration set for this role.");
  }
  if (call.request.caller.kind == CallerKind::kAssumedRole &&
      seconds > kMostSecondsOfChain) {
    return Invalid(
        "The requested DurationSeconds exceeds the 1 hour session "
        "limit for roles assumed by role chaining.");
  }
  return seconds;
}

}  // namespace

const identity::Record* RequestedRole(const Call& call,
                                      const identity::Directory& directory) {
  const identity::Record* const record =
      directory.FindByArn(*call.Text("RoleArn"));
  return record != nullptr && record->entity.kind == EntityKind::kRole
             ? record
             : nullptr;
}

void AddRoleChecks(Call& call, const identity::Record* role) {
  Check check;
  check.resource = *call.Text("RoleArn");
  // "arn:aws:iam::ACCOUNT:role/name"
  constexpr std::string_view kPrefix = "arn:aws:iam::";
  constexpr std::size_t kAccountDigits = 12;
  if (check.resource.starts_with(kPrefix)) {
    check.account = check.resource.substr(kPrefix.size(), kAccountDigits);
  }
  if (role != nullptr) {
    check.resource_policy = role->trust;
    call.subject_id = role->entity.id;
  }
  check.action = call.operation.action;
  call.checks.push_back(check);
  if (call.Find("Tags") != nullptr) {
    check.action = "sts:TagSession";
    call.checks.push_back(check);
  }
  if (!SourceIdentityOf(call).empty()) {
    check.action = "sts:SetSourceIdentity";
    call.checks.push_back(check);
  }
}

base::Status CheckSessionMembers(const Call& call) {
  if (const auto policy = call.Text("Policy")) {
    if (policy->size() > kMostPolicyCharacters) {
      return Error{ErrorCode::kPackedPolicyTooLarge,
                   fmt::format("The session policy has {} characters; the "
                               "limit is {}.",
                               policy->size(), kMostPolicyCharacters)};
    }
    RETURN_IF_ERROR(
        policy::Policy::Parse(policy::PolicyKind::kSession, *policy));
  }
  if (RequestedPolicyArns(call).size() > kMostPolicyArns) {
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("A session has at most {} managed policies.",
                             kMostPolicyArns)};
  }
  return CheckSessionTags(call);
}

base::Result<identity::Session> StartRoleSession(
    const Call& call, const identity::Directory& directory,
    const identity::Record& role) {
  ASSIGN_OR_RETURN(const std::int64_t seconds, Duration(call, role));
  identity::Session session;
  session.account = role.entity.account;
  session.principal_id = role.entity.id;
  session.name = *call.Text("RoleSessionName");
  session.source_identity = call.Text("SourceIdentity").value_or("");
  session.tags = RequestedTags(call);
  session.transitive_tags = RequestedTexts(call, "TransitiveTagKeys");
  session.policy = call.Text("Policy").value_or("");
  session.policy_arns = RequestedPolicyArns(call);
  for (const std::string& arn : session.policy_arns) {
    if (!directory.FindManagedPolicy(session.account, arn)) {
      return Invalid(fmt::format(
          "The policy {} does not exist, or is not one of the role's account.",
          arn));
    }
  }
  RETURN_IF_ERROR(InheritTags(call, session));
  RETURN_IF_ERROR(KeepSourceIdentity(call, session));
  FillCredentials(call, seconds, session);
  return session;
}

void FillCredentials(const Call& call, std::int64_t seconds,
                     identity::Session& session) {
  session.access_key_id = identity::NewAccessKeyId("ASIA");
  session.secret = identity::NewSecretKey();
  session.issued = std::chrono::floor<std::chrono::seconds>(call.now);
  session.expires = session.issued + std::chrono::seconds(seconds);
}

boost::asio::awaitable<base::Status> WriteCredentials(
    Call& call, const identity::Session& session, JsonWriter& writer) {
  CO_ASSIGN_OR_RETURN(const std::string token,
                      co_await MakeSessionToken(call.environment, session));
  writer.BeginObject("Credentials")
      .Text("AccessKeyId", session.access_key_id)
      .Text("SecretAccessKey", session.secret.RevealText())
      .Text("SessionToken", token)
      .Text("Expiration", TimeText(session.expires))
      .EndObject();
  co_return base::Status();
}

void WriteRoleSession(const identity::Record& role,
                      const identity::Session& session, JsonWriter& writer) {
  const Entity& entity = role.entity;
  std::size_t packed = session.policy.size();
  for (const auto& [key, value] : session.tags) {
    packed += key.size() + value.size();
  }
  for (const std::string& arn : session.policy_arns) {
    packed += arn.size();
  }
  writer.BeginObject("AssumedRoleUser")
      .Text("AssumedRoleId", fmt::format("{}:{}", entity.id, session.name))
      .Text("Arn", fmt::format("arn:aws:sts::{}:assumed-role/{}/{}",
                               entity.account, entity.name, session.name))
      .EndObject();
  if (packed > 0) {  // In percent of what a token can take.
    writer.Number("PackedPolicySize",
                  static_cast<std::int64_t>(
                      packed * 100 / identity::kMaxSessionBytes + 1));
  }
  if (!session.source_identity.empty()) {
    writer.Text("SourceIdentity", session.source_identity);
  }
}

void AddStsContext(Call& call) {
  const auto add = [&call](std::string_view key, std::string_view value) {
    if (!value.empty()) {
      call.context.push_back({key, {}, value});
    }
  };
  add("sts:RoleSessionName", call.Text("RoleSessionName").value_or(""));
  add("sts:ExternalId", call.Text("ExternalId").value_or(""));
  add("sts:SourceIdentity", SourceIdentityOf(call));
  if (const base::Json* const tags = call.Find("Tags")) {
    for (const base::Json& tag : *tags) {
      const std::string_view key = base::TextOf(tag.at("Key"));
      call.context.push_back(
          {"aws:RequestTag/", key, base::TextOf(tag.at("Value"))});
      add("aws:TagKeys", key);
    }
  }
  if (const base::Json* const keys = call.Find("TransitiveTagKeys")) {
    for (const base::Json& key : *keys) {
      call.context.push_back(
          {"sts:TransitiveTagKeys", {}, base::TextOf(key), true});
    }
  }
  if (call.web_identity) {
    const WebCaller& web = *call.web_identity;
    const auto claim = [&](std::string_view name, std::string_view value) {
      if (!value.empty()) {
        call.context.push_back({web.prefix, name, value});
      }
    };
    claim(":sub", web.identity.subject);
    claim(":aud", web.identity.audience);
    claim(":oaud", web.identity.other_audience);
    claim(":azp", web.identity.authorized_party);
    add("aws:FederatedProvider", web.provider_arn);
  }
}

}  // namespace kms::operations
