// SPDX-License-Identifier: Apache-2.0
// Several tokens of one key store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/tools/config_testing.h"
#include "tools/config/key_store.h"

namespace tools::config {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testlib::StatusIs;

constexpr const char* kSecond = R"(
[[key_store.further_token]]
name = "second"
module = "/m2"
token = "pkcs11:token=second"
pin_file = "/p2"
)";

class ConfigTokensTest : public ConfigTest {
 protected:
  base::Result<Config> ReadTokens(const std::string& tokens,
                                  const std::string& placement = "wrapped") {
    return Read("account = \"111122223333\"\n" + std::string(kStore) +
                "placement = \"" + placement + "\"\n" + tokens);
  }
};

TEST_F(ConfigTokensTest, TakesEveryKeyOfAFurtherToken) {
  ASSERT_OK_AND_ASSIGN(const Config config,
                       ReadTokens(std::string(kSecond) + R"(socket = "/2.sock"
quirks = "softhsm"
lock_dir = "/l"
module_parameters = "configdir='/d'"
accept_risks = ["keys-can-be-wrapped-out"]
workers = 3
drain = true
)"));
  const FurtherToken& token = config.key_stores.at(0).further_tokens.at(0);
  EXPECT_EQ(token.name, "second");
  EXPECT_EQ(token.module, "/m2");
  EXPECT_EQ(token.token, "pkcs11:token=second");
  EXPECT_EQ(token.pin_file, "/p2");
  EXPECT_EQ(token.socket, "/2.sock");
  EXPECT_EQ(token.quirks, "softhsm");
  EXPECT_EQ(token.lock_dir, "/l");
  EXPECT_EQ(token.module_parameters, "configdir='/d'");
  EXPECT_THAT(token.accept_risks, ElementsAre("keys-can-be-wrapped-out"));
  EXPECT_EQ(token.workers, 3);
  EXPECT_TRUE(token.drain);
}

TEST_F(ConfigTokensTest, AFurtherTokenHasDefaults) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadTokens(kSecond));
  const FurtherToken& token = config.key_stores.at(0).further_tokens.at(0);
  EXPECT_EQ(token.socket, "/run/claviger-hsm/main-second.sock");
  EXPECT_EQ(token.lock_dir, "/run/claviger-hsm");
  EXPECT_EQ(token.workers, 2);
  EXPECT_FALSE(token.drain);
}

TEST_F(ConfigTokensTest, TokensShareOnlyKeysThatAreWrapped) {
  EXPECT_THAT(ReadTokens(kSecond, "resident"),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("key_store.further_token needs placement = "
                                 "\"wrapped\"")));
}

TEST_F(ConfigTokensTest, RefusesBadValuesOfAFurtherToken) {
  const std::pair<const char*, const char*> cases[] = {
      {"placement = \"wrapped\"",
       "unknown key 'key_store.further_token.placement'"},
      {"drain = 1", "key_store.further_token.drain must be true or false"},
      {"workers = 0", "key_store.further_token.workers must be a whole number"},
      {"quirks = \"nope\"",
       "toml:15: key_store.further_token.quirks 'nope' is not known; known are "
       "cloudhsm, generic, luna"},
      {"accept_risks = [\"all\"]",
       "key_store.further_token.accept_risks has 'all'"},
  };
  for (const auto& [line, reason] : cases) {
    EXPECT_THAT(ReadTokens(kSecond + std::string(line)),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr(reason)))
        << line;
  }
  for (const std::string key : {"name", "module", "token", "pin_file"}) {
    std::string text = kSecond;
    const auto start = text.find("\n" + key + " =") + 1;
    text.erase(start, text.find('\n', start) + 1 - start);
    EXPECT_THAT(
        ReadTokens(text),
        StatusIs(ErrorCode::kInvalidArgument,
                 HasSubstr("key_store.further_token." + key + " is missing")));
  }
}

