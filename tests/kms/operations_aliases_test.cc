// SPDX-License-Identifier: Apache-2.0
// An alias moves only to a key that can do the same.
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testlib::StatusIs;
using testlib::Take;

class AliasesTest : public OperationsTest {
 protected:
  std::string Create(std::string_view spec, std::string_view usage) {
    return Take(Ask("CreateKey", {{"KeySpec", spec}, {"KeyUsage", usage}}))
        .at("KeyMetadata")
        .at("KeyId");
  }
  base::Result<json> Move(const std::string& from, const std::string& to) {
    (void)Ask("DeleteAlias", {{"AliasName", "alias/a"}});
    Take(Ask("CreateAlias", {{"AliasName", "alias/a"}, {"TargetKeyId", from}}));
    return Ask("UpdateAlias", {{"AliasName", "alias/a"}, {"TargetKeyId", to}});
  }
};

TEST_F(AliasesTest, TypeAndUsageStay) {
  const std::string p256 = Create("ECC_NIST_P256", "SIGN_VERIFY");
  const std::string p384 = Create("ECC_NIST_P384", "SIGN_VERIFY");
  const std::string ecdh = Create("ECC_NIST_P256", "KEY_AGREEMENT");
  const std::string hmac = Create("HMAC_256", "GENERATE_VERIFY_MAC");
  const std::string symmetric = NewKey();
  const std::string alias =
      "Alias arn:aws:kms:eu-west-1:111122223333:alias/a cannot be changed "
      "from a CMK with key ";
  EXPECT_OK(Move(p256, p384));
  EXPECT_OK(Move(symmetric, NewKey()));
  EXPECT_OK(Move(hmac, Create("HMAC_512", "GENERATE_VERIFY_MAC")));
  EXPECT_THAT(Move(symmetric, p256),
              StatusIs(ErrorCode::kValidation,
                       alias + "type SYMMETRIC to a CMK with key type "
                               "ASYMMETRIC"));
  EXPECT_THAT(Move(hmac, symmetric),
              StatusIs(ErrorCode::kValidation,
                       alias + "type HMAC to a CMK with key type SYMMETRIC"));
  EXPECT_THAT(Move(p256, ecdh),
              StatusIs(ErrorCode::kValidation,
                       alias + "usage SIGN_VERIFY to a CMK with key usage "
                               "KEY_AGREEMENT"));
}

}  // namespace
}  // namespace kms::operations
