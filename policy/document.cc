// SPDX-License-Identifier: Apache-2.0
#include "policy/document.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"

namespace policy {
namespace {

using base::Json;

constexpr std::array<std::string_view, 3> kDocumentElements = {"Version", "Id",
                                                               "Statement"};
constexpr std::array<std::string_view, 2> kVersions = {"2012-10-17",
                                                       "2008-10-17"};
constexpr std::array<std::string_view, 9> kStatementElements = {
    "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
    "NotAction", "Resource", "NotResource", "Condition"};
constexpr std::array<std::string_view, 3> kPrincipalKinds = {"AWS", "Service",
                                                             "Federated"};
// At most one of each pair may stand in a statement.
constexpr std::array<std::array<std::string_view, 2>, 3> kExclusive = {
    {{"Principal", "NotPrincipal"},
     {"Action", "NotAction"},
     {"Resource", "NotResource"}}};

// Condition operators, without ForAllValues:, ForAnyValue: and IfExists.
constexpr std::array<std::string_view, 27> kOperators = {
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnNotEquals",
    "ArnLike",
    "ArnNotLike",
    "Null"};

// Operator names do not depend on case.
bool IsOperator(std::string_view name) {
  const auto lower = [](std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
  };
  std::string rest = lower(name);
  for (const std::string_view prefix : {"forallvalues:", "foranyvalue:"}) {
    if (rest.starts_with(prefix)) {
      rest.erase(0, prefix.size());
      break;
    }
  }
  constexpr std::string_view kIfExists = "ifexists";
  if (rest.ends_with(kIfExists) && rest != "nullifexists") {
    rest.resize(rest.size() - kIfExists.size());
  }
  return std::ranges::any_of(
      kOperators, [&](std::string_view known) { return lower(known) == rest; });
}

base::Error Malformed(std::string message) {
  return {base::ErrorCode::kMalformedPolicy, std::move(message)};
}

template <std::size_t kSize>
base::Status CheckElements(const Json& object,
                           const std::array<std::string_view, kSize>& known,
                           std::string_view where) {
  for (const auto& [name, value] : object.items()) {
    const std::string_view element(name.data(), name.size());
    if (std::ranges::find(known, element) == known.end()) {
      return Malformed("Unknown element '" + std::string(element) + "' in " +
                       std::string(where) + ".");
    }
  }
  return {};
}

bool IsTextOrTexts(const Json& value) {
  const auto is_text = [](const Json& item) { return item.is_string(); };
  return value.is_string() ||
         (value.is_array() && !value.empty() &&
          std::all_of(value.begin(), value.end(), is_text));
}

base::Status CheckPrincipal(const Json& principal) {
  if (principal.is_string() && base::TextOf(principal) == "*") {
    return {};
  }
  if (!principal.is_object() || principal.empty()) {
    return Malformed(
        "A principal is \"*\" or an object such as {\"AWS\": "
        "\"arn:aws:iam::111122223333:root\"}.");
  }
  RETURN_IF_ERROR(CheckElements(principal, kPrincipalKinds, "a principal"));
  for (const Json& value : principal) {
    if (!IsTextOrTexts(value)) {
      return Malformed("A principal's value is a string or a list of strings.");
    }
  }
  return {};
}

// A condition value is a JSON scalar, or a list of them.
bool IsConditionValue(const Json& value) {
  const auto is_scalar = [](const Json& item) {
    return item.is_string() || item.is_boolean() || item.is_number();
  };
  return is_scalar(value) ||
         (value.is_array() &&
          std::all_of(value.begin(), value.end(), is_scalar));
}

base::Status CheckCondition(const Json& condition) {
  if (!condition.is_object()) {
    return Malformed("Condition must be an object.");
  }
  for (const auto& [name, keys] : condition.items()) {
    const std::string_view condition_operator(name.data(), name.size());
    if (!IsOperator(condition_operator)) {
      return Malformed("Unknown condition operator '" +
                       std::string(condition_operator) + "'.");
    }
    if (!keys.is_object() ||
        !std::all_of(keys.begin(), keys.end(), IsConditionValue)) {
      return Malformed(
          "A condition operator holds an object of condition keys and their "
          "values.");
    }
  }
  return {};
}

base::Status CheckStatement(const Json& statement) {
  if (!statement.is_object()) {
    return Malformed("A statement must be an object.");
  }
  RETURN_IF_ERROR(CheckElements(statement, kStatementElements, "a statement"));
  for (const auto& [one, other] : kExclusive) {
    if (statement.contains(one) && statement.contains(other)) {
      return Malformed("A statement cannot hold both " + std::string(one) +
                       " and " + std::string(other) + ".");
    }
  }
  const auto effect = statement.find("Effect");
  if (effect == statement.end() || !effect->is_string() ||
      (base::TextOf(*effect) != "Allow" && base::TextOf(*effect) != "Deny")) {
    return Malformed("A statement's Effect must be Allow or Deny.");
  }
  if (statement.contains("Sid") && !statement.at("Sid").is_string()) {
    return Malformed("A statement's Sid must be a string.");
  }
  for (const std::string_view name :
       {"Action", "NotAction", "Resource", "NotResource"}) {
    if (statement.contains(name) && !IsTextOrTexts(statement.at(name))) {
      return Malformed(std::string(name) +
                       " must be a string or a list of strings.");
    }
  }
  if (statement.contains("Condition")) {
    RETURN_IF_ERROR(CheckCondition(statement.at("Condition")));
  }
  if (statement.contains("NotPrincipal")) {
    return CheckPrincipal(statement.at("NotPrincipal"));
  }
  if (!statement.contains("Principal")) {
    return Malformed("A key policy's statement needs a Principal.");
  }
  return CheckPrincipal(statement.at("Principal"));
}

}  // namespace

base::Status CheckKeyPolicy(std::string_view text) {
  const auto parsed = base::ParseJson(text);
  if (!parsed) {
    return Malformed("The policy is not valid JSON: " + parsed.error().message +
                     ".");
  }
  const Json& document = *parsed;
  if (!document.is_object()) {
    return Malformed("A policy must be a JSON object.");
  }
  RETURN_IF_ERROR(CheckElements(document, kDocumentElements, "the policy"));
  if (const auto version = document.find("Version");
      version != document.end() &&
      (!version->is_string() ||
       std::ranges::find(kVersions, base::TextOf(*version)) ==
           kVersions.end())) {
    return Malformed("Version must be 2012-10-17 or 2008-10-17.");
  }
  if (document.contains("Id") && !document.at("Id").is_string()) {
    return Malformed("Id must be a string.");
  }
  const auto statements = document.find("Statement");
  if (statements == document.end() || statements->empty()) {
    return Malformed("A policy needs at least one Statement.");
  }
  if (!statements->is_array()) {
    return CheckStatement(*statements);
  }
  for (const Json& statement : *statements) {
    RETURN_IF_ERROR(CheckStatement(statement));
  }
  return {};
}

}  // namespace policy
