// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/token_file.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "hsm/token/init_token.h"
#include "hsm/token/softhsm.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/token_fixture.h"

// SoftHSM's files: token.object, its copy, and the configuration.
namespace hsm::token {
namespace {

using testing::HasSubstr;

std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Spill(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

class TokenFileTest : public testing::Test {
 protected:
  std::string Path() { return place_.TokenDirectory() + "/token.object"; }
  std::string Copy() { return Path() + ".claviger"; }
  base::Result<std::unique_ptr<Token>> Open() {
    return Token::Open(place_.Config(), clock_);
  }

  fakes::SoftHsmToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

TEST_F(TokenFileTest, OnlyTheWholeFileIsATokenObject) {
  const std::string whole = Slurp(Path());
  EXPECT_TRUE(IsTokenObject(base::AsBytes(whole)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(IsTokenObject(base::AsBytes(whole.substr(0, size)))) << size;
  }
  EXPECT_FALSE(IsTokenObject(base::AsBytes(whole + "x")));
  EXPECT_FALSE(IsTokenObject(base::AsBytes(std::string(whole.size(), '\0'))));
}

TEST_F(TokenFileTest, EveryTornTokenObjectIsRestoredAtStart) {
  const KeyRef key = NewKey();
  {
    const auto token = Open();
    ASSERT_OK(token);
    ASSERT_OK((*token)->Execute(GenerateKeyRequest{key}));
  }
  const std::string whole = Slurp(Path());
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{8}, std::size_t{64}, whole.size() - 1}) {
    Spill(Path(), whole.substr(0, size));
    const auto token = Open();
    ASSERT_OK(token);
    ASSERT_OK((*token)->Execute(CheckKeyRequest{key}));
  }
  std::filesystem::remove(Path());
  const auto token = Open();
  ASSERT_OK(token);
  ASSERT_OK((*token)->Execute(CheckKeyRequest{key}));
}

TEST_F(TokenFileTest, WholeTokenObjectIsNeverReplaced) {
  ASSERT_OK(Open());
  Spill(Copy(), Slurp(Copy()).replace(16, 1, "\x7f"));
  const std::string before = Slurp(Path());
  ASSERT_OK(RestoreTokenFiles(place_.TokensDirectory()));
  EXPECT_EQ(Slurp(Path()), before);
}

TEST_F(TokenFileTest, TornCopyIsNotRestored) {
  ASSERT_OK(Open());
  const std::string whole = Slurp(Path());
  Spill(Copy(), whole.substr(0, 100));
  Spill(Path(), "");
  ASSERT_OK(RestoreTokenFiles(place_.TokensDirectory()));
  EXPECT_EQ(Slurp(Path()), "");
  EXPECT_ERROR(Open(), kNotFound);
}

TEST_F(TokenFileTest, TornTokenObjectIsNotCopied) {
  ASSERT_OK(Open());
  const std::string copy = Slurp(Copy());
  const std::string serial = TokenSerial(base::AsBytes(copy)).value();
  Spill(Path(), Slurp(Path()).substr(0, 100));
  EXPECT_ERROR(BackUpTokenFile(place_.TokensDirectory(), serial), kNotFound);
  EXPECT_EQ(Slurp(Copy()), copy);
}

TEST_F(TokenFileTest, CopyIsMadeBeforeTheLoginAndOnlyWhenItDiffers) {
  EXPECT_FALSE(std::filesystem::exists(Copy()));
  ASSERT_OK(Open());
  EXPECT_TRUE(IsTokenObject(base::AsBytes(Slurp(Copy()))));
  const auto made = std::filesystem::last_write_time(Copy());
  ASSERT_OK(Open());
  EXPECT_EQ(std::filesystem::last_write_time(Copy()), made);
}

TEST_F(TokenFileTest, FailsWithoutATokenDirectory) {
  EXPECT_ERROR(RestoreTokenFiles("/nonexistent"), kIo);
  EXPECT_ERROR(BackUpTokenFile("/nonexistent", "1"), kIo);
  EXPECT_ERROR(BackUpTokenFile(place_.TokensDirectory(), "1"), kNotFound);
}

TEST_F(TokenFileTest, SoftHsmIsNotOpenedWithoutItsCare) {
  TokenConfig config = place_.Config();
  config.quirks = "generic";
  const auto token = Token::Open(std::move(config), clock_);
  EXPECT_ERROR(token, kInvalidArgument);
  EXPECT_THAT(token.error().message, HasSubstr("quirks = \"softhsm\""));
}

TEST_F(TokenFileTest, LoginWithAWrongPinHarmsNothing) {
  TokenConfig config = place_.Config();
  config.pin = base::Secret::CopyOf("4321");
  EXPECT_ERROR(Token::Open(std::move(config), clock_), kAccessDenied);
  ASSERT_OK(Open());
}

TEST_F(TokenFileTest, InitializesNoSecondTokenOfAName) {
  const auto pin = base::Secret::CopyOf("1234");
  const std::string module = fakes::SoftHsmToken::ModulePath();
  EXPECT_ERROR(InitSoftHsmToken(module, "test", pin, pin), kAlreadyExists);
  ASSERT_OK(InitSoftHsmToken(module, "other", pin, pin));
  ASSERT_OK(Open());
}

TEST_F(TokenFileTest, InitializesNoTokenWithBadArguments) {
  const auto pin = base::Secret::CopyOf("1234");
  const std::string module = fakes::SoftHsmToken::ModulePath();
  EXPECT_ERROR(InitSoftHsmToken(module, "", pin, pin), kInvalidArgument);
  EXPECT_ERROR(InitSoftHsmToken(module, std::string(33, 'x'), pin, pin),
               kInvalidArgument);
  EXPECT_ERROR(
      InitSoftHsmToken(module, "other", base::Secret::CopyOf("1"), pin),
      kAccessDenied);
  EXPECT_ERROR(InitSoftHsmToken("/bin/true", "other", pin, pin),
               kUnsupportedOperation);
}

TEST(SoftHsmConfigurationTest, FindsTheTokenDirectory) {
  const auto directory = [](std::string_view text) {
    return TokenDirectoryIn(text).value_or("none");
  };
  EXPECT_EQ(directory("directories.tokendir = /a/b\n"), "/a/b");
  EXPECT_EQ(directory("# x\nlog.level=INFO\ndirectories.tokendir=/a\r\n"),
            "/a");
  EXPECT_EQ(directory("directories.tokendir = /a # why"), "/a");
  EXPECT_EQ(directory("#directories.tokendir = /a"), "none");
  EXPECT_EQ(directory("other.tokendir = /a"), "none");
  EXPECT_EQ(directory(""), "none");
}

TEST(SoftHsmConfigurationTest, SaysWhichFileToMend) {
  setenv("SOFTHSM2_CONF", "/nonexistent/softhsm2.conf", 1);
  const auto directory = SoftHsmTokenDirectory();
  unsetenv("SOFTHSM2_CONF");
  EXPECT_ERROR(directory, kInvalidArgument);
  EXPECT_THAT(directory.error().message,
              HasSubstr("/nonexistent/softhsm2.conf"));
}

}  // namespace
}  // namespace hsm::token
