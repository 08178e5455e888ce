// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPERATIONS_IMPORT_TESTING_H_
#define TESTS_KMS_OPERATIONS_IMPORT_TESTING_H_

#include <chrono>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/destructions.h"
#include "kms/operations/import_pairs.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/intents.h"
#include "tests/hsm/wrapped_material.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {

// What the tests of imported key material share: a store with its service keys,
// and what a client does to import.
class ImportTest : public OperationsTest {
 protected:
  ImportTest() {
    testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  }

  static std::string Arn(const std::string& key) {
    return "arn:aws:kms:eu-west-1:111122223333:key/" + key;
  }

  // A key of origin EXTERNAL, without material.
  std::string NewExternal(std::string_view spec = "SYMMETRIC_DEFAULT",
                          std::string_view usage = "ENCRYPT_DECRYPT") {
    const nlohmann::json reply = testlib::Take(
        Ask("CreateKey",
            {{"KeySpec", spec}, {"KeyUsage", usage}, {"Origin", "EXTERNAL"}}));
    return reply.at("KeyMetadata").at("KeyId");
  }

  base::Result<nlohmann::json> AskParameters(
      const std::string& key, std::string_view algorithm = "RSAES_OAEP_SHA_256",
      std::string_view spec = "RSA_2048", const From& from = {}) {
    return Ask("GetParametersForImport",
               {{"KeyId", key},
                {"WrappingAlgorithm", algorithm},
                {"WrappingKeySpec", spec}},
               from);
  }

  // ImportKeyMaterial's input for material that does not expire.
  static nlohmann::json InputOf(
      const std::string& key, const nlohmann::json& parameters,
      const base::Bytes& material,
      std::string_view algorithm = "RSAES_OAEP_SHA_256") {
    const base::Bytes public_key = testlib::Take(
        base::Base64Decode(parameters.at("PublicKey").get<std::string>()));
    return {{"KeyId", key},
            {"ImportToken", parameters.at("ImportToken")},
            {"EncryptedKeyMaterial",
             base::Base64Encode(hsm::token::Wrapped(
                 public_key, *ParseWrappingAlgorithm(algorithm), material))},
            {"ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE"}};
  }

  // A whole import, with `more` over its input; null members are left out.
  base::Result<nlohmann::json> TryImport(
      const std::string& key, const base::Bytes& material,
      const nlohmann::json& more = {},
      std::string_view algorithm = "RSAES_OAEP_SHA_256",
      const From& from = {}) {
    const nlohmann::json parameters =
        testlib::Take(AskParameters(key, algorithm, "RSA_2048", from));
    nlohmann::json input = InputOf(key, parameters, material, algorithm);
    if (!more.is_null()) {
      input.update(more);
    }
    return Ask("ImportKeyMaterial", input, from);
  }
  // The material's id.
  std::string Import(const std::string& key, const base::Bytes& material,
                     const nlohmann::json& more = {}) {
    return testlib::Take(TryImport(key, material, more)).at("KeyMaterialId");
  }

  nlohmann::json Metadata(const std::string& key) {
    return testlib::Take(Ask("DescribeKey", {{"KeyId", key}}))
        .at("KeyMetadata");
  }
  std::string State(const std::string& key) {
    return Metadata(key).at("KeyState");
  }
  nlohmann::json Rotations(const std::string& key) {
    return testlib::Take(Ask("ListKeyRotations",
                             {{"KeyId", key},
                              {"IncludeKeyMaterial", "ALL_KEY_MATERIAL"}}))
        .at("Rotations");
  }
  KeyPtr Stored(const std::string& key) {
    return testlib::Take(store().FindKey(key));
  }
  double Seconds(base::WallTime time) const {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
  }
  nlohmann::json ExpiringIn(std::chrono::seconds time) const {
    return {{"ExpirationModel", "KEY_MATERIAL_EXPIRES"},
            {"ValidTo", Seconds(clock_.Now() + time)}};
  }
  // What was announced for destruction has gone, and nothing else was.
  void ExpectNoIntents() {
    ASSERT_OK(Run(FinishDestructions(environment())));
    EXPECT_THAT(store().ListIntents(),
                testlib::IsOkAndHolds(testing::IsEmpty()));
  }
  void ExpectOpens(const std::string& blob, std::string_view plaintext) {
    ASSERT_OK_AND_ASSIGN(const nlohmann::json reply,
                         Ask("Decrypt", {{"CiphertextBlob", blob}}));
    EXPECT_EQ(reply.at("Plaintext"),
              base::Base64Encode(base::AsBytes(plaintext)));
  }
};

}  // namespace kms::operations

#endif  // TESTS_KMS_OPERATIONS_IMPORT_TESTING_H_
