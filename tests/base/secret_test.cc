// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "tests/testlib/status.h"

namespace base {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::ExitedWithCode;
using testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);

TEST(SecretTest, BeginsAsZeroes) {
  const Secret secret(100);
  EXPECT_EQ(secret.size(), 100u);
  EXPECT_THAT(secret.Reveal(), Each(0));
}

TEST(SecretTest, AnEmptyOneStillHasAnAddress) {
  const Secret secret;
  EXPECT_TRUE(secret.empty());
  EXPECT_NE(secret.Reveal().data(), nullptr);
  EXPECT_EQ(secret.RevealText(), "");
}

TEST(SecretTest, CopiesBytesAndText) {
  const std::uint8_t bytes[] = {0, 1, 0xFF};
  EXPECT_THAT(Secret::CopyOf(bytes).Reveal(), ElementsAre(0, 1, 0xFF));
  EXPECT_EQ(Secret::CopyOf(std::string_view("12\0345", 4)).RevealText(),
            std::string_view("12\0345", 4));
  EXPECT_TRUE(Secret::CopyOf(std::string_view()).empty());
}

TEST(SecretTest, MovingTakesTheBytesAlong) {
  Secret from = Secret::CopyOf("1234");
  const std::uint8_t* const address = from.Reveal().data();
  Secret to = std::move(from);
  EXPECT_EQ(to.RevealText(), "1234");
  EXPECT_EQ(to.Reveal().data(), address);
  EXPECT_EQ(from.size(), 0u);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(from.RevealText(), "");

  from = Secret::CopyOf("other");
  from = std::move(to);
  EXPECT_EQ(from.RevealText(), "1234");
  EXPECT_EQ(to.size(), 0u);  // NOLINT(bugprone-use-after-move)
}

TEST(SecretTest, TruncatingWipesTheRest) {
  Secret secret = Secret::CopyOf("1234567890");
  const std::span<const std::uint8_t> whole = secret.Reveal();
  secret.Truncate(4);
  EXPECT_EQ(secret.RevealText(), "1234");
  EXPECT_THAT(whole.subspan(4), Each(0));
  secret.Truncate(10);  // Never grows.
  EXPECT_EQ(secret.size(), 4u);
  secret.Truncate(0);
  EXPECT_TRUE(secret.empty());
  EXPECT_THAT(whole, Each(0));
}

TEST(ConstantTimeEqualTest, ComparesContentAndSize) {
  const std::uint8_t a[] = {1, 2, 3};
  const std::uint8_t b[] = {1, 2, 4};
  EXPECT_TRUE(ConstantTimeEqual(a, a));
  EXPECT_FALSE(ConstantTimeEqual(a, b));
  EXPECT_FALSE(ConstantTimeEqual(a, std::span(a).first(2)));
  EXPECT_TRUE(ConstantTimeEqual({}, {}));
}

// What follows changes the process for good, so each runs in a child:
// EXPECT_EXIT forks. A child ends with 0 or prints why not.

[[noreturn]] void End(bool ok, const char* why) {
  if (!ok) {
    std::fprintf(stderr, "%s\n", why);
  }
  _exit(ok ? 0 : 1);
}

void Require(bool ok, const char* why) {
  if (!ok) {
    End(false, why);
  }
}

TEST(SecureHeapDeathTest, HoldsSecretsAndWipesThem) {
  EXPECT_EXIT(
      {
        Require(InitSecureHeap(1 << 14, UnlockedMemory::kAllow).has_value(),
                "init");
        const std::uint8_t* bytes = nullptr;
        {
          Secret secret(64);
          std::ranges::fill(secret.Reveal(), std::uint8_t{0xA5});
          bytes = secret.Reveal().data();
          Require(CRYPTO_secure_allocated(bytes) == 1, "not on the heap");
        }
        // The heap keeps its list in the first bytes of what is free.
        for (std::size_t i = 2 * sizeof(void*); i < 64; ++i) {
          Require(bytes[i] == 0, "not wiped");
        }
        End(true, "");
      },
      ExitedWithCode(0), "");
}

TEST(SecureHeapDeathTest, ASpentHeapEndsTheProcess) {
  EXPECT_DEATH(
      {
        Require(InitSecureHeap(1 << 12, UnlockedMemory::kAllow).has_value(),
                "init");
        const Secret secret(1 << 13);
      },
      "");
}

// In a library.
TEST(SecureHeapDeathTest, AHostsSpentHeapDoesNotEndTheHost) {
  EXPECT_EXIT(
      {
        Require(CRYPTO_secure_malloc_init(1 << 12, 32) != 0, "init");
        const Secret secret(1 << 13);
        Require(secret.size() == 1U << 13, "size");
        Require(std::ranges::all_of(secret.Reveal(),
                                    [](auto byte) { return byte == 0; }),
                "zeroes");
        End(true, "");
      },
      ExitedWithCode(0), "");
}

// Gives up whatever lets this process lock memory; false if that is impossible.
bool GiveUpLocking() {
  const rlimit none = {0, 0};
  if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) {
    return false;
  }
  constexpr uid_t kNobody = 65534;
  return geteuid() != 0 || setresuid(kNobody, kNobody, kNobody) == 0;
}

bool AChildCanGiveUpLocking() {
  const pid_t child = fork();
  if (child == 0) {
    _exit(GiveUpLocking() ? 0 : 1);
  }
  int status = 1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

constexpr const char* kWhySkipped =
    "this process can neither lower RLIMIT_MEMLOCK nor leave root";

TEST(SecureHeapDeathTest, WithoutLockedMemoryItRefuses) {
  if (!AChildCanGiveUpLocking()) {
    GTEST_SKIP() << kWhySkipped;
  }
  EXPECT_EXIT(
      {
        GiveUpLocking();
        const auto made = InitSecureHeap(1 << 14, UnlockedMemory::kRefuse);
        Require(!made.has_value(), "it did not refuse");
        Require(made.error().code == ErrorCode::kIo, "another code");
        std::fprintf(stderr, "%s\n", made.error().message.c_str());
        _exit(0);
      },
      ExitedWithCode(0), "cannot lock 16384 bytes.*raise RLIMIT_MEMLOCK");
}

TEST(SecureHeapDeathTest, WithoutLockedMemoryItGoesOnIfTold) {
  if (!AChildCanGiveUpLocking()) {
    GTEST_SKIP() << kWhySkipped;
  }
  EXPECT_EXIT(
      {
        GiveUpLocking();
        const auto made = InitSecureHeap(1 << 14, UnlockedMemory::kAllow);
        Require(made.has_value(), "it refused");
        Require(!*made, "it claims that the memory is locked");
        Require(Secret::CopyOf("1234").RevealText() == "1234", "unusable");
        End(true, "");
      },
      ExitedWithCode(0), "");
}

TEST(ForbidCoreDumpsDeathTest, SetsLimitAndFlag) {
  EXPECT_EXIT(
      {
        Require(ForbidCoreDumps().has_value(), "failed");
        rlimit limit{};
        Require(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 &&
                    limit.rlim_max == 0,
                "core limit");
        Require(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable");
        End(true, "");
      },
      ExitedWithCode(0), "");
}

}  // namespace
}  // namespace base
