// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_POLICY_SCENARIO_H_
#define TESTS_POLICY_SCENARIO_H_

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

// What the engine and the reference evaluator are both asked about, as plain
// text, so that they share no code.
namespace policy {

struct ScenarioGrant {
  std::string grantee;
  std::vector<std::string> operations;  // "Decrypt"
  bool equals = false;                  // Or subset; of `pairs`, if any.
  std::vector<std::pair<std::string, std::string>> pairs;
};

// The documents and grants around one resource and one caller.
struct Scenario {
  std::optional<std::string> resource_policy;
  std::vector<std::string> identity;
  std::vector<std::string> boundary;
  std::vector<std::string> session;
  std::vector<std::vector<std::string>> service_control;
  std::vector<std::vector<std::string>> resource_control;
  std::vector<ScenarioGrant> grants;
};

// "user", "root", "assumed-role", "federated-user" or "service".
struct Question {
  std::string kind;
  std::string principal;
  std::string issuer;   // Role or user of a session.
  std::string account;  // Of the principal.
  std::string action;
  std::string resource;
  std::string resource_account;
  std::vector<std::pair<std::string, std::string>> context;
};

// Makes policies and questions that have a good chance to meet: keys, values
// and names come from small pools, and values mostly have the type of their
// operator. The same seed makes the same.
class ScenarioMaker {
 public:
  explicit ScenarioMaker(std::uint64_t seed) : random_(seed) {}

  Scenario MakeScenario();
  Question MakeQuestion();

  // One statement of a key policy, an RCP, or another kind of document.
  enum class Kind { kKey, kIdentity, kResourceControl };
  std::string MakeStatement(Kind kind, const std::string& effect);
  std::string MakeDocument(Kind kind);

  bool Chance(int percent) { return Below(100) < percent; }
  int Below(int limit) {
    return static_cast<int>(random_() % static_cast<unsigned>(limit));
  }

 private:
  std::string Pick(const std::vector<std::string>& pool) {
    return pool[static_cast<std::size_t>(Below(static_cast<int>(pool.size())))];
  }
  std::string TextOrList(const std::vector<std::string>& pool);
  std::string MakePrincipal();
  std::string MakeCondition();
  std::string MakeOperator(std::size_t& type);
  std::vector<std::string> MakeDocuments(Kind kind, int percent);

  std::mt19937_64 random_;
};

}  // namespace policy

#endif  // TESTS_POLICY_SCENARIO_H_
