// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_PARSER_H_
#define POLICY_PARSER_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/json.h"
#include "policy/policy.h"
#include "policy/statement.h"

// From JSON to compiled statements: the grammar of the policy language, for
// policy.cc alone.
namespace policy {

enum class Presence : std::uint8_t { kOptional, kRequired, kForbidden };

// What a kind of document asks of its elements.
struct KindRules {
  PolicyKind kind;
  std::string_view name;  // "key policy"
  Presence principal;
  Presence action;
  Presence resource;
  bool may_have_id;
  bool plain_sids;  // Letters and digits only, and unique.
};
const KindRules& RulesOf(PolicyKind kind);
std::string_view KindName(PolicyKind kind);

// How a document is to be read.
struct Reading {
  const KindRules& rules;
  const JsonText& json;
  std::span<const PrincipalId> ids;
  bool variables;  // Version 2012-10-17.
};

// The statements of `document`, which view `json`. Fails with kMalformedPolicy.
base::Result<std::vector<Statement>> ParseStatements(
    PolicyKind kind, const JsonText& json, const JsonNode& document,
    std::span<const PrincipalId> ids);

// The elements of one statement. Each adds to `out` what it has read.
base::Status ParsePrincipal(const Reading& reading, const JsonNode& node,
                            PrincipalSet& out);
base::Status ParseActions(const Reading& reading, const JsonNode& node,
                          ActionMatcher& out);
base::Status ParseResources(const Reading& reading, const JsonNode& node,
                            ResourceMatcher& out);
base::Status ParseConditions(const Reading& reading, const JsonNode& node,
                             std::vector<Condition>& out);

base::Error MalformedPolicy(std::string message);

// Whether `node` is a string, or a list of strings that is not empty.
bool IsTextOrTexts(const JsonText& json, const JsonNode& node);

// Calls `visit` with the text of a string, or of each string of a list, until
// it returns false; whether all returned true.
template <typename Visit>
bool AllTexts(const JsonText& json, const JsonNode& node, Visit visit) {
  if (!node.is_array()) {
    return visit(node.text);
  }
  return json.AllOf(node,
                    [&](const JsonNode& item) { return visit(item.text); });
}

// Calls `visit` with each child until it fails; its Status.
template <typename Visit>
base::Status ForEachChild(const JsonText& json, const JsonNode& node,
                          Visit visit) {
  base::Status status;
  json.AllOf(node, [&](const JsonNode& child) {
    status = visit(child);
    return status.has_value();
  });
  return status;
}

}  // namespace policy

#endif  // POLICY_PARSER_H_
