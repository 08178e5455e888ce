// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "tests/fakes/fake_token.h"
#include "tests/hsm/token_fixture.h"

// A token, played by the fake one, that does not take the PIN.
namespace hsm::token {
namespace {

using testing::HasSubstr;

class TokenPinTest : public testing::Test {
 protected:
  std::ptrdiff_t Logins() const {
    return std::ranges::count(place_.TakeCalls(), "C_Login");
  }
  // Whether it is told so when the token is opened.
  bool PinIsRefused() {
    bool refused = false;
    TokenConfig config = place_.Config();
    config.on_pin_refused = [&refused] { refused = true; };
    (void)Token::Open(std::move(config), clock_);
    return refused;
  }

  fakes::FakeToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

TEST_F(TokenPinTest, WrongPinIsAskedOnceAndSaysHowToMendIt) {
  TokenConfig config = place_.Config();
  config.pin = base::Secret::CopyOf("4321");
  const auto token = Token::Open(std::move(config), clock_);
  EXPECT_ERROR(token, kAccessDenied);
  EXPECT_THAT(token.error().message, HasSubstr("CKR_PIN_INCORRECT"));
  EXPECT_THAT(token.error().message, HasSubstr("PIN file"));
  EXPECT_EQ(token.error().message.find("4321"), std::string::npos);
  EXPECT_EQ(Logins(), 1);
}

TEST_F(TokenPinTest, PinIsNotRiskedOnATokenNearItsLock) {
  for (const char* flag : {"pin-locked", "pin-final-try"}) {
    place_.Tell(flag);
    EXPECT_ERROR(Token::Open(place_.Config(), clock_), kAccessDenied);
    EXPECT_FALSE(PinIsRefused()) << flag;
  }
  EXPECT_EQ(Logins(), 0);
}

TEST_F(TokenPinTest, OnlyAnAnswerAboutThePinIsARefusalOfIt) {
  for (const char* answer : {"0xa0", "0xa2", "0xa3", "0xa4"}) {
    place_.Tell(std::string("C_Login return ") + answer);
    EXPECT_TRUE(PinIsRefused()) << answer;
  }
  for (const char* fault :
       {"", "C_Login return 0x30", "C_Login return 0x5",
        "C_OpenSession return 0x30", "C_Initialize return 0x30"}) {
    place_.Tell(fault);
    EXPECT_FALSE(PinIsRefused()) << fault;
  }
}

// Whoever comes next must know it, or the PIN is tried until it is locked.
TEST_F(TokenPinTest, ARefusedPinIsToldThoughTheModuleCrashesThereafter) {
  for (const char* function : {"C_CloseSession", "C_Finalize"}) {
    place_.Tell("C_Login return 0xa0\n" + std::string(function) + " crash");
    std::array<int, 2> told{};
    ASSERT_EQ(pipe(told.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      TokenConfig config = place_.Config();
      config.on_pin_refused = [&] { (void)!write(told[1], "!", 1); };
      (void)Token::Open(std::move(config), clock_);
      _exit(0);
    }
    close(told[1]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << function;
    char byte = 0;
    EXPECT_EQ(read(told[0], &byte, 1), 1) << function;
    close(told[0]);
  }
}

}  // namespace
}  // namespace hsm::token