// A configuration is no place for a PIN: others than its owner read it.
TEST_F(ConfigTokensTest, ATokenIsNamedByAUriAndNothingElse) {
  const auto with = [this](const std::string& uri) {
    std::string text = kSecond;
    const std::string good = "pkcs11:token=second";
    return ReadTokens(text.replace(text.find(good), good.size(), uri));
  };
  for (const char* const uri :
       {"pkcs11:token=a%20b;serial=12;model=m;manufacturer=SoftHSM%20project",
        "pkcs11:serial=00ff"}) {
    EXPECT_OK(with(uri)) << uri;
  }
  constexpr const char* kNoPin = "must not say what the PIN is";
  const std::pair<const char*, const char*> cases[] = {
      {"x", "key_store.further_token.token must be a URI of a token"},
      {"PKCS11:token=a", "must be a URI of a token"},
      {"pkcs11:token=a?pin-value=1234", kNoPin},
      {"pkcs11:token=a?pin-source=file:/p", kNoPin},
      {"pkcs11:token=a?module-name=m&pin-value=1", "'module-name'"},
      {"pkcs11:token=a;pin-value=1", kNoPin},
      {"pkcs11:token=a;object=b", "has the attribute 'object'"},
      {"pkcs11:token", "no good value of 'token'"},
      {"pkcs11:token=a%2", "no good value of 'token'"},
      {"pkcs11:token=%zz", "no good value of 'token'"},
  };
  for (const auto& [uri, reason] : cases) {
    const auto read = with(uri);
    EXPECT_THAT(read, StatusIs(ErrorCode::kInvalidArgument, HasSubstr(reason)))
        << uri;
    EXPECT_THAT(read.error().message, testing::Not(HasSubstr("1234")));
  }
}

std::string Named(const std::string& name) {
  std::string text = kSecond;
  return text.replace(text.find("second"), 6, name);
}

TEST_F(ConfigTokensTest, RefusesNamesThatCannotBe) {
  for (const char* const name : {"home", "a/b", "a b", "a:b"}) {
    EXPECT_THAT(ReadTokens(Named(name)),
                StatusIs(ErrorCode::kInvalidArgument,
                         HasSubstr("key_store.further_token.name")))
        << name;
  }
  EXPECT_THAT(ReadTokens(Named(std::string(33, 'x'))),
              StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_OK(ReadTokens(Named(std::string(32, 'x'))));
}

TEST_F(ConfigTokensTest, EveryTokenHasItsOwnNameAndSocket) {
  EXPECT_THAT(ReadTokens(std::string(kSecond) + kSecond),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("two tokens are called main-second")));
  EXPECT_THAT(
      ReadTokens(kSecond +
                 std::string("socket = \"/run/claviger-hsm/main.sock\"")),
      StatusIs(ErrorCode::kInvalidArgument,
               HasSubstr("token main-second has the socket of another one")));
}

TEST_F(ConfigTokensTest, AtMostFifteen) {
  std::string tokens;
  for (int i = 0; i < 15; ++i) {
    tokens += Named("t" + std::to_string(i));
  }
  EXPECT_OK(ReadTokens(tokens));
  EXPECT_THAT(ReadTokens(tokens + Named("t15")),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("at most 15")));
}

TEST_F(ConfigTokensTest, FindsATokenByItsNames) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadTokens(kSecond));
  for (const auto& [key_store, token] :
       {std::pair{"", ""}, std::pair{"main", ""}, std::pair{"main", "home"},
        std::pair{"", "home"}}) {
    ASSERT_OK_AND_ASSIGN(const Token found,
                         FindToken(config, key_store, token));
    EXPECT_EQ(found.name, "main");
    EXPECT_EQ(found.token, "pkcs11:token=main");
  }
  for (const auto& [key_store, token] :
       {std::pair{"main", "second"}, std::pair{"", "second"},
        std::pair{"main-second", ""}}) {
    ASSERT_OK_AND_ASSIGN(const Token found,
                         FindToken(config, key_store, token));
    EXPECT_EQ(found.name, "main-second");
    EXPECT_EQ(found.token, "pkcs11:token=second");
  }
  EXPECT_THAT(FindToken(config, "other", ""),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("there is no key store 'other'")));
  EXPECT_THAT(FindToken(config, "main", "main"),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("has no further token 'main'")));
  EXPECT_THAT(FindToken(config, "main-second", "second"),
              StatusIs(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tools::config
