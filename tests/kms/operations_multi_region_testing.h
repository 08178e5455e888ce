// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPERATIONS_MULTI_REGION_TESTING_H_
#define TESTS_KMS_OPERATIONS_MULTI_REGION_TESTING_H_

#include <gmock/gmock.h>

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "kms/key_id.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {

inline constexpr std::string_view kHere = kRegion;
inline constexpr std::string_view kThere = "us-east-1";
inline constexpr std::string_view kElsewhere = "ap-south-1";

// What the tests of multi-Region keys share: a primary key in kHere, and
// questions about its relatives.
class MultiRegionTest : public OperationsTest {
 protected:
  MultiRegionTest() : key_(NewPrimary()) {}

  static From In(std::string_view region) { return {.region = region}; }
  static std::string ArnIn(std::string_view region, const std::string& id) {
    return KeyArn(region, kAccount, id);
  }
  std::string ArnIn(std::string_view region) const {
    return ArnIn(region, key_);
  }

  std::string NewPrimary(nlohmann::json input = nlohmann::json::object()) {
    input["MultiRegion"] = true;
    return testlib::Take(Ask("CreateKey", input)).at("KeyMetadata").at("KeyId");
  }
  base::Result<nlohmann::json> Replicate(
      std::string_view region, nlohmann::json input = nlohmann::json::object(),
      std::string_view from = kHere) {
    input.emplace("KeyId", key_);
    input["ReplicaRegion"] = region;
    return Ask("ReplicateKey", input, In(from));
  }
  // An operation that takes nothing but the key.
  base::Result<nlohmann::json> AskOfKey(std::string_view operation,
                                        std::string_view region) {
    return Ask(operation, {{"KeyId", key_}}, In(region));
  }
  nlohmann::json Describe(std::string_view region) {
    return testlib::Take(AskOfKey("DescribeKey", region)).at("KeyMetadata");
  }
  base::Result<nlohmann::json> UpdatePrimary(std::string_view region,
                                             std::string_view from) {
    return Ask("UpdatePrimaryRegion",
               {{"KeyId", key_}, {"PrimaryRegion", region}}, In(from));
  }

  KeyPtr Stored(std::string_view region) {
    return testlib::Take(store().FindKey(KeyRowId(key_, region)));
  }
  bool Exists(std::string_view region) {
    return AskOfKey("DescribeKey", region).has_value();
  }

  std::string EncryptIn(std::string_view region, std::string_view plaintext) {
    const nlohmann::json input = {
        {"KeyId", key_},
        {"Plaintext", base::Base64Encode(base::AsBytes(plaintext))}};
    return testlib::Take(Ask("Encrypt", input, In(region)))
        .at("CiphertextBlob");
  }
  void ExpectOpens(const std::string& blob, std::string_view plaintext,
                   std::string_view region) {
    ASSERT_OK_AND_ASSIGN(
        const nlohmann::json reply,
        Ask("Decrypt", {{"CiphertextBlob", blob}}, In(region)));
    EXPECT_EQ(reply.at("Plaintext"),
              base::Base64Encode(base::AsBytes(plaintext)));
    EXPECT_EQ(reply.at("KeyId"), ArnIn(region));
  }

  std::string key_;
};

}  // namespace kms::operations

#endif  // TESTS_KMS_OPERATIONS_MULTI_REGION_TESTING_H_
