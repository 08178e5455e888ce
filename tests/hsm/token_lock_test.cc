// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/token_lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <set>
#include <string>

#include "tests/fakes/fake_token.h"
#include "tests/hsm/token_fixture.h"

// Who holds the lock when: every call that touches the token's objects, and no
// cryptography.
namespace hsm::token {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;

class TokenLockTest : public OpenTokenTest<fakes::FakeToken> {
 protected:
  struct Functions {
    std::set<std::string> locked;
    std::set<std::string> unlocked;
  };

  Functions TakeFunctions() {
    Functions functions;
    for (const auto& call : place_.TakeDetailedCalls()) {
      (call.locked ? functions.locked : functions.unlocked)
          .insert(call.function);
    }
    return functions;
  }

  // The functions of `wanted` that were called without the lock.
  static std::set<std::string> Caught(const std::set<std::string>& unlocked,
                                      const std::set<std::string>& wanted) {
    std::set<std::string> caught;
    std::ranges::set_intersection(unlocked, wanted,
                                  std::inserter(caught, caught.end()));
    return caught;
  }
};

// A search, and these.
std::set<std::string> FindAnd(std::set<std::string> functions) {
  functions.insert(
      {"C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal"});
  return functions;
}

TEST_F(TokenLockTest, StartAndEndAreLocked) {
  const auto wanted = FindAnd({"C_Initialize", "C_GetSlotList",
                               "C_GetTokenInfo", "C_Login", "C_Finalize"});
  token_.reset();
  const Functions functions = TakeFunctions();
  EXPECT_THAT(functions.locked, IsSupersetOf(wanted));
  EXPECT_THAT(Caught(functions.unlocked, wanted), IsEmpty());
}

// The scan reads every key's CKA_ID.
TEST_F(TokenLockTest, ScanIsLocked) {
  Made();
  token_.reset();
  TakeFunctions();
  Reopen();
  EXPECT_THAT(TakeFunctions().locked, testing::Contains("C_GetAttributeValue"));
}

TEST_F(TokenLockTest, CreationIsLockedAndItsSelfTestIsNot) {
  TakeFunctions();
  Made();
  const Functions functions = TakeFunctions();
  EXPECT_EQ(functions.locked, FindAnd({"C_GenerateKey"}));
  EXPECT_THAT(functions.unlocked, IsSupersetOf({"C_DeriveKey", "C_Encrypt"}));
}

TEST_F(TokenLockTest, DestructionIsLocked) {
  const KeyRef key = Made();
  TakeFunctions();
  ASSERT_OK(token_->Execute(DestroyKeyRequest{key.locator}));
  EXPECT_THAT(TakeFunctions().unlocked, IsEmpty());
}

TEST_F(TokenLockTest, ListingIsLocked) {
  Made();
  TakeFunctions();
  ASSERT_OK(token_->Execute(ListKeysRequest{}));
  EXPECT_THAT(TakeFunctions().unlocked, IsEmpty());
}

TEST_F(TokenLockTest, SearchForAnUnknownKeyIsLocked) {
  TakeFunctions();
  EXPECT_ERROR(token_->Execute(ToEncrypt(NewKey(), "secret")), kNotFound);
  const Functions functions = TakeFunctions();
  EXPECT_EQ(functions.locked, FindAnd({"C_GetTokenInfo"}));
  EXPECT_THAT(functions.unlocked,  // The canary's.
              ElementsAre("C_Encrypt", "C_EncryptInit", "C_GetSessionInfo"));
}

TEST_F(TokenLockTest, CryptographyIsNotLocked) {
  const KeyRef key = Made();
  TakeFunctions();
  const Sealed sealed = Encrypted(key, "secret");
  ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
  ASSERT_OK(token_->Execute(RandomRequest{32}));
  ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
  ASSERT_OK(token_->Execute(HealthRequest{}));
  EXPECT_THAT(TakeFunctions().locked, IsEmpty());
}

class LockFileTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
  void TearDown() override {
    unlink((directory_ + "/lock").c_str());
    rmdir(directory_.c_str());
  }

  bool IsHeld(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool held = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return held;
  }

  std::string directory_ = "/dev/shm/claviger-lock-XXXXXX";
};

TEST_F(LockFileTest, HoldsUntilTheHoldGoes) {
  const auto lock = TokenLock::OfDirectory(directory_);
  ASSERT_OK(lock);
  EXPECT_FALSE(IsHeld(directory_));
  {
    auto hold = lock->Take();
    ASSERT_OK(hold);
    EXPECT_TRUE(IsHeld(directory_));
    const TokenLock::Hold moved = *std::move(hold);
    EXPECT_TRUE(IsHeld(directory_));
  }
  EXPECT_FALSE(IsHeld(directory_));
  ASSERT_OK(lock->SyncFileSystem());
}

TEST_F(LockFileTest, FileIsMadeForItsOwnerOnly) {
  const std::string path = directory_ + "/lock";
  const auto lock = TokenLock::OfFile(path);
  ASSERT_OK(lock);
  const auto hold = lock->Take();
  EXPECT_TRUE(IsHeld(path));
  EXPECT_EQ(access(path.c_str(), X_OK), -1);
}

TEST_F(LockFileTest, LinksAndMissingDirectoriesAreRefused) {
  ASSERT_EQ(symlink("/dev/null", (directory_ + "/lock").c_str()), 0);
  EXPECT_ERROR(TokenLock::OfFile(directory_ + "/lock"), kIo);
  EXPECT_ERROR(TokenLock::OfDirectory(directory_ + "/none"), kIo);
  EXPECT_ERROR(TokenLock::OfDirectory("/dev/null"), kIo);
}

TEST_F(LockFileTest, EndsWithAKilledHolder) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = TokenLock::OfDirectory(directory_);
    const auto hold = lock->Take();
    (void)!write(ready[1], "h", 1);
    while (true) {
      pause();
    }
  }
  char held = 0;
  ASSERT_EQ(read(ready[0], &held, 1), 1);
  EXPECT_TRUE(IsHeld(directory_));
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const auto lock = TokenLock::OfDirectory(directory_);
  ASSERT_OK(lock);
  ASSERT_OK(lock->Take());
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace hsm::token
