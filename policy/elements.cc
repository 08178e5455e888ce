// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "policy/parser.h"
#include "policy/text.h"

namespace policy {
namespace {

constexpr std::array<std::string_view, 3> kPrincipalTypes = {"AWS", "Service",
                                                             "Federated"};

base::Error InvalidPrincipals() {
  return MalformedPolicy(
      "Policy contains a statement with one or more invalid principals.");
}

bool HasWildcard(std::string_view text) {
  return FindWildcard(text) != std::string_view::npos;
}

// "AIDA..." of a user, "AROA..." of a role.
bool IsUniqueId(std::string_view text) {
  return text.size() >= 16 && text.size() <= 128 &&
         (text.starts_with("AIDA") || text.starts_with("AROA")) &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

// The characters of IAM's names and paths.
bool IsName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') ||
           std::string_view("+=,.@_-").find(c) != std::string_view::npos;
  });
}

// IAM's paths hold any printable ASCII; a wildcard in one would be mistaken for
// one of the policy language.
bool IsPathPart(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && c != '*' && c != '?';
  });
}

// "user/path/name": a type, and what stands between slashes.
bool HasNames(std::string_view resource, std::string_view type,
              std::size_t least, std::size_t most) {
  if (!resource.starts_with(type)) {
    return false;
  }
  resource.remove_prefix(type.size());
  std::size_t names = 0;
  while (resource.starts_with('/')) {
    resource.remove_prefix(1);
    const std::string_view name = resource.substr(0, resource.find('/'));
    const bool last = name.size() == resource.size();
    if (last ? !IsName(name) : !IsPathPart(name)) {
      return false;
    }
    resource.remove_prefix(name.size());
    ++names;
  }
  return resource.empty() && names >= least && names <= most;
}

// A user, role or session, but not an account's root.
bool NamesPrincipal(const ArnParts& arn) {
  constexpr std::size_t kAnyPath = 512;
  if (arn[2] == "iam") {
    return HasNames(arn[5], "user", 1, kAnyPath) ||
           HasNames(arn[5], "role", 1, kAnyPath);
  }
  return arn[2] == "sts" && (HasNames(arn[5], "assumed-role", 2, 2) ||
                             HasNames(arn[5], "federated-user", 1, 1));
}

base::Result<PrincipalSet::Member> ReadAwsPrincipal(const Reading& reading,
                                                    std::string_view text) {
  using Kind = PrincipalSet::Kind;
  if (text == "*") {
    return PrincipalSet::Member{Kind::kEveryone, text};
  }
  if (IsAccountId(text)) {
    return PrincipalSet::Member{Kind::kAccount, text};
  }
  if (IsUniqueId(text)) {
    return PrincipalSet::Member{Kind::kId, text};
  }
  const auto arn = SplitArn(text);
  if (!arn || (*arn)[0] != "arn" || !IsName((*arn)[1]) || !(*arn)[3].empty() ||
      !IsAccountId((*arn)[4])) {
    return InvalidPrincipals();
  }
  if ((*arn)[2] == "iam" && (*arn)[5] == "root") {
    return PrincipalSet::Member{Kind::kAccount, (*arn)[4]};
  }
  if (!NamesPrincipal(*arn)) {
    return InvalidPrincipals();
  }
  PrincipalSet::Member member{Kind::kArn, text};
  const auto bound = std::ranges::find(reading.ids, text, &PrincipalId::arn);
  if (bound != reading.ids.end()) {
    member.bound = true;
    member.id = bound->id;
  }
  return member;
}

base::Result<PrincipalSet::Member> ReadPrincipal(const Reading& reading,
                                                 std::string_view type,
                                                 std::string_view text) {
  using Kind = PrincipalSet::Kind;
  if (type == "AWS") {
    return ReadAwsPrincipal(reading, text);
  }
  if (text.empty() || HasWildcard(text)) {
    return InvalidPrincipals();
  }
  return PrincipalSet::Member{
      type == "Service" ? Kind::kService : Kind::kFederated, text};
}

base::Status ParsePrincipalValues(const Reading& reading, const JsonNode& node,
                                  PrincipalSet& out) {
  if (std::ranges::find(kPrincipalTypes, node.key) == kPrincipalTypes.end()) {
    return MalformedPolicy("Unknown element '" + std::string(node.key) +
                           "' in a principal.");
  }
  if (!IsTextOrTexts(reading.json, node)) {
    return MalformedPolicy(
        "A principal's value is a string or a list of strings.");
  }
  base::Status status;
  AllTexts(reading.json, node, [&](std::string_view text) {
    auto member = ReadPrincipal(reading, node.key, text);
    if (!member) {
      status = std::move(member).error();
      return false;
    }
    out.Add(*std::move(member));
    return true;
  });
  return status;
}

