// SPDX-License-Identifier: Apache-2.0
#include "policy/parser.h"

#include <algorithm>
#include <array>

namespace policy {
namespace {

using enum Presence;

// IAM User Guide, "IAM JSON policy elements: Principal" (forbidden in
// identity-based policies), "... Id" and "... Sid".
constexpr std::array kRules = {
    KindRules{PolicyKind::kKey, "key policy", kRequired, kOptional, kOptional,
              true, false},
    KindRules{PolicyKind::kIdentity, "identity-based policy", kForbidden,
              kRequired, kRequired, false, true},
    KindRules{PolicyKind::kPermissionsBoundary, "permissions boundary",
              kForbidden, kRequired, kRequired, false, true},
    KindRules{PolicyKind::kSession, "session policy", kForbidden, kRequired,
              kRequired, false, true},
    KindRules{PolicyKind::kTrust, "trust policy", kRequired, kRequired,
              kForbidden, true, false},
    KindRules{PolicyKind::kServiceControl, "service control policy", kForbidden,
              kRequired, kRequired, false, false},
    KindRules{PolicyKind::kResourceControl, "resource control policy",
              kRequired, kRequired, kRequired, false, false},
    KindRules{PolicyKind::kResource, "resource-based policy", kRequired,
              kRequired, kRequired, true, false},
};
static_assert(std::ranges::is_sorted(kRules, {}, &KindRules::kind));

constexpr std::array<std::string_view, 3> kDocumentElements = {"Version", "Id",
                                                               "Statement"};
constexpr std::array<std::string_view, 9> kStatementElements = {
    "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
    "NotAction", "Resource", "NotResource", "Condition"};
constexpr std::string_view kNewVersion = "2012-10-17";
constexpr std::string_view kOldVersion = "2008-10-17";

base::Status CheckElements(const Reading& reading, const JsonNode& object,
                           std::span<const std::string_view> known,
                           std::string_view where) {
  return ForEachChild(
      reading.json, object, [&](const JsonNode& member) -> base::Status {
        if (std::ranges::find(known, member.key) != known.end()) {
          return {};
        }
        return MalformedPolicy("Unknown element '" + std::string(member.key) +
                               "' in " + std::string(where) + ".");
      });
}

// One element and its opposite, of which a statement may have one.
struct Element {
  const JsonNode* node = nullptr;
  bool inverted = false;
};

base::Result<Element> FindElement(const Reading& reading,
                                  const JsonNode& statement,
                                  std::string_view name,
                                  std::string_view opposite) {
  const JsonNode* const plain = reading.json.Find(statement, name);
  const JsonNode* const inverted = reading.json.Find(statement, opposite);
  if (plain != nullptr && inverted != nullptr) {
    return MalformedPolicy("A statement cannot hold both " + std::string(name) +
                           " and " + std::string(opposite) + ".");
  }
  return plain != nullptr ? Element{plain, false}
                          : Element{inverted, inverted != nullptr};
}

struct Elements {
  Element principal;
  Element action;
  Element resource;
};

base::Result<Elements> FindElements(const Reading& reading,
                                    const JsonNode& statement) {
  Elements out;
  ASSIGN_OR_RETURN(out.principal, FindElement(reading, statement, "Principal",
                                              "NotPrincipal"));
  ASSIGN_OR_RETURN(out.action,
                   FindElement(reading, statement, "Action", "NotAction"));
  ASSIGN_OR_RETURN(out.resource,
                   FindElement(reading, statement, "Resource", "NotResource"));
  return out;
}

// Whether `element`, which is called `name`, is there where it must be.
base::Status CheckPresence(const Reading& reading, Presence presence,
                           const Element& element, std::string_view name) {
  const auto wrong = [&](std::string_view what, std::string_view element_name) {
    return MalformedPolicy("A " + std::string(reading.rules.name) +
                           "'s statement " + std::string(what) + " " +
                           std::string(element_name) + ".");
  };
  if (presence == kRequired && element.node == nullptr) {
    return wrong(name == "Action" ? "needs an" : "needs a", name);
  }
  if (presence == kForbidden && element.node != nullptr) {
    return wrong("cannot hold", element.node->key);
  }
  return {};
}

base::Status CheckTexts(const Reading& reading, const Element& element) {
  if (element.node == nullptr || IsTextOrTexts(reading.json, *element.node)) {
    return {};
  }
  return MalformedPolicy(std::string(element.node->key) +
                         " must be a string or a list of strings.");
}

base::Status ParseEffect(const Reading& reading, const JsonNode& statement,
                         Statement& out) {
  const JsonNode* const effect = reading.json.Find(statement, "Effect");
  if (effect == nullptr || !effect->is_string() ||
      (effect->text != "Allow" && effect->text != "Deny")) {
    return MalformedPolicy("A statement's Effect must be Allow or Deny.");
  }
  out.effect = effect->text == "Allow" ? Effect::kAllow : Effect::kDeny;
  return {};
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z');
}

base::Status ParseSid(const Reading& reading, const JsonNode& statement,
                      Statement& out) {
  const JsonNode* const sid = reading.json.Find(statement, "Sid");
  if (sid == nullptr) {
    return {};
  }
  if (!sid->is_string()) {
    return MalformedPolicy("A statement's Sid must be a string.");
  }
  if (reading.rules.plain_sids &&
      !std::ranges::all_of(sid->text, IsAlphanumeric)) {
    return MalformedPolicy(
        "Statement IDs (SID) must be alpha-numeric. Check that your input "
        "satisfies the regular expression [0-9A-Za-z]*");
  }
  out.sid = sid->text;
  return {};
}

// NotPrincipal with Allow would let in everyone whom nobody thought of.
base::Status CheckNotPrincipal(const Statement& statement) {
  if (statement.not_principal && statement.effect == Effect::kAllow) {
    return MalformedPolicy("NotPrincipal cannot stand with the Effect Allow.");
  }
  return {};
}

bool IsOne(const Reading& reading, const Element& element,
           std::string_view text) {
  return !element.inverted && element.node->size <= 1 &&
         AllTexts(reading.json, *element.node,
                  [&](std::string_view one) { return one == text; });
}

// AWS Organizations User Guide, "RCP syntax": for everyone, and Deny; but for
// the policy that AWS attaches itself, RCPFullAWSAccess.
base::Status CheckResourceControl(const Reading& reading,
                                  const Elements& elements,
                                  const Statement& statement) {
  using Kind = PrincipalSet::Kind;
  const auto members = statement.principals.members();
  if (statement.not_principal || members.size() != 1 ||
      members.front().kind != Kind::kEveryone) {
    return MalformedPolicy(
        "A resource control policy's Principal must be \"*\".");
  }
  const bool full_access = IsOne(reading, elements.action, "*") &&
                           IsOne(reading, elements.resource, "*") &&
                           statement.conditions.empty();
  if (statement.effect == Effect::kAllow && !full_access) {
    return MalformedPolicy("A resource control policy can only deny.");
  }
  return {};
}

base::Status ParseElements(const Reading& reading, const Elements& elements,
                           Statement& out) {
  if (elements.action.node != nullptr) {
    RETURN_IF_ERROR(ParseActions(reading, *elements.action.node, out.actions));
  }
  if (elements.action.inverted) {
    out.actions.Invert();
  }
  out.has_resources = elements.resource.node != nullptr;
  if (out.has_resources) {
    RETURN_IF_ERROR(
        ParseResources(reading, *elements.resource.node, out.resources));
  }
  if (elements.resource.inverted) {
    out.resources.Invert();
  }
  const KindRules& rules = reading.rules;
  out.dead = (elements.action.node == nullptr && rules.action == kOptional) ||
             (!out.has_resources && rules.resource == kOptional);
  return {};
}

base::Status ParsePrincipals(const Reading& reading, const Element& element,
                             Statement& out) {
  RETURN_IF_ERROR(
      CheckPresence(reading, reading.rules.principal, element, "Principal"));
  if (element.node == nullptr) {
    return {};
  }
  out.has_principals = true;
  out.not_principal = element.inverted;
  RETURN_IF_ERROR(ParsePrincipal(reading, *element.node, out.principals));
  return CheckNotPrincipal(out);
}

base::Result<Statement> ParseStatement(const Reading& reading,
                                       const JsonNode& node) {
  if (!node.is_object()) {
    return MalformedPolicy("A statement must be an object.");
  }
  RETURN_IF_ERROR(
      CheckElements(reading, node, kStatementElements, "a statement"));
  ASSIGN_OR_RETURN(const Elements elements, FindElements(reading, node));
  Statement out;
  RETURN_IF_ERROR(ParseEffect(reading, node, out));
  RETURN_IF_ERROR(ParseSid(reading, node, out));
  for (const Element& element : {elements.action, elements.resource}) {
    RETURN_IF_ERROR(CheckTexts(reading, element));
  }
  if (const JsonNode* const condition = reading.json.Find(node, "Condition")) {
    RETURN_IF_ERROR(ParseConditions(reading, *condition, out.conditions));
  }
  RETURN_IF_ERROR(ParsePrincipals(reading, elements.principal, out));
  RETURN_IF_ERROR(
      CheckPresence(reading, reading.rules.action, elements.action, "Action"));
  RETURN_IF_ERROR(CheckPresence(reading, reading.rules.resource,
                                elements.resource, "Resource"));
  RETURN_IF_ERROR(ParseElements(reading, elements, out));
  if (reading.rules.kind == PolicyKind::kResourceControl) {
    RETURN_IF_ERROR(CheckResourceControl(reading, elements, out));
  }
  return out;
}

// The document's Version; the old one if it names none.
base::Result<std::string_view> ParseVersion(const JsonText& json,
                                            const JsonNode& document) {
  const JsonNode* const version = json.Find(document, "Version");
  if (version == nullptr) {
    return kOldVersion;
  }
  if (!version->is_string() ||
      (version->text != kNewVersion && version->text != kOldVersion)) {
    return MalformedPolicy("Version must be 2012-10-17 or 2008-10-17.");
  }
  return version->text;
}

base::Status CheckId(const Reading& reading, const JsonNode& document) {
  const JsonNode* const id = reading.json.Find(document, "Id");
  if (id == nullptr) {
    return {};
  }
  if (!reading.rules.may_have_id) {
    return MalformedPolicy("Unknown element 'Id' in the policy.");
  }
  return id->is_string() ? base::Status()
                         : MalformedPolicy("Id must be a string.");
}

base::Status CheckSidsDiffer(const Reading& reading,
                             std::span<const Statement> statements) {
  if (!reading.rules.plain_sids) {
    return {};
  }
  std::vector<std::string_view> sids;
  for (const Statement& statement : statements) {
    if (!statement.sid.empty()) {
      sids.push_back(statement.sid);
    }
  }
  std::ranges::sort(sids);
  if (std::ranges::adjacent_find(sids) != sids.end()) {
    return MalformedPolicy(
        "Statement IDs (SID) in a single policy must be unique.");
  }
  return {};
}

}  // namespace

base::Error MalformedPolicy(std::string message) {
  return {base::ErrorCode::kMalformedPolicy, std::move(message)};
}

const KindRules& RulesOf(PolicyKind kind) {
  return kRules.at(static_cast<std::size_t>(kind));
}

std::string_view KindName(PolicyKind kind) { return RulesOf(kind).name; }

bool IsTextOrTexts(const JsonText& json, const JsonNode& node) {
  return node.is_string() || (node.is_array() && node.size > 0 &&
                              json.AllOf(node, [](const JsonNode& item) {
                                return item.is_string();
                              }));
}

base::Result<std::vector<Statement>> ParseStatements(
    PolicyKind kind, const JsonText& json, const JsonNode& document,
    std::span<const PrincipalId> ids) {
  Reading reading{RulesOf(kind), json, ids, false};
  if (!document.is_object()) {
    return MalformedPolicy("A policy must be a JSON object.");
  }
  RETURN_IF_ERROR(
      CheckElements(reading, document, kDocumentElements, "the policy"));
  ASSIGN_OR_RETURN(const std::string_view version,
                   ParseVersion(json, document));
  reading.variables = version == kNewVersion;
  RETURN_IF_ERROR(CheckId(reading, document));
  const JsonNode* const node = json.Find(document, "Statement");
  if (node == nullptr || node->kind == JsonNode::Kind::kNull ||
      ((node->is_array() || node->is_object()) && node->size == 0)) {
    return MalformedPolicy("A policy needs at least one Statement.");
  }
  std::vector<Statement> statements;
  const auto add = [&](const JsonNode& one) -> base::Status {
    ASSIGN_OR_RETURN(Statement statement, ParseStatement(reading, one));
    statements.push_back(std::move(statement));
    return {};
  };
  statements.reserve(node->is_array() ? node->size : 1);
  RETURN_IF_ERROR(node->is_array() ? ForEachChild(json, *node, add)
                                   : add(*node));
  RETURN_IF_ERROR(CheckSidsDiffer(reading, statements));
  return statements;
}

}  // namespace policy
