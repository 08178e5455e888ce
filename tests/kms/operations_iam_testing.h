// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPERATIONS_IAM_TESTING_H_
#define TESTS_KMS_OPERATIONS_IAM_TESTING_H_

#include <memory>
#include <string>
#include <string_view>

#include "kms/operations/bootstrap.h"
#include "kms/operations/identities.h"
#include "tests/kms/operations_testing.h"

// What the tests of IAM share.
namespace kms::operations {

inline constexpr std::string_view kIamPrefix = "arn:aws:iam::111122223333:";
inline constexpr std::string_view kNow = "2026-11-22T10:15:00Z";
inline constexpr std::string_view kAdminPolicy =
    "arn:aws:iam::aws:policy/AdministratorAccess";

// A document with one statement.
inline std::string DocumentText(const nlohmann::json& statement) {
  nlohmann::json document = {{"Version", "2012-10-17"}};
  document["Statement"] = nlohmann::json::array({statement});
  return document.dump();
}
inline std::string PolicyText(std::string_view effect, std::string_view action,
                              std::string_view resource = "*") {
  return DocumentText(
      {{"Effect", effect}, {"Action", action}, {"Resource", resource}});
}
// A trust policy that lets the ARN in.
inline std::string TrustText(std::string_view principal) {
  return DocumentText({{"Effect", "Allow"},
                       {"Principal", {{"AWS", principal}}},
                       {"Action", "sts:AssumeRole"}});
}

class IamTest : public OperationsTest {
 protected:
  using json = nlohmann::json;

  IamTest() {
    testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  }

  // Passes a request of IAM, the administrator's unless `from` says otherwise.
  base::Result<json> Iam(std::string_view operation, const json& input,
                         From from = {}) {
    from.service = "IAM";
    return Ask(operation, input, from);
  }
  json Do(std::string_view operation, const json& input) {
    return testlib::Take(Iam(operation, input));
  }

  // The user as it is now.
  From As(std::string_view name) {
    From from;
    from.caller = *directory()->UserCaller(kAccount, name);
    return from;
  }

  std::shared_ptr<const identity::Directory> directory() {
    return environment().directory.current();
  }

  // The ARN of a new managed policy.
  std::string NewPolicy(std::string_view name, std::string_view document) {
    return Do("CreatePolicy",
              {{"PolicyName", name}, {"PolicyDocument", document}})
        .at("Policy")
        .at("Arn");
  }
  static std::string UserArn(std::string_view name) {
    return std::string(kIamPrefix).append("user/").append(name);
  }
  static json Tags(
      std::initializer_list<std::pair<const char*, const char*>> tags) {
    json list = json::array();
    for (const auto& [key, value] : tags) {
      list.push_back({{"Key", key}, {"Value", value}});
    }
    return list;
  }
};

}  // namespace kms::operations

#endif  // TESTS_KMS_OPERATIONS_IAM_TESTING_H_
