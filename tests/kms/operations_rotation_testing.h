// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPERATIONS_ROTATION_TESTING_H_
#define TESTS_KMS_OPERATIONS_ROTATION_TESTING_H_

#include <chrono>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "kms/operations/intents.h"
#include "kms/operations/rotation.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {

// What the tests of rotation share: a key, and questions about it.
class RotationTest : public OperationsTest {
 protected:
  RotationTest() : key_(NewKey()) {}

  base::Result<nlohmann::json> Rotate() {
    return Ask("RotateKeyOnDemand", {{"KeyId", key_}});
  }
  base::Result<nlohmann::json> Enable(int period = 90) {
    return Ask("EnableKeyRotation",
               {{"KeyId", key_}, {"RotationPeriodInDays", period}});
  }
  nlohmann::json StatusOf(const std::string& key) {
    return testlib::Take(Ask("GetKeyRotationStatus", {{"KeyId", key}}));
  }
  nlohmann::json List(nlohmann::json input = nlohmann::json::object()) {
    input["KeyId"] = key_;
    return testlib::Take(Ask("ListKeyRotations", input));
  }
  std::string CurrentMaterialId() {
    const nlohmann::json reply =
        testlib::Take(Ask("DescribeKey", {{"KeyId", key_}}));
    return reply.at("KeyMetadata").at("CurrentKeyMaterialId");
  }
  KeyPtr Stored() { return testlib::Take(store().FindKey(key_)); }
  std::string Arn() const {
    return "arn:aws:kms:eu-west-1:111122223333:key/" + key_;
  }
  double Date(base::WallTime time) const {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
  }
  base::Status RunPass() {
    RotationScheduler scheduler(environment());
    return Run(scheduler.RunPass());
  }
  base::Status Settle() {
    return Run(SettleIntents(environment(), key_store(), store().info().epoch));
  }
  // A pass while a request about the key comes in.
  base::Status RunPassAgainst(std::string operation) {
    RotationScheduler scheduler(environment());
    base::Status passed;
    auto pass = [&]() -> boost::asio::awaitable<void> {
      passed = co_await scheduler.RunPass();
    };
    auto ask = [&]() -> boost::asio::awaitable<void> {
      const nlohmann::json input = {{"KeyId", key_}};
      const auto reply = co_await Send(operation, input);
      EXPECT_OK(reply);
    };
    RunTogether(pass(), ask());
    return passed;
  }
  // Nothing is announced, and each material of the key is on the token.
  void ExpectSettled(std::size_t materials) {
    EXPECT_THAT(store().ListIntents(),
                testlib::IsOkAndHolds(testing::IsEmpty()));
    const KeyPtr key = Stored();
    EXPECT_EQ(key->materials.size(), materials);
    for (const KeyMaterial& material : key->materials) {
      EXPECT_TRUE(OnToken(material.ref.locator));
    }
  }
  void ExpectOpens(const std::string& blob, std::string_view plaintext) {
    ASSERT_OK_AND_ASSIGN(const nlohmann::json reply,
                         Ask("Decrypt", {{"CiphertextBlob", blob}}));
    EXPECT_EQ(reply.at("Plaintext"),
              base::Base64Encode(base::AsBytes(plaintext)));
  }

  std::string key_;
};

}  // namespace kms::operations

#endif  // TESTS_KMS_OPERATIONS_ROTATION_TESTING_H_
