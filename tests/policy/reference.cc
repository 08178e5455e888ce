// SPDX-License-Identifier: Apache-2.0
#include "tests/policy/reference.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "tests/policy/reference_conditions.h"
#include "tests/testlib/status.h"

namespace policy {
namespace {

using base::Json;
using reference::Truth;

std::string Text(const Json& value) { return std::string(base::TextOf(value)); }

// Both of the forms that a value may have, as a list.
std::vector<std::string> List(const Json& value) {
  if (value.is_string()) {
    return {Text(value)};
  }
  std::vector<std::string> out;
  for (const Json& item : value) {
    out.push_back(Text(item));
  }
  return out;
}

// The ways in which a principal can be named, from the weakest.
enum class Named { kNot, kByAccount, kByIssuer, kItself };

Named HowNamed(const std::string& text, const std::string& type,
               const Question& question) {
  const bool service = question.kind == "service";
  if (type == "Service") {
    return service && text == question.principal ? Named::kItself : Named::kNot;
  }
  if (text == question.account ||
      text == "arn:aws:iam::" + question.account + ":root") {
    if (service) {
      return Named::kNot;
    }
    return question.kind == "root" ? Named::kItself : Named::kByAccount;
  }
  if (service) {
    return Named::kNot;
  }
  if (text == question.principal) {
    return Named::kItself;
  }
  return !question.issuer.empty() && text == question.issuer ? Named::kByIssuer
                                                             : Named::kNot;
}

Named HowNamedBy(const Json& principal, const Question& question, bool deny) {
  const Named everyone =
      deny || question.kind != "service" ? Named::kItself : Named::kNot;
  if (principal.is_string()) {
    return everyone;
  }
  Named best = Named::kNot;
  for (const auto& [type, values] : principal.items()) {
    for (const std::string& text : List(values)) {
      best = std::max(
          best, text == "*"
                    ? everyone
                    : HowNamed(text, {type.begin(), type.end()}, question));
    }
  }
  return best;
}

std::u32string LowerPattern(const std::string& text) {
  std::u32string out;
  Question nobody;
  reference::Substitute(reference::Lower(text), false, nobody, out);
  for (char32_t& c : out) {
    c = c == 0xF0002 ? U':' : c;
  }
  return out;
}

bool NamesAction(const Json& values, const std::string& action) {
  for (const std::string& text : List(values)) {
    if (text == "*" ||
        reference::Glob(LowerPattern(text),
                        reference::Characters(reference::Lower(action)))) {
      return true;
    }
  }
  return false;
}

bool NamesResource(const Json& values, bool in_key_policy, bool variables,
                   const Question& question) {
  for (const std::string& text : List(values)) {
    const bool wild = text.find_first_of("*?") != std::string::npos;
    if (text == "*" ||
        (question.resource != "*" &&
         reference::CoversArn(text, question.resource, !in_key_policy || wild,
                              variables, question))) {
      return true;
    }
  }
  return false;
}

bool AllResolve(const Json& values, bool variables, const Question& question) {
  std::u32string ignored;
  for (const std::string& text : List(values)) {
    if (!reference::Substitute(text, variables, question, ignored)) {
      return false;
    }
  }
  return true;
}

// What all policies of a layer say together.
struct Said {
  bool denies = false;
  bool allows_itself = false;
  bool allows_issuer = false;
  bool allows_account = false;

  bool allows() const {
    return allows_itself || allows_issuer || allows_account;
  }
};

class Reader {
 public:
  Reader(const Json& document, bool key_policy, bool principals,
         bool has_boundary, const Question& question)
      : document_(document),
        key_policy_(key_policy),
        principals_(principals),
        has_boundary_(has_boundary),
        question_(question) {
    const auto version = document.find("Version");
    variables_ = version != document.end() && Text(*version) == "2012-10-17";
  }

  void AddTo(Said& said) const {
    for (const Json& statement : document_.at("Statement")) {
      const bool deny = Text(statement.at("Effect")) == "Deny";
      const Named named = Names(statement, deny);
      const Truth applies = Applies(statement);
      if (named == Named::kNot || applies == Truth::kFalse) {
        continue;
      }
      if (deny) {
        said.denies = true;
      } else if (applies == Truth::kTrue) {
        said.allows_itself |= named == Named::kItself;
        said.allows_issuer |= named == Named::kByIssuer;
        said.allows_account |= named == Named::kByAccount;
      }
    }
  }

 private:
  Named Names(const Json& statement, bool deny) const {
    if (!principals_) {
      return Named::kItself;
    }
    if (statement.contains("Principal")) {
      return HowNamedBy(statement.at("Principal"), question_, deny);
    }
    const Named listed =
        HowNamedBy(statement.at("NotPrincipal"), question_, deny);
    return listed == Named::kNot || has_boundary_ ? Named::kItself
                                                  : Named::kNot;
  }

  bool ActionApplies(const Json& statement) const {
    if (statement.contains("Action")) {
      return NamesAction(statement.at("Action"), question_.action);
    }
    return statement.contains("NotAction") &&
           !NamesAction(statement.at("NotAction"), question_.action);
  }

  bool ResourceApplies(const Json& statement) const {
    if (statement.contains("Resource")) {
      return NamesResource(statement.at("Resource"), key_policy_, variables_,
                           question_);
    }
    return statement.contains("NotResource") &&
           AllResolve(statement.at("NotResource"), variables_, question_) &&
           !NamesResource(statement.at("NotResource"), key_policy_, variables_,
                          question_);
  }

