// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "policy/parser.h"
#include "policy/text.h"

namespace policy {
namespace {

base::Error Malformed(std::string message) {
  return {base::ErrorCode::kMalformedPolicy, std::move(message)};
}

// Why `text` is not JSON, in the words of the parser of requests.
base::Error NotJson(std::string_view text) {
  const auto parsed = base::ParseJson(text);
  const std::string why = parsed ? "not JSON" : parsed.error().message;
  return Malformed("The policy is not valid JSON: " + why + ".");
}

base::Status CheckText(PolicyKind kind, std::string_view text) {
  if (text.size() > MostBytes(kind)) {
    return base::Error{base::ErrorCode::kLimitExceeded,
                       "The " + std::string(KindName(kind)) + " has " +
                           std::to_string(text.size()) +
                           " bytes; the limit is " +
                           std::to_string(MostBytes(kind)) + "."};
  }
  return {};
}

// As a condition's key, or within a value, as a variable.
bool Mentions(const JsonText& json, std::string_view folded) {
  return json.AnyText([folded](std::string_view text) {
    return text.size() >= folded.size() &&
           Fold(text).find(folded) != std::string::npos;
  });
}

}  // namespace

std::size_t MostBytes(PolicyKind kind) {
  // The longest that the models of the two APIs let through.
  return kind == PolicyKind::kKey ? 32768 : 131072;
}

std::size_t SizeWithoutWhiteSpace(std::string_view document) {
  std::size_t size = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const char c = document[i];
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    size += in_string || !space ? 1 : 0;
    if (in_string && c == '\\') {
      size += i + 1 < document.size() ? 1 : 0;
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    }
  }
  return size;
}

base::Result<Policy> Policy::Parse(PolicyKind kind, std::string_view text,
                                   std::span<const PrincipalId> ids) {
  RETURN_IF_ERROR(CheckText(kind, text));
  auto source = std::make_unique<Source>();
  source->text = text;
  source->json = JsonText::Parse(source->text);
  if (!source->json) {
    return NotJson(text);
  }
  if (!IsLatin1Text(text)) {
    return Malformed(
        "The policy holds a character that is none of tab, line feed, carriage "
        "return, and U+0020 to U+00FF.");
  }
  std::vector<PrincipalId> kept_ids;
  source->ids.reserve(ids.size());
  for (const PrincipalId& id : ids) {
    kept_ids.push_back({id.arn, source->ids.emplace_back(id.id)});
  }
  ASSIGN_OR_RETURN(Policy policy, Compile(kind, *source->json,
                                          source->json->root(), kept_ids));
  policy.uses_resource_tags_ = Mentions(*source->json, "aws:resourcetag/");
  policy.uses_resource_aliases_ =
      Mentions(*source->json, "kms:resourcealiases");
  policy.source_ = std::move(source);
  return policy;
}

base::Result<Policy> Policy::Compile(PolicyKind kind, const JsonText& json,
                                     const JsonNode& document,
                                     std::span<const PrincipalId> ids) {
  Policy policy;
  ASSIGN_OR_RETURN(policy.statements_,
                   ParseStatements(kind, json, document, ids));
  return policy;
}

Policy Policy::Unreadable() {
  Policy policy;
  policy.readable_ = false;
  return policy;
}

std::vector<std::string_view> Policy::NamedPrincipals() const {
  using Kind = PrincipalSet::Kind;
  std::vector<std::string_view> names;
  for (const Statement& statement : statements_) {
    for (const PrincipalSet::Member& member : statement.principals.members()) {
      if (member.kind == Kind::kAccount || member.kind == Kind::kArn ||
          member.kind == Kind::kId) {
        names.push_back(member.text);
      }
    }
  }
  return names;
}

}  // namespace policy
