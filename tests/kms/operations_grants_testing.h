// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPERATIONS_GRANTS_TESTING_H_
#define TESTS_KMS_OPERATIONS_GRANTS_TESTING_H_

#include <string>
#include <vector>

#include "kms/operations/bootstrap.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {

inline constexpr const char* kAlice = "arn:aws:iam::111122223333:user/alice";
inline constexpr const char* kBob = "arn:aws:iam::111122223333:role/bob";

// What the tests of grants share: a store with its service keys, and one key.
class GrantsTest : public OperationsTest {
 protected:
  GrantsTest() {
    testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
    key_ = NewKey();
  }

  // CreateGrant on key_ for kAlice to decrypt, with `more` over it; null
  // members are left out.
  base::Result<nlohmann::json> TryCreate(const nlohmann::json& more = {},
                                         const From& from = {}) {
    nlohmann::json input = {{"KeyId", key_},
                            {"GranteePrincipal", kAlice},
                            {"Operations", {"Decrypt"}}};
    if (!more.is_null()) {
      input.update(more);
    }
    return Ask("CreateGrant", input, from);
  }
  nlohmann::json Create(const nlohmann::json& more = {}) {
    return testlib::Take(TryCreate(more));
  }
  nlohmann::json List(nlohmann::json input = nlohmann::json::object()) {
    input["KeyId"] = key_;
    return testlib::Take(Ask("ListGrants", input)).at("Grants");
  }
  static std::vector<std::string> Ids(const nlohmann::json& grants) {
    std::vector<std::string> ids;
    for (const nlohmann::json& grant : grants) {
      ids.push_back(grant.at("GrantId"));
    }
    return ids;
  }
  std::string Arn() const {
    return "arn:aws:kms:eu-west-1:111122223333:key/" + key_;
  }

  std::string key_;
};

// A user of the account who is no administrator, and one of another account.
inline From Somebody(std::string_view name) {
  return {.caller = identity::User(kAccount, name)};
}
inline From Stranger() {
  return {.caller = identity::Administrator("444455556666")};
}

}  // namespace kms::operations

#endif  // TESTS_KMS_OPERATIONS_GRANTS_TESTING_H_
