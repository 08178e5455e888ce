// SPDX-License-Identifier: Apache-2.0
// The engine against the reference evaluator and against the laws that every
// decision obeys, over random policies and requests. CLAVIGER_POLICY_SEED and
// CLAVIGER_POLICY_CASES choose other ones; a failure prints its scenario.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <map>
#include <type_traits>

#include "policy/decide.h"
#include "policy/text.h"
#include "policy/who_can.h"
#include "tests/policy/reference.h"
#include "tests/policy/scenario.h"
#include "tests/testlib/status.h"

namespace policy {
namespace {

#ifdef NDEBUG
constexpr std::uint64_t kCases = 1'000'000;
constexpr std::uint64_t kLawCases = 100'000;
#else
constexpr std::uint64_t kCases = 5'000;
constexpr std::uint64_t kLawCases = 500;
#endif
constexpr int kQuestionsOfAScenario = 20;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::uint64_t Seed() {
  static const std::uint64_t seed =
      FromEnvironment("CLAVIGER_POLICY_SEED", std::random_device{}());
  return seed;
}

// The engine's form of a Scenario.
class Engine {
 public:
  explicit Engine(const Scenario& scenario) {
    if (scenario.resource_policy) {
      resource_.push_back(Parsed(PolicyKind::kKey, *scenario.resource_policy));
    }
    Add(PolicyKind::kIdentity, scenario.identity, identity_);
    Add(PolicyKind::kPermissionsBoundary, scenario.boundary, boundary_);
    Add(PolicyKind::kSession, scenario.session, session_);
    AddLevels(PolicyKind::kServiceControl, scenario.service_control, scp_);
    AddLevels(PolicyKind::kResourceControl, scenario.resource_control, rcp_);
    pairs_.resize(scenario.grants.size());
    for (std::size_t i = 0; i < scenario.grants.size(); ++i) {
      AddGrant(scenario.grants[i], pairs_[i]);
    }
  }

  std::string Answer(const Question& question) const {
    return With(
        question, [](const Request& request, const Authority& authority) {
          return std::string(VerdictName(Decide(request, authority).verdict));
        });
  }

  // What the caller can do if of the context only this is known.
  Can Possible(const Question& question, const KnownKeys& known) const {
    return With(question,
                [&](const Request& request, const Authority& authority) {
                  const Candidate candidate = {request, authority};
                  return WhoCan({&candidate, 1}, known).front().can;
                });
  }

 private:
  using Pointers = std::vector<const Policy*>;

  template <typename Ask>
  std::invoke_result_t<Ask, const Request&, const Authority&> With(
      const Question& question, Ask ask) const {
    std::vector<ContextEntry> context;
    for (const auto& [key, value] : question.context) {
      context.push_back({key, {}, value});
    }
    const Request request = {.action = question.action,
                             .resource = question.resource,
                             .resource_account = question.resource_account,
                             .principal = question.principal,
                             .principal_account = question.account,
                             .context = context,
                             .principal_kind = KindOf(question.kind),
                             .issuer = question.issuer};
    const std::vector<PolicySet> service_control(scp_.begin(), scp_.end());
    const std::vector<PolicySet> resource_control(rcp_.begin(), rcp_.end());
    const Authority authority = {
        .resource_policy = resource_.empty() ? nullptr : resource_.front(),
        .identity = identity_,
        .boundary = boundary_,
        .session = session_,
        .service_control = service_control,
        .resource_control = resource_control,
        .grants = grants_};
    return ask(request, authority);
  }

  static PrincipalKind KindOf(const std::string& kind) {
    static const std::map<std::string, PrincipalKind> kinds_by_name = {
        {"user", PrincipalKind::kUser},
        {"root", PrincipalKind::kRoot},
        {"assumed-role", PrincipalKind::kAssumedRole},
        {"federated-user", PrincipalKind::kFederatedUser},
        {"service", PrincipalKind::kService}};
    return kinds_by_name.at(kind);
  }

  const Policy* Parsed(PolicyKind kind, const std::string& text) {
    policies_.push_back(
        std::make_unique<Policy>(testlib::Take(Policy::Parse(kind, text))));
    return policies_.back().get();
  }

