// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "policy/text.h"

namespace tools::claviger {
namespace {

using base::Json;

// An outcome, and the words for it.
struct Words {
  std::string_view outcome;
  std::string_view text;
};

constexpr std::string_view kMatched = "matched";
constexpr std::string_view kCondition = "condition";
constexpr std::string_view kNotEvaluable = "not evaluable";

constexpr auto kStatementWords = std::to_array<Words>({
    {kMatched, "matches"},
    {"no action or resource",
     "has no effect, for it lacks an Action or a Resource"},
    {"action", "does not match: it is about other actions"},
    {"principal", "does not match: it is about other principals"},
    {"resource", "does not match: it is about other resources"},
});

constexpr auto kGrantWords = std::to_array<Words>({
    {kMatched, "matches"},
    {"operation", "does not match: it is for other operations"},
    {"constraint", "does not match: its constraint is not met"},
    {"child grant",
     "does not match: it does not cover the grant that is to be created"},
    {"grantee", "does not match: its grantee is somebody else"},
    {"not allowed by policies",
     "names the caller, but the caller's policies do not allow it"},
});

// One character of UTF-8 that neither steers a terminal, hides others, nor ends
// a quoted text: the printable ones of ASCII and Latin-1, but for the soft
// hyphen, quotes and backslashes.
bool IsVisible(std::string_view character) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(character[i]);
  };
  if (character.size() == 1) {
    return byte(0) >= 0x20 && byte(0) < 0x7F && byte(0) != '"' &&
           byte(0) != '\\';
  }
  return character.size() == 2 &&
         (byte(0) == 0xC3 ||
          (byte(0) == 0xC2 && byte(1) >= 0xA0 && byte(1) != 0xAD));
}

}  // namespace

std::string Visible(std::string_view text) {
  std::string visible;
  while (!text.empty()) {
    const std::size_t length =
        std::max<std::size_t>(policy::Utf8Length(text), 1);
    const std::string_view character = text.substr(0, length);
    if (IsVisible(character)) {
      visible.append(character);
    } else {
      const auto escaped = Json(base::WipingString(character))
                               .dump(-1, ' ', /*ensure_ascii=*/true,
                                     Json::error_handler_t::replace);
      // Without the quotes. A DEL is ASCII to the library.
      visible.append(character == "\x7F" ? "\\u007f"
                                         : std::string_view(escaped).substr(
                                               1, escaped.size() - 2));
    }
    text.remove_prefix(length);
  }
  return visible;
}

namespace {

// An outcome of a newer server is better shown than refused.
std::string WordsFor(std::span<const Words> rows, std::string_view outcome) {
  const auto row = std::ranges::find(rows, outcome, &Words::outcome);
  return row == rows.end() ? "does not match: " + Visible(outcome)
                           : std::string(row->text);
}

std::string Quoted(std::string_view text) { return '"' + Visible(text) + '"'; }

// The member, if it is there and `is` it.
const Json* Member(const Json& object, const char* name,
                   bool (Json::*is)() const noexcept) {
  const auto found = object.find(name);
  return found != object.end() && ((*found).*is)() ? &*found : nullptr;
}

// Empty if it is not there: what is shown is a help, no decision.
std::string_view Text(const Json& object, const char* name) {
  const Json* const text = Member(object, name, &Json::is_string);
  return text == nullptr ? std::string_view() : base::TextOf(*text);
}

// Indices count from 0, people from 1. Empty if it is not there.
std::string Ordinal(const Json& object, const char* name) {
  const Json* const index = Member(object, name, &Json::is_number_unsigned);
  return index == nullptr ? std::string()
                          : fmt::format(" {}", index->get<std::uint64_t>() + 1);
}

// "a", "b" or "c"; `none` if there are no texts.
std::string Listed(const Json& object, const char* name,
                   std::string_view last_joint, std::string_view none) {
  const Json* const list = Member(object, name, &Json::is_array);
  if (list == nullptr || list->empty()) {
    return std::string(none);
  }
  std::string listed;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string_view joint = i + 1 < list->size() ? ", " : last_joint;
    const Json& item = (*list)[i];
    listed.append(i == 0 ? "" : joint)
        .append(Quoted(item.is_string() ? base::TextOf(item) : "?"));
  }
  return listed;
}

// "the resource-based policy", "the identity-based policy 2".
std::string NameOfPolicy(const Json& in) {
  const std::string_view layer = Text(in, "layer");
  // A resource has one.
  const bool only_one = layer == "resource-based policy";
  return fmt::format("the {}{}", Visible(layer),
                     only_one ? "" : Ordinal(in, "policy"));
}