  Truth Applies(const Json& statement) const {
    const bool has_both =
        (statement.contains("Action") || statement.contains("NotAction")) &&
        (statement.contains("Resource") || statement.contains("NotResource"));
    // RCPs have no such exception, but then the parser wants both.
    if (!has_both || !ActionApplies(statement) || !ResourceApplies(statement)) {
      return Truth::kFalse;
    }
    return statement.contains("Condition")
               ? reference::HoldsAll(statement.at("Condition"), variables_,
                                     question_)
               : Truth::kTrue;
  }

  const Json& document_;
  bool key_policy_;
  bool principals_;
  bool has_boundary_;
  bool variables_ = false;
  const Question& question_;
};

bool WorksAcrossAccounts(const std::string& lower_action) {
  static const std::set<std::string> work_actions = {
      "kms:decrypt", "kms:encrypt", "kms:sign", "kms:reencryptfrom",
      "kms:describekey"};
  return work_actions.contains(lower_action);
}

}  // namespace

struct Reference::Parsed {
  std::vector<Json> resource;
  std::vector<Json> identity;
  std::vector<Json> boundary;
  std::vector<Json> session;
  std::vector<std::vector<Json>> service_control;
  std::vector<std::vector<Json>> resource_control;
  std::vector<ScenarioGrant> grants;

  Said Say(const std::vector<Json>& documents, bool key_policy, bool principals,
           const Question& question) const {
    Said said;
    for (const Json& document : documents) {
      Reader(document, key_policy, principals, !boundary.empty(), question)
          .AddTo(said);
    }
    return said;
  }
};

namespace {

std::vector<Json> ParseAll(const std::vector<std::string>& texts) {
  std::vector<Json> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) {
    out.push_back(testlib::Take(base::ParseJson(text)));
  }
  return out;
}

bool MeetsConstraint(const ScenarioGrant& grant, const Question& question,
                     const std::string& operation) {
  if (grant.pairs.empty() || operation == "describekey") {
    return true;
  }
  const std::string prefix = "kms:EncryptionContext:";
  std::vector<std::pair<std::string, std::string>> actual;
  for (const auto& [key, value] : question.context) {
    if (key.starts_with(prefix)) {
      actual.emplace_back(key.substr(prefix.size()), value);
    }
  }
  for (const auto& pair : grant.pairs) {
    if (std::find(actual.begin(), actual.end(), pair) == actual.end()) {
      return false;
    }
  }
  return !grant.equals || actual.size() == grant.pairs.size();
}

}  // namespace

Reference::Reference(const Scenario& scenario)
    : parsed_(std::make_unique<Parsed>()) {
  if (scenario.resource_policy) {
    parsed_->resource = ParseAll({*scenario.resource_policy});
  }
  parsed_->identity = ParseAll(scenario.identity);
  parsed_->boundary = ParseAll(scenario.boundary);
  parsed_->session = ParseAll(scenario.session);
  for (const auto& level : scenario.service_control) {
    parsed_->service_control.push_back(ParseAll(level));
  }
  for (const auto& level : scenario.resource_control) {
    parsed_->resource_control.push_back(ParseAll(level));
  }
  parsed_->grants = scenario.grants;
}

Reference::~Reference() = default;

std::string Reference::Answer(const Question& question) const {
  const Parsed& all = *parsed_;
  const bool service = question.kind == "service";
  const bool root = question.kind == "root";
  const Said key = all.Say(all.resource, true, true, question);
  bool denied = key.denies;
  for (const auto& level : all.resource_control) {
    denied |= all.Say(level, true, true, question).denies;
  }
  Said identity;
  Said boundary;
  Said session;
  bool missing_level = false;
  if (!service) {
    identity = all.Say(all.identity, false, false, question);
    boundary = all.Say(all.boundary, false, false, question);
    session = all.Say(all.session, false, false, question);
    denied |= identity.denies || boundary.denies || session.denies;
    for (const auto& level : all.service_control) {
      const Said said = all.Say(level, false, false, question);
      denied |= said.denies;
      missing_level |= !said.allows();
    }
  }
  if (denied) {
    return "ExplicitDeny";
  }
  const std::string action = reference::Lower(question.action);
  const bool same = question.account == question.resource_account;
  const bool within = (all.boundary.empty() || boundary.allows()) &&
                      (all.session.empty() || session.allows());
  const bool by_identity = !service && within && (root || identity.allows());
  const bool is_key = question.resource.find(":key/") != std::string::npos;
  bool allowed = false;
  if (missing_level) {
    allowed = false;
  } else if (!is_key) {
    allowed = same && by_identity;
  } else if (service) {
    allowed = key.allows_itself;
  } else if (!same) {
    allowed = WorksAcrossAccounts(action) && key.allows() && by_identity;
  } else {
    allowed = key.allows_itself || (key.allows_issuer && within) ||
              (key.allows_account && by_identity);
  }
  for (const ScenarioGrant& grant : all.grants) {
    const bool operation =
        std::any_of(grant.operations.begin(), grant.operations.end(),
                    [&](const std::string& name) {
                      // A child grant would have to be covered, which none is
                      // here.
                      return name != "CreateGrant" &&
                             "kms:" + reference::Lower(name) == action;
                    });
    if (missing_level || !is_key || !operation || service ||
        !MeetsConstraint(grant, question, action.substr(4)) ||
        (!same && !WorksAcrossAccounts(action))) {
      continue;
    }
    const Named named = HowNamed(grant.grantee, "AWS", question);
    allowed |= named == Named::kByAccount ? by_identity
                                          : named != Named::kNot && within;
  }
  return allowed ? "Allow" : "ImplicitDeny";
}

}  // namespace policy
