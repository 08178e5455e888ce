// SPDX-License-Identifier: Apache-2.0
// The tests' own tools, tested.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/secret.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/vectors.h"

namespace testlib {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Secret;
using base::Status;
using testing::HasSubstr;
using testing::Not;

TEST(StatusMatchersTest, TellOkFromErrors) {
  EXPECT_THAT(Status(), IsOk());
  EXPECT_THAT(Result<int>(3), IsOkAndHolds(3));
  EXPECT_THAT(Result<int>(3), Not(IsOkAndHolds(4)));
  EXPECT_THAT(Result<int>(3), Not(StatusIs(ErrorCode::kIo)));
  const Status failed = Error{ErrorCode::kIo, "disk gone"};
  EXPECT_THAT(failed, Not(IsOk()));
  EXPECT_THAT(failed, StatusIs(ErrorCode::kIo));
  EXPECT_THAT(failed, StatusIs(ErrorCode::kIo, "disk gone"));
  EXPECT_THAT(failed, StatusIs(ErrorCode::kIo, HasSubstr("gone")));
  EXPECT_THAT(failed, Not(StatusIs(ErrorCode::kIo, "disk")));
  EXPECT_THAT(failed, Not(StatusIs(ErrorCode::kBusy)));
}

TEST(StatusMatchersTest, TakeMoveOnlyValues) {
  EXPECT_THAT(Result<Secret>(Secret(4)), IsOk());
  EXPECT_EQ(Take(Result<Secret>(Secret(4))).size(), 4u);
  ASSERT_OK_AND_ASSIGN(const Secret secret, Result<Secret>(Secret(5)));
  EXPECT_EQ(secret.size(), 5u);
}

TEST(StatusMatchersTest, PrintErrorsButNoValues) {
  EXPECT_EQ(testing::PrintToString(Result<std::string>("s3cret")), "ok");
  EXPECT_THAT(
      testing::PrintToString(Status(Error{ErrorCode::kBusy, "in use"})),
      testing::MatchesRegex("kBusy: in use \\(.*testlib_test.cc:[0-9]+\\)"));
}

TEST(TakeDeathTest, EndsTheProgramOnAnError) {
  const Status failed = Error{ErrorCode::kIo, "disk gone"};
  EXPECT_DEATH(Take(failed), "kIo: disk gone");
}

TEST(TempDirTest, IsPrivateDistinctAndRemovedWithItsContent) {
  std::filesystem::path path;
  {
    const TempDir one;
    const TempDir two;
    path = one.path();
    EXPECT_NE(one.path(), two.path());
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    std::filesystem::create_directory(one / "folder");
    std::ofstream(one / "folder/file") << "text";
    EXPECT_EQ(ReadFile(one / "folder/file"), "text");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(VectorsDeathTest, AMissingFileIsNamed) {
  EXPECT_DEATH(ReadJsonVectors("no/such.json"), "no/such.json.*be read");
}

}  // namespace
}  // namespace testlib
