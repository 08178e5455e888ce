// SPDX-License-Identifier: Apache-2.0
// GenerateMac and VerifyMac.
#include <array>

#include "base/bytes.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testlib::StatusIs;
using testlib::Take;

struct MacRow {
  std::string spec;
  std::string algorithm;
  std::size_t size;
};
const std::array mac_rows = {MacRow{"HMAC_224", "HMAC_SHA_224", 28},
                             MacRow{"HMAC_256", "HMAC_SHA_256", 32},
                             MacRow{"HMAC_384", "HMAC_SHA_384", 48},
                             MacRow{"HMAC_512", "HMAC_SHA_512", 64}};

class MacTest : public OperationsTest {
 protected:
  std::string Create(const std::string& spec) {
    return Take(Ask("CreateKey",
                    {{"KeySpec", spec}, {"KeyUsage", "GENERATE_VERIFY_MAC"}}))
        .at("KeyMetadata")
        .at("Arn");
  }
  static json Input(const std::string& key, const std::string& algorithm,
                    const json& more = json::object()) {
    json input = {{"KeyId", key},
                  {"Message", "bWVzc2FnZQ=="},
                  {"MacAlgorithm", algorithm}};
    input.update(more);
    return input;
  }
};

TEST_F(MacTest, EveryAlgorithmIsVerified) {
  for (const MacRow& row : mac_rows) {
    SCOPED_TRACE(row.spec);
    const std::string& algorithm = row.algorithm;
    const std::string key = Create(row.spec);
    const json made = Take(Ask("GenerateMac", Input(key, algorithm)));
    EXPECT_EQ(made.size(), 3U);
    EXPECT_EQ(made.at("KeyId"), key);
    EXPECT_EQ(made.at("MacAlgorithm"), algorithm);
    auto mac = Take(base::Base64Decode(made.at("Mac").get<std::string>()));
    EXPECT_EQ(mac.size(), row.size);
    EXPECT_EQ(Take(Ask("GenerateMac", Input(key, algorithm))), made);

    const auto verify = [&](const json& more) {
      return Ask("VerifyMac", Input(key, algorithm, more));
    };
    EXPECT_EQ(
        Take(verify({{"Mac", made.at("Mac")}})),
        json(
            {{"KeyId", key}, {"MacValid", true}, {"MacAlgorithm", algorithm}}));
    EXPECT_THAT(verify({{"Mac", made.at("Mac")}, {"Message", "YQ=="}}),
                StatusIs(ErrorCode::kMacMismatch, ""));
    for (std::size_t i = 0; i < mac.size(); ++i) {
      mac[i] ^= 1;
      EXPECT_THAT(verify({{"Mac", base::Base64Encode(mac)}}),
                  StatusIs(ErrorCode::kMacMismatch, ""));
      mac[i] ^= 1;
    }
    mac.pop_back();
    EXPECT_THAT(verify({{"Mac", base::Base64Encode(mac)}}),
                StatusIs(ErrorCode::kMacMismatch, ""));
  }
}

TEST_F(MacTest, KeysDiffer) {
  const json one =
      Take(Ask("GenerateMac", Input(Create("HMAC_256"), "HMAC_SHA_256")));
  const json other =
      Take(Ask("GenerateMac", Input(Create("HMAC_256"), "HMAC_SHA_256")));
  EXPECT_NE(one.at("Mac"), other.at("Mac"));
}

TEST_F(MacTest, AnAlgorithmOfAnotherSpecIsIncompatible) {
  const std::string key = Create("HMAC_224");
  const std::string text =
      "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.";
  EXPECT_THAT(Ask("GenerateMac", Input(key, "HMAC_SHA_256")),
              StatusIs(ErrorCode::kInvalidKeyUsage, text));
  EXPECT_THAT(Ask("VerifyMac", Input(key, "HMAC_SHA_256", {{"Mac", "YQ=="}})),
              StatusIs(ErrorCode::kInvalidKeyUsage, text));
}

TEST_F(MacTest, AliasesAndDryRuns) {
  const std::string key = Create("HMAC_512");
  Take(Ask("CreateAlias", {{"AliasName", "alias/mac"},
                           {"TargetKeyId", key.substr(key.rfind('/') + 1)}}));
  const json made =
      Take(Ask("GenerateMac", Input("alias/mac", "HMAC_SHA_512")));
  EXPECT_EQ(made.at("KeyId"), key);
  EXPECT_THAT(
      Ask("GenerateMac", Input(key, "HMAC_SHA_512", {{"DryRun", true}})),
      StatusIs(ErrorCode::kDryRun));
  EXPECT_THAT(Ask("VerifyMac", Input(key, "HMAC_SHA_512",
                                     {{"DryRun", true}, {"Mac", "YQ=="}})),
              StatusIs(ErrorCode::kMacMismatch, ""));
  EXPECT_EQ(Events()
                .back()
                .at("additionalEventData")
                .at("context")
                .at("kms:MacAlgorithm"),
            "HMAC_SHA_512");
}

}  // namespace
}  // namespace kms::operations