  void Add(PolicyKind kind, const std::vector<std::string>& texts,
           Pointers& out) {
    for (const std::string& text : texts) {
      out.push_back(Parsed(kind, text));
    }
  }

  void AddLevels(PolicyKind kind,
                 const std::vector<std::vector<std::string>>& levels,
                 std::vector<Pointers>& out) {
    for (const auto& level : levels) {
      Add(kind, level, out.emplace_back());
    }
  }

  void AddGrant(const ScenarioGrant& grant, std::vector<ContextPair>& pairs) {
    Grant out = {.id = "g", .grantee = grant.grantee};
    for (const std::string& operation : grant.operations) {
      out.operations |= KmsActionBit(operation);
    }
    if (!grant.pairs.empty()) {
      pairs.assign(1, {grant.pairs[0].first, grant.pairs[0].second});
      out.constraint = grant.equals ? Grant::Constraint::kEquals
                                    : Grant::Constraint::kSubset;
      out.pairs = pairs;
    }
    grants_.push_back(out);
  }

  std::vector<std::unique_ptr<Policy>> policies_;
  Pointers resource_;
  Pointers identity_;
  Pointers boundary_;
  Pointers session_;
  std::vector<Pointers> scp_;
  std::vector<Pointers> rcp_;
  std::vector<std::vector<ContextPair>> pairs_;
  std::vector<Grant> grants_;
};

std::string Show(const Scenario& scenario, const Question& question) {
  std::string out = "seed " + std::to_string(Seed()) + "\nkey " +
                    scenario.resource_policy.value_or("none");
  const auto add = [&](const char* name, const std::vector<std::string>& all) {
    for (const std::string& text : all) {
      out += std::string("\n") + name + " " + text;
    }
  };
  add("identity", scenario.identity);
  add("boundary", scenario.boundary);
  add("session", scenario.session);
  for (const auto& level : scenario.service_control) {
    add("scp", level);
  }
  for (const auto& level : scenario.resource_control) {
    add("rcp", level);
  }
  for (const ScenarioGrant& grant : scenario.grants) {
    out += "\ngrant " + grant.grantee + (grant.equals ? " equals" : "") +
           (grant.pairs.empty() ? "" : " Dept=a");
    add("  op", grant.operations);
  }
  out += "\n" + question.kind + " " + question.principal + " " +
         question.action + " " + question.resource;
  for (const auto& [key, value] : question.context) {
    out.append("\n  ").append(key).append(" = ").append(value);
  }
  return out;
}

TEST(DifferentialTest, EngineAndReferenceAgree) {
  const std::uint64_t cases = FromEnvironment("CLAVIGER_POLICY_CASES", kCases);
  std::cout << "seed " << Seed() << ", " << cases << " cases" << std::endl;
  ScenarioMaker maker(Seed());
  std::map<std::string, int> answers;
  for (std::uint64_t done = 0; done < cases;) {
    const Scenario scenario = maker.MakeScenario();
    const Engine engine(scenario);
    const Reference reference(scenario);
    for (int i = 0; i < kQuestionsOfAScenario; ++i, ++done) {
      const Question question = maker.MakeQuestion();
      const std::string answer = engine.Answer(question);
      ASSERT_EQ(answer, reference.Answer(question)) << Show(scenario, question);
      ++answers[answer];
    }
  }
  // The cases would be worthless if one answer were rare.
  for (const char* const answer : {"Allow", "ExplicitDeny", "ImplicitDeny"}) {
    EXPECT_GT(answers[answer], static_cast<int>(cases / 25)) << answer;
  }
}

// Calls `check` with scenarios, and questions with the engine's answer.
template <typename Check>
void ForRandomCases(Check check) {
  std::cout << "seed " << Seed() << std::endl;
  ScenarioMaker maker(Seed() + 1);
  for (std::uint64_t done = 0; done < kLawCases;) {
    const Scenario scenario = maker.MakeScenario();
    const Engine engine(scenario);
    for (int i = 0; i < 5; ++i, ++done) {
      const Question question = maker.MakeQuestion();
      const std::string answer = engine.Answer(question);
      check(maker, scenario, question, answer);
      if (testing::Test::HasFailure()) {
        ADD_FAILURE() << Show(scenario, question);
        return;
      }
    }
  }
}

// A document with one more statement, at the front or the back.
std::string WithStatement(const std::string& document,
                          const std::string& statement, bool front) {
  const std::string opening = R"("Statement":[)";
  const std::size_t at = document.find(opening) + opening.size();
  return front
             ? document.substr(0, at) + statement + "," + document.substr(at)
             : document.substr(0, document.size() - 2) + "," + statement + "]}";
}

TEST(Laws, NothingIsAllowedWithoutAllow) {
  ForRandomCases([](ScenarioMaker&, const Scenario& scenario,
                    const Question& question, const std::string&) {
    Scenario none = scenario;
    none.resource_policy.reset();
    none.grants.clear();
    none.identity.clear();
    const bool is_root = question.kind == "root";
    const bool is_key = question.resource.find(":key/") != std::string::npos;
    if (is_key || !is_root) {
      EXPECT_NE(Engine(none).Answer(question), "Allow");
    }
  });
}

TEST(Laws, DenyTrumpsAllow) {
  ForRandomCases([](ScenarioMaker& maker, const Scenario& scenario,
                    const Question& question, const std::string&) {
    Scenario denied = scenario;
    if (scenario.resource_policy) {
      denied.resource_policy = WithStatement(
          *scenario.resource_policy,
          R"({"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"})",
          maker.Chance(50));
      EXPECT_EQ(Engine(denied).Answer(question), "ExplicitDeny");
    }
  });
}

// The scenario with one more statement of this effect, somewhere.
Scenario WithOneMore(const std::string& effect, const Scenario& scenario,
                     ScenarioMaker& maker) {
  using Kind = ScenarioMaker::Kind;
  Scenario more = scenario;
  if (scenario.resource_policy && maker.Chance(50)) {
    more.resource_policy = WithStatement(
        *scenario.resource_policy, maker.MakeStatement(Kind::kKey, effect),
        maker.Chance(50));
  } else if (!scenario.identity.empty()) {
    more.identity[0] = WithStatement(
        scenario.identity[0], maker.MakeStatement(Kind::kIdentity, effect),
        maker.Chance(50));
  }
  return more;
}

TEST(Laws, AddingADenyNeverAllows) {
  ForRandomCases([](ScenarioMaker& maker, const Scenario& scenario,
                    const Question& question, const std::string& answer) {
    const Scenario more = WithOneMore("Deny", scenario, maker);
    const std::string after = Engine(more).Answer(question);
    if (answer != "Allow") {
      EXPECT_NE(after, "Allow");
    }
    if (answer == "ExplicitDeny") {
      EXPECT_EQ(after, "ExplicitDeny");
    }
  });
}

TEST(Laws, AddingAnAllowNeverDenies) {
  ForRandomCases([](ScenarioMaker& maker, const Scenario& scenario,
                    const Question& question, const std::string& answer) {
    const Scenario more = WithOneMore("Allow", scenario, maker);
    const std::string after = Engine(more).Answer(question);
    EXPECT_EQ(after == "ExplicitDeny", answer == "ExplicitDeny");
    if (answer == "Allow") {
      EXPECT_EQ(after, "Allow");
    }
  });
}

TEST(Laws, OrderAndRepetitionDoNotMatter) {
  ForRandomCases([](ScenarioMaker& maker, const Scenario& scenario,
                    const Question& question, const std::string& answer) {
    if (!scenario.resource_policy) {
      return;
    }
    using Kind = ScenarioMaker::Kind;
    const std::string one =
        maker.MakeStatement(Kind::kKey, maker.Chance(50) ? "Deny" : "Allow");
    const std::string& document = *scenario.resource_policy;
    Scenario front = scenario;
    front.resource_policy = WithStatement(document, one, true);
    Scenario back = scenario;
    back.resource_policy = WithStatement(document, one, false);
    Scenario twice = scenario;
    twice.resource_policy = WithStatement(*front.resource_policy, one, false);
    EXPECT_EQ(Engine(front).Answer(question), Engine(back).Answer(question));
    EXPECT_EQ(Engine(front).Answer(question), Engine(twice).Answer(question));
    Scenario reversed = scenario;
    std::reverse(reversed.identity.begin(), reversed.identity.end());
    std::reverse(reversed.session.begin(), reversed.session.end());
    EXPECT_EQ(Engine(reversed).Answer(question), answer);
  });
}

// All that conditions and variables of scenarios ask for.
const std::vector<std::string_view> context_keys = {"aws:CurrentTime",
                                                    "aws:EpochTime",
                                                    "aws:MultiFactorAuthAge",
                                                    "aws:PrincipalArn",
                                                    "aws:SecureTransport",
                                                    "aws:SourceArn",
                                                    "aws:SourceIp",
                                                    "aws:TagKeys",
                                                    "aws:username",
                                                    "b",
                                                    "bin",
                                                    "kms:EncryptionContext:",
                                                    "n",
                                                    "none",
                                                    "Tag"};

// `question` with what `other` has for the keys that are not `known`.
Question WithUnknown(Question question, const Question& other,
                     const KnownKeys& known) {
  std::erase_if(question.context,
                [&](const auto& pair) { return !known.Has(Fold(pair.first)); });
  for (const auto& pair : other.context) {
    if (!known.Has(Fold(pair.first))) {
      question.context.push_back(pair);
    }
  }
  return question;
}

TEST(Laws, WhatIsSureDoesNotDependOnWhatIsUnknown) {
  std::map<Can, int> found;
  ForRandomCases([&](ScenarioMaker& maker, const Scenario& scenario,
                     const Question& question, const std::string& answer) {
    const Engine engine(scenario);
    std::vector<std::string_view> names;
    std::ranges::copy_if(context_keys, std::back_inserter(names),
                         [&](std::string_view) { return maker.Chance(60); });
    const KnownKeys known(names);
    const Question partial = WithUnknown(question, {}, known);
    const Can can = engine.Possible(partial, known);
    ++found[can];
    for (const std::string& actual :
         {answer, engine.Answer(partial),
          engine.Answer(WithUnknown(question, maker.MakeQuestion(), known))}) {
      EXPECT_TRUE(can == Can::kMaybe ||
                  (can == Can::kYes) == (actual == "Allow"))
          << CanName(can) << " " << actual;
    }
    EXPECT_EQ(engine.Possible(question, KnownKeys(context_keys)),
              answer == "Allow" ? Can::kYes : Can::kNo);
  });
  // Some four in a hundred are kMaybe, give or take: too few for a higher
  // bound.
  for (const Can can : {Can::kNo, Can::kMaybe, Can::kYes}) {
    EXPECT_GT(found[can], static_cast<int>(kLawCases / 250)) << CanName(can);
  }
}

TEST(Laws, CaseOfActionsDoesNotMatter) {
  ForRandomCases([](ScenarioMaker& maker, const Scenario& scenario,
                    const Question& question, const std::string& answer) {
    Question flipped = question;
    for (char& c : flipped.action) {
      if (std::isalpha(static_cast<unsigned char>(c)) != 0 &&
          maker.Chance(50)) {
        c = static_cast<char>(c ^ 0x20);
      }
    }
    EXPECT_EQ(Engine(scenario).Answer(flipped), answer) << flipped.action;
  });
}

// One value a statement, and all values in one statement: the same, for an
// operator that is not negated.
TEST(Laws, ListOfValuesIsAnOr) {
  ForRandomCases([](ScenarioMaker& maker, const Scenario& scenario,
                    const Question& question, const std::string&) {
    const char* const values[] = {"\"a\"", "\"*b\"", "\"${aws:username}\"",
                                  "\"k?\""};
    const std::string first = values[maker.Below(4)];
    const std::string second = values[maker.Below(4)];
    const char* const effect = maker.Chance(50) ? "Allow" : "Deny";
    const auto with = [&](const std::string& value) {
      return R"({"Effect":")" + std::string(effect) +
             R"(","Principal":"*","Action":"kms:*","Resource":"*",)" +
             R"("Condition":{"StringLike":{"Tag":)" + value + "}}}";
    };
    const auto document = [](const std::string& statements) {
      return R"({"Version":"2012-10-17","Statement":[)" + statements + "]}";
    };
    Scenario list = scenario;
    list.resource_policy = document(with("[" + first + "," + second + "]"));
    Scenario split = scenario;
    split.resource_policy = document(with(first) + "," + with(second));
    EXPECT_EQ(Engine(list).Answer(question), Engine(split).Answer(question));
  });
}

}  // namespace
}  // namespace policy