// A variable is for the last part of an ARN; before it, it would be a text
// that no ARN holds, and a Deny that nobody notices is void.
base::Status AddResource(const Reading& reading, std::string_view text,
                         ResourceMatcher& out) {
  if (text == "*") {
    out.AddEverything();
    return {};
  }
  const PatternSyntax syntax = {.wildcards = true,
                                .variables = reading.variables};
  const Presence principal = reading.rules.principal;
  // In a policy of a resource, what lacks parts of an ARN is none, unless it
  // has a wildcard.
  ArnPattern pattern = principal == Presence::kRequired && !HasWildcard(text)
                           ? ArnPattern(text, syntax)
                           : ArnPattern::Padded(text, syntax);
  if (pattern.has_early_variables()) {
    return MalformedPolicy(
        "In a Resource, a policy variable can only stand after the fifth colon "
        "of the ARN.");
  }
  out.Add(std::move(pattern));
  return {};
}

bool IsConditionValue(const JsonText& json, const JsonNode& value) {
  return value.is_scalar() ||
         (value.is_array() && json.AllOf(value, [](const JsonNode& item) {
           return item.is_scalar();
         }));
}

// AWS KMS Developer Guide, "Condition keys for AWS KMS": a request without the
// key would satisfy the condition.
base::Status CheckForAllValues(const Reading& reading, const OperatorUse& use,
                               std::string_view key) {
  const std::string folded = Fold(key);
  if (reading.rules.kind != PolicyKind::kKey ||
      use.set != SetOperator::kForAllValues ||
      (!folded.starts_with("kms:encryptioncontext:") &&
       !folded.starts_with("aws:requesttag/"))) {
    return {};
  }
  return MalformedPolicy(
      "OverlyPermissiveCondition: Using the ForAllValues set operator with a "
      "single-valued condition key '" +
      std::string(key) +
      "' matches requests without the specified tag or encryption context.");
}

base::Status ParseOperatorBlock(const Reading& reading, const JsonNode& block,
                                std::vector<Condition>& out) {
  const auto use = ParseOperator(block.key);
  if (!use) {
    return MalformedPolicy("Unknown condition operator '" +
                           std::string(block.key) + "'.");
  }
  const JsonText& json = reading.json;
  if (!block.is_object() || !json.AllOf(block, [&](const JsonNode& value) {
        return IsConditionValue(json, value);
      })) {
    return MalformedPolicy(
        "A condition operator holds an object of condition keys and their "
        "values.");
  }
  return ForEachChild(json, block, [&](const JsonNode& key) -> base::Status {
    RETURN_IF_ERROR(CheckForAllValues(reading, *use, key.key));
    std::vector<std::string_view> values;
    AllTexts(json, key, [&](std::string_view text) {
      values.push_back(text);
      return true;
    });
    out.emplace_back(*use, block.key, key.key, values, reading.variables);
    return {};
  });
}

}  // namespace

base::Status ParsePrincipal(const Reading& reading, const JsonNode& node,
                            PrincipalSet& out) {
  if (node.is_string() && node.text == "*") {
    out.Add({PrincipalSet::Kind::kEveryone, node.text});
    return {};
  }
  if (!node.is_object() || node.size == 0) {
    return MalformedPolicy(
        "A principal is \"*\" or an object such as {\"AWS\": "
        "\"arn:aws:iam::111122223333:root\"}.");
  }
  return ForEachChild(reading.json, node, [&](const JsonNode& values) {
    return ParsePrincipalValues(reading, values, out);
  });
}

base::Status ParseActions(const Reading& reading, const JsonNode& node,
                          ActionMatcher& out) {
  const bool only_kms = reading.rules.kind == PolicyKind::kKey;
  base::Status status;
  AllTexts(reading.json, node, [&](std::string_view text) {
    if (!IsActionPattern(text, only_kms)) {
      status = MalformedPolicy("'" + std::string(text) +
                               "' is no action: it must be \"*\" or a "
                               "service's name, a colon, and an action.");
      return false;
    }
    out.Add(text);
    return true;
  });
  return status;
}

base::Status ParseResources(const Reading& reading, const JsonNode& node,
                            ResourceMatcher& out) {
  base::Status status;
  AllTexts(reading.json, node, [&](std::string_view text) {
    status = AddResource(reading, text, out);
    return status.has_value();
  });
  return status;
}

base::Status ParseConditions(const Reading& reading, const JsonNode& node,
                             std::vector<Condition>& out) {
  if (!node.is_object()) {
    return MalformedPolicy("Condition must be an object.");
  }
  std::size_t keys = 0;
  reading.json.AllOf(node, [&](const JsonNode& block) {
    keys += block.size;
    return true;
  });
  out.reserve(keys);
  return ForEachChild(reading.json, node, [&](const JsonNode& block) {
    return ParseOperatorBlock(reading, block, out);
  });
}

}  // namespace policy
