// SPDX-License-Identifier: Apache-2.0
// Grant tokens: that they work wherever they are taken, and that nothing else
// does.
#include <filesystem>

#include "base/bytes.h"
#include "tests/kms/operations_grants_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testlib::StatusIs;
using testlib::Take;

class GrantTokenTest : public GrantsTest {
 protected:
  base::Result<json> Use(const json& tokens, const From& from = {}) {
    return Ask("DescribeKey", {{"KeyId", key_}, {"GrantTokens", tokens}}, from);
  }
  static base::Bytes Decode(const std::string& token) {
    return Take(base::Base64Decode(token));
  }
};

TEST_F(GrantTokenTest, EveryTokenOfAGrantIsTaken) {
  const std::string one = Create({{"Name", "n"}}).at("GrantToken");
  const std::string two = Create({{"Name", "n"}}).at("GrantToken");
  EXPECT_NE(one, two);
  EXPECT_OK(Use({one}));
  EXPECT_OK(Use({two, one}));
  EXPECT_OK(Use(json::array()));
  Restart();
  EXPECT_OK(Use({one}));
  EXPECT_OK(
      Ask("Encrypt",
          {{"KeyId", key_}, {"Plaintext", "YQ=="}, {"GrantTokens", {one}}}));
  EXPECT_OK(TryCreate({{"GrantTokens", {one}}}));
  // An operation that takes no tokens does not look at them.
  EXPECT_OK(Ask("DisableKey", {{"KeyId", key_}, {"GrantTokens", {"x"}}}));
}

TEST_F(GrantTokenTest, TenAreTakenAndElevenRefused) {
  const std::string token = Create().at("GrantToken");
  EXPECT_OK(Use(std::vector<std::string>(10, token)));
  EXPECT_THAT(Use(std::vector<std::string>(11, token)),
              StatusIs(ErrorCode::kValidation));
}

TEST_F(GrantTokenTest, IsOfTheDocumentedForm) {
  const json made = Create();
  const base::Bytes bytes = Decode(made.at("GrantToken"));
  EXPECT_EQ(bytes.size(), 73);
  EXPECT_EQ(bytes.front(), 1);
  EXPECT_THAT(base::HexEncode(bytes),
              Not(HasSubstr(made.at("GrantId").get<std::string>())));
}

TEST_F(GrantTokenTest, RefusesEveryChangedByte) {
  const base::Bytes token = Decode(Create().at("GrantToken"));
  for (std::size_t i = 0; i < token.size(); ++i) {
    base::Bytes changed = token;
    changed[i] ^= 1;
    EXPECT_THAT(Use({base::Base64Encode(changed)}),
                StatusIs(ErrorCode::kInvalidGrantToken))
        << i;
  }
}

TEST_F(GrantTokenTest, RefusesWhatIsNoToken) {
  const std::string good = Create().at("GrantToken");
  base::Bytes longer = Decode(good);
  longer.push_back(0);
  base::Bytes shorter = Decode(good);
  shorter.pop_back();
  const std::string ciphertext = Encrypted(key_, "x");
  for (const std::string& bad :
       {std::string("x"), std::string("!"), std::string("YQ=="), good + " ",
        good.substr(4), base::Base64Encode(longer), base::Base64Encode(shorter),
        ciphertext}) {
    EXPECT_THAT(Use({bad}), StatusIs(ErrorCode::kInvalidGrantToken)) << bad;
    EXPECT_THAT(Use({good, bad}), StatusIs(ErrorCode::kInvalidGrantToken));
  }
}

TEST_F(GrantTokenTest, EndsWithItsGrantAndItsRegion) {
  const json made = Create();
  const std::string token = made.at("GrantToken");
  EXPECT_THAT(Use({token}, {.region = "us-east-1"}),
              StatusIs(ErrorCode::kInvalidGrantToken));
  ASSERT_OK(
      Ask("RevokeGrant", {{"KeyId", key_}, {"GrantId", made.at("GrantId")}}));
  EXPECT_THAT(Use({token}), StatusIs(ErrorCode::kInvalidGrantToken));
  EXPECT_THAT(Ask("RetireGrant", {{"GrantToken", token}}),
              StatusIs(ErrorCode::kInvalidGrantToken));
}

TEST_F(GrantTokenTest, IsNeverRecorded) {
  const json made = Create();
  const std::string token = made.at("GrantToken");
  const std::string foreign = "Zm9yZWlnbiB0b2tlbg==";
  ASSERT_OK(Use({token}));
  EXPECT_THAT(Use({foreign}), StatusIs(ErrorCode::kInvalidGrantToken));
  EXPECT_THAT(Ask("RetireGrant", {{"GrantToken", foreign}}),
              StatusIs(ErrorCode::kInvalidGrantToken));
  ASSERT_OK(Ask("RetireGrant", {{"GrantToken", token}}));
  EXPECT_EQ(Events().back().at("responseElements"),
            json({{"grantId", made.at("GrantId")}}));
  const std::string log = LogText();
  EXPECT_THAT(log, HasSubstr("InvalidGrantTokenException"));
  EXPECT_THAT(log, Not(HasSubstr(token)));
  EXPECT_THAT(log, Not(HasSubstr(foreign)));
}

TEST_F(GrantTokenTest, ATokenOfAnotherStoreIsRefused) {
  const std::string token = Create().at("GrantToken");
  const testlib::TempDir attic;
  Close();
  for (const char* const name : {"claviger.db", "audit"}) {
    std::filesystem::rename(folder_.path() / name, attic.path() / name);
  }
  Open();
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  key_ = NewKey();
  EXPECT_THAT(Use({token}), StatusIs(ErrorCode::kInvalidGrantToken));
}

TEST_F(GrantTokenTest, NoGrantIsMadeWithoutItsToken) {
  const auto keys = Take(store().ListServiceKeys());
  ASSERT_EQ(keys.size(), 5);
  ASSERT_OK(Run(hsm().EvictEverywhere(keys[1].ref.locator)));
  const hsm::DestroyKeyRequest destroy = {keys[1].ref.locator};
  ASSERT_OK(Run(hsm().Call(destroy)));
  EXPECT_THAT(TryCreate(), StatusIs(ErrorCode::kInternal,
                                    HasSubstr("service key 'grant-token'")));
  EXPECT_TRUE(List().empty());
  EXPECT_THAT(Run(CheckServiceKeys(environment(), NewStore::kRefuse)),
              StatusIs(ErrorCode::kKeyUnavailable, HasSubstr("grant-token")));
}

}  // namespace
}  // namespace kms::operations
