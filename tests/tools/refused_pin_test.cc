// SPDX-License-Identifier: Apache-2.0
#include "tools/files/refused_pin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace tools {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testlib::StatusIs;

class RefusedPinTest : public testing::Test {
 protected:
  RefusedPinTest() {
    unsetenv("STATE_DIRECTORY");
    unsetenv("CREDENTIALS_DIRECTORY");
    WritePin("1234");
  }
  ~RefusedPinTest() override {
    unsetenv("STATE_DIRECTORY");
    unsetenv("CREDENTIALS_DIRECTORY");
  }

  // As somebody does who writes another file and renames it.
  void WritePin(const std::string& pin) {
    std::ofstream(folder_ / "new-pin") << pin;
    std::filesystem::rename(folder_ / "new-pin", folder_ / "pin");
  }

  // A process that is started now.
  RefusedPin Started() const { return RefusedPin(token_); }
  base::Status Ask() const { return Started().Check(); }
  void BeRefused() const {
    RefusedPin refused = Started();
    ASSERT_OK(refused.Check());
    refused.Note();
  }

  testlib::TempDir folder_;
  RefusedPin::Token token_ = {.name = "main",
                              .socket = folder_ / "main.sock",
                              .module = "/usr/lib/module.so",
                              .uri = "pkcs11:token=one",
                              .pin_file = folder_ / "pin"};
};

TEST_F(RefusedPinTest, IsNotTriedByTheNextProcess) {
  EXPECT_OK(Ask());
  BeRefused();
  for (int start = 0; start < 3; ++start) {
    EXPECT_THAT(Ask(),
                StatusIs(ErrorCode::kAccessDenied,
                         AllOf(HasSubstr(token_.pin_file),
                               HasSubstr("remove " + Started().file()))));
  }
}

TEST_F(RefusedPinTest, AnotherVersionOfTheFileIsTried) {
  BeRefused();
  WritePin("5678");  // As long.
  EXPECT_OK(Ask());
  BeRefused();
  EXPECT_THAT(Ask(), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(RefusedPinTest, AnotherTokenModuleOrFileIsAsked) {
  BeRefused();
  const RefusedPin::Token refused = token_;
  std::ofstream(folder_ / "other-pin") << "1234";
  for (std::string RefusedPin::Token::*const member :
       {&RefusedPin::Token::module, &RefusedPin::Token::uri}) {
    token_ = refused;
    token_.*member += "2";
    EXPECT_OK(Ask());
  }
  token_ = refused;
  token_.pin_file = folder_ / "other-pin";
  EXPECT_OK(Ask());
  token_ = refused;
  EXPECT_THAT(Ask(), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(RefusedPinTest, IsTriedOnceTheOperatorSaysSo) {
  BeRefused();
  Started().Forget();
  EXPECT_OK(Ask());
  Started().Forget();  // There is nothing any more.
  EXPECT_OK(Ask());
}

TEST_F(RefusedPinTest, NothingOfThePinIsKept) {
  WritePin("a-pin-that-is-long");
  BeRefused();
  std::ifstream file(Started().file());
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(text, AllOf(HasSubstr(token_.uri), Not(HasSubstr("a-pin"))));
  struct stat found {};
  ASSERT_EQ(stat(Started().file().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(RefusedPinTest, IsKeptInTheStateFolderIfThereIsOne) {
  setenv("STATE_DIRECTORY", folder_.path().c_str(), 1);
  EXPECT_EQ(Started().file(), folder_ / "main.pin-refused");
  unsetenv("STATE_DIRECTORY");
  EXPECT_EQ(Started().file(), folder_ / "main.sock.pin-refused");
}

// systemd makes it anew at each start.
TEST_F(RefusedPinTest, ACredentialIsTheSameWhateverItsFile) {
  setenv("CREDENTIALS_DIRECTORY", folder_.path().c_str(), 1);
  BeRefused();
  WritePin("1234");
  EXPECT_THAT(Ask(), StatusIs(ErrorCode::kAccessDenied));
  Started().Forget();
  EXPECT_OK(Ask());
}

TEST_F(RefusedPinTest, WhatCannotBeKeptHoldsNobodyUp) {
  token_.socket = folder_ / "nowhere/main.sock";
  BeRefused();
  EXPECT_OK(Ask());
}

TEST_F(RefusedPinTest, AFileThatSaysSomethingElseIsNone) {
  std::ofstream(Started().file()) << "nonsense";
  EXPECT_OK(Ask());
  std::ofstream(Started().file()) << std::string(100'000, 'x');
  EXPECT_OK(Ask());
}

}  // namespace
}  // namespace tools
