// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/identity_providers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kms/web_token.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"
#include "tools/files/files.h"

namespace tools {
namespace {

using base::ErrorCode;
using kms::identity::SigningKey;
using testing::HasSubstr;
using testing::StartsWith;
using testlib::StatusIs;

class IdentityProvidersTest : public testing::Test {
 protected:
  IdentityProvidersTest() {
    config_.oidc_providers = {{.issuer = "https://a",
                               .audiences = {"x"},
                               .jwks_file = file_,
                               .accounts = {"111122223333"},
                               .where = {"clavigerd.toml:7"}}};
  }
  base::Status Write(std::string_view text) {
    return WriteFile(file_, text, 0644);
  }
  auto Refuses(const std::string& reason) const {
    return StatusIs(
        ErrorCode::kInvalidArgument,
        testing::AllOf(
            StartsWith("clavigerd.toml:7: oidc_provider.jwks_file: "),
            HasSubstr(file_), HasSubstr(reason)));
  }

  testlib::TempDir folder_;
  const std::string file_ = folder_ / "jwks";
  config::Config config_;
};

TEST_F(IdentityProvidersTest, VerifiesWithTheKeysOfTheFile) {
  const SigningKey key = SigningKey::Ec("P-256");
  ASSERT_OK(Write(R"({"keys":[{"kid":"k",)" + key.PublicMembers() + "}]}\n"));
  ASSERT_OK_AND_ASSIGN(const auto providers, LoadIdentityProviders(config_));
  ASSERT_EQ(providers.size(), 1U);
  EXPECT_EQ(providers[0].issuer(), "https://a");
  EXPECT_TRUE(providers[0].IsTrustedBy("111122223333"));
  const std::string token = key.Token(
      "ES256", "k", R"({"iss":"https://a","aud":"x","sub":"s","exp":100})");
  EXPECT_OK(providers[0].Verify(token, base::WallTime()));
}

TEST_F(IdentityProvidersTest, RefusesFilesThatAreNoKeySet) {
  EXPECT_THAT(LoadIdentityProviders(config_),
              Refuses("No such file or directory"));
  ASSERT_OK(Write(""));
  EXPECT_THAT(LoadIdentityProviders(config_), Refuses("is not JSON"));
  ASSERT_OK(Write(R"({"keys":[]})"));
  EXPECT_THAT(LoadIdentityProviders(config_), Refuses("has no key"));
  ASSERT_OK(Write(std::string((256 << 10) + 1, ' ')));
  EXPECT_THAT(LoadIdentityProviders(config_),
              Refuses("is larger than 262144 bytes"));
  config_.oidc_providers[0].jwks_file = "/";
  EXPECT_THAT(LoadIdentityProviders(config_),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("cannot read /: Is a directory")));
}

TEST_F(IdentityProvidersTest, ThereMayBeNone) {
  config_.oidc_providers.clear();
  ASSERT_OK_AND_ASSIGN(const auto providers, LoadIdentityProviders(config_));
  EXPECT_TRUE(providers.empty());
}

}  // namespace
}  // namespace tools