// "StringEquals of kms:ViaService does not hold: ..."
std::string ConditionText(const Json& condition, std::string_view outcome) {
  return fmt::format(
      "{} of {} {}: the policy has {}, the request has {}",
      Visible(Text(condition, "operator")), Visible(Text(condition, "key")),
      outcome == kCondition ? "does not hold" : "cannot be evaluated",
      Listed(condition, "values", " or ", "no value"),
      Listed(condition, "actual", " and ", "none: it is absent"));
}

std::string StatementText(const Json& statement) {
  const std::string_view outcome = Text(statement, "outcome");
  const bool denies = Text(statement, "effect") == "Deny";
  const Json* const condition =
      Member(statement, "condition", &Json::is_object);
  const std::string why = condition == nullptr
                              ? "its Resource or a condition is unusable"
                              : ConditionText(*condition, outcome);
  if (outcome == kCondition) {
    return "does not match: " + why;
  }
  if (outcome == kNotEvaluable) {
    return fmt::format("counts as {}, since it cannot be evaluated: {}",
                       denies ? "matching" : "not matching", why);
  }
  return WordsFor(kStatementWords, outcome);
}

std::string StatementsText(const Json& statements) {
  std::string text;
  std::string policy;
  for (const Json& statement : statements) {
    if (std::string name = NameOfPolicy(statement); name != policy) {
      policy = std::move(name);
      text.append(fmt::format("\nIn {}:\n", policy));
    }
    const std::string_view sid = Text(statement, "sid");
    text.append(fmt::format(
        "  Statement{}{} ({}) {}.\n", Ordinal(statement, "statement"),
        sid.empty() ? "" : " " + Quoted(sid),
        Visible(Text(statement, "effect")), StatementText(statement)));
  }
  return text;
}

std::string GrantsText(const Json& grants) {
  std::string text = grants.empty() ? "" : "\nGrants:\n";
  for (const Json& grant : grants) {
    text.append(fmt::format("  Grant {} {}.\n", Visible(Text(grant, "id")),
                            WordsFor(kGrantWords, Text(grant, "outcome"))));
  }
  return text;
}

std::string RequestText(const Json& request) {
  return fmt::format(
      "{} asks for {} on {}.\n", Visible(Text(request, "principal")),
      Visible(Text(request, "action")), Visible(Text(request, "resource")));
}

// What allowed it, or denied it by name.
std::string DeciderText(const Json& decision) {
  const std::string_view layer = Text(decision, "layer");
  const std::string_view sid = Text(decision, "sid");
  if (layer == "grant") {
    return "grant " + Visible(sid);
  }
  if (layer == "account root") {
    return "the account's root user being who asks";
  }
  return sid.empty() ? "a statement of " + NameOfPolicy(decision)
                     : fmt::format("statement {} of {}", Quoted(sid),
                                   NameOfPolicy(decision));
}

// "no identity-based policy allows the" wants the action.
std::string MissingText(const Json& decision, const Json& request) {
  const std::string_view reason = Text(decision, "reason");
  if (!reason.ends_with(" the")) {
    return Visible(reason);
  }
  return fmt::format("{} {} action", Visible(reason),
                     Visible(Text(request, "action")));
}

}  // namespace

base::Result<std::string> RenderExplanation(const Json& explanation) {
  const Json* const decision =
      Member(explanation, "decision", &Json::is_object);
  const Json* const request = Member(explanation, "request", &Json::is_object);
  const Json* const statements =
      Member(explanation, "statements", &Json::is_array);
  const Json* const grants = Member(explanation, "grants", &Json::is_array);
  if (decision == nullptr || request == nullptr || statements == nullptr ||
      grants == nullptr) {
    return base::Error{base::ErrorCode::kSerialization,
                       "this is no explanation of a decision"};
  }
  const std::string text = RequestText(*request) + StatementsText(*statements) +
                           GrantsText(*grants) + "\n";
  const std::string_view verdict = Text(*decision, "verdict");
  if (verdict == "Allow") {
    return fmt::format("{}Allowed by {}.\n", text, DeciderText(*decision));
  }
  if (verdict == "ExplicitDeny") {
    return fmt::format("{}Denied by {}.\n", text, DeciderText(*decision));
  }
  return fmt::format("{}Nothing allows: {}.\n", text,
                     MissingText(*decision, *request));
}

}  // namespace tools::claviger
