// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "hsm/token/connection.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/token_fixture.h"

namespace {
bool kill_after_truncation = false;
}  // namespace

// In the place of libc's, for SoftHSM too: the program exports it.
extern "C" __attribute__((visibility("default"))) int ftruncate(
    int fd, off_t size) noexcept {
  const int rc = static_cast<int>(syscall(SYS_ftruncate, fd, size));
  if (kill_after_truncation) {
    raise(SIGKILL);
  }
  return rc;
}

// Several processes on one SoftHSM token, and what is left when one is killed.
// The delays before a kill are there to hit every moment, not to wait for one.
namespace hsm::token {
namespace {

// A child process that runs `body` and then ends. It reports the locators of
// keys through a pipe.
class Child {
 public:
  explicit Child(const std::function<void(Child&)>& body) {
    EXPECT_EQ(pipe(pipe_.data()), 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(pipe_[0]);
      body(*this);
      _exit(0);
    }
    close(pipe_[1]);
  }
  ~Child() {
    Kill();
    close(pipe_[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // In the child: one write of so few bytes is whole or not at all.
  void Report(const Locator& locator) {
    (void)!write(pipe_[1], locator.bytes.data(), locator.bytes.size());
  }

  // In the parent: the next report.
  Locator Report() {
    Locator locator;
    EXPECT_EQ(read(pipe_[0], locator.bytes.data(), locator.bytes.size()),
              static_cast<ssize_t>(locator.bytes.size()));
    return locator;
  }

  // In the parent: everything reported until the child's end.
  std::vector<Locator> Reports() {
    std::vector<Locator> reports;
    Locator locator;
    while (read(pipe_[0], locator.bytes.data(), locator.bytes.size()) ==
           static_cast<ssize_t>(locator.bytes.size())) {
      reports.push_back(locator);
    }
    return reports;
  }

  void KillAfter(std::chrono::microseconds delay) {
    const timespec time = {0, std::chrono::nanoseconds(delay).count()};
    nanosleep(&time, nullptr);
    Kill();
  }

  // The signal that ended the child, or 0.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

  void Kill() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      pid_ = 0;
    }
  }

 private:
  std::array<int, 2> pipe_{};
  pid_t pid_ = 0;
};

class TokenProcessesTest : public testing::Test {
 protected:
  std::unique_ptr<Token> Open() {
    auto token = Token::Open(place_.Config(), clock_);
    EXPECT_TRUE(token.has_value()) << token.error().message;
    return token.has_value() ? *std::move(token) : nullptr;
  }

  static std::chrono::microseconds RandomDelay() {
    std::array<std::uint8_t, 2> random{};
    base::RandomBytes(random);
    return std::chrono::microseconds((random[0] << 8 | random[1]) % 12'000);
  }

  // How many of `keys` the token can no longer use.
  static std::size_t Lost(Token& token, const std::vector<Locator>& keys) {
    std::size_t lost = 0;
    for (const Locator& locator : keys) {
      const auto checked =
          token.Execute(CheckKeyRequest{KeyRef{.locator = locator}});
      lost += checked.has_value() ? 0 : 1;
    }
    return lost;
  }

  static void CreateKeys(Token& token, Child& report, int count) {
    for (int i = 0; i < count; ++i) {
      const KeyRef key = NewKey();
      if (token.Execute(GenerateKeyRequest{key}).has_value()) {
        report.Report(key.locator);
      }
    }
  }

  fakes::SoftHsmToken place_;
  base::RealClock clock_;
};

// Without the lock the reader now and then destroys a key that the writer has
// been told is safe. Rare: TokenLockTest is what makes sure of the lock.
TEST_F(TokenProcessesTest, ReaderLosesNoKeyOfTheWriter) {
  constexpr int kKeys = 120;
  Child reader([&](Child&) {
    const auto token = Open();
    while (token->Execute(ListKeysRequest{}).has_value()) {
    }
  });
  Child writer([&](Child& self) { CreateKeys(*Open(), self, kKeys); });
  const auto created = writer.Reports();
  EXPECT_EQ(created.size(), kKeys);
  reader.Kill();
  const auto token = Open();
  ASSERT_NE(token, nullptr);
  EXPECT_EQ(Lost(*token, created), 0U);
}

TEST_F(TokenProcessesTest, WritersLoseNoKeyOfEachOther) {
  constexpr int kKeys = 100;
  Child one([&](Child& self) { CreateKeys(*Open(), self, kKeys); });
  Child two([&](Child& self) { CreateKeys(*Open(), self, kKeys); });
  auto created = one.Reports();
  const auto others = two.Reports();
  created.insert(created.end(), others.begin(), others.end());
  EXPECT_EQ(created.size(), 2 * kKeys);
  const auto token = Open();
  ASSERT_NE(token, nullptr);
  EXPECT_EQ(Lost(*token, created), 0U);
}

TEST_F(TokenProcessesTest, ProcessesThatStartTogetherAllFindTheToken) {
  constexpr int kRounds = 5;
  const auto body = [&](Child& self) { CreateKeys(*Open(), self, 1); };
  for (int round = 0; round < kRounds; ++round) {
    Child one(body);
    Child two(body);
    Child three(body);
    Child four(body);
    for (Child* child : {&one, &two, &three, &four}) {
      EXPECT_EQ(child->Reports().size(), 1U);
    }
  }
}

// The parent has the module open, so the other process must be the older one.
TEST_F(TokenProcessesTest, KeyOfAnotherProcessIsFoundAndItsEndIsSeen) {
  std::array<int, 2> go{};
  ASSERT_EQ(pipe(go.data()), 0);
  const auto wait = [&] {
    char word = 0;
    (void)!read(go[0], &word, 1);
  };
  const auto tell = [&] { (void)!write(go[1], "g", 1); };
  Child other([&](Child& self) {
    const auto token = Open();
    wait();
    const KeyRef key = NewKey();
    (void)token->Execute(GenerateKeyRequest{key});
    self.Report(key.locator);
    wait();
    (void)token->Execute(DestroyKeyRequest{key.locator});
    self.Report(key.locator);
  });
  const auto token = Open();
  ASSERT_NE(token, nullptr);
  tell();
  const KeyRef key{.locator = other.Report()};
  ASSERT_OK(token->Execute(CheckKeyRequest{key}));
  tell();
  other.Report();
  EXPECT_ERROR(token->Execute(CheckKeyRequest{key}), kNotFound);
}

// C_Login truncates token.object and writes it again. A kill in between leaves
// it empty: all keys lost, but for our copy.
TEST_F(TokenProcessesTest, KillWithinTheLoginDoesNotLoseTheToken) {
  const std::string path = place_.TokenDirectory() + "/token.object";
  Locator key;
  {
    Child maker([&](Child& self) { CreateKeys(*Open(), self, 1); });
    key = maker.Report();
  }
  for (int i = 0; i < 3; ++i) {
    Child victim([&](Child&) {
      kill_after_truncation = true;
      (void)Connection::Open(place_.Config());
    });
    EXPECT_EQ(victim.Wait(), SIGKILL);
    EXPECT_EQ(std::filesystem::file_size(path), 0U);
    Child next([&](Child& self) {
      if (Lost(*Open(), {key}) == 0) {
        self.Report(key);
      }
    });
    EXPECT_EQ(next.Reports().size(), 1U);
  }
}

TEST_F(TokenProcessesTest, KillsAtAnyTimeDoNotLoseTheToken) {
  Locator key;
  {
    Child maker([&](Child& self) { CreateKeys(*Open(), self, 1); });
    key = maker.Report();
  }
  for (int i = 0; i < 40; ++i) {
    Child victim([&](Child&) {
      while (Connection::Open(place_.Config()).has_value()) {
      }
    });
    victim.KillAfter(RandomDelay());
  }
  const auto token = Open();
  ASSERT_NE(token, nullptr);
  EXPECT_EQ(Lost(*token, {key}), 0U);
}

TEST_F(TokenProcessesTest, KillsDuringCreationLoseNoAcknowledgedKey) {
  std::vector<Locator> created;
  for (int i = 0; i < 30; ++i) {
    Child victim([&](Child& self) { CreateKeys(*Open(), self, 1'000'000); });
    created.push_back(victim.Report());
    victim.KillAfter(RandomDelay());
    const auto reports = victim.Reports();
    created.insert(created.end(), reports.begin(), reports.end());
  }
  const auto token = Open();
  ASSERT_NE(token, nullptr);
  EXPECT_EQ(Lost(*token, created), 0U);

  // What the kills left is reported, and stays.
  const auto listed = token->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  EXPECT_GE(listed->keys.size(), created.size());
  const auto again = token->Execute(ListKeysRequest{});
  ASSERT_OK(again);
  EXPECT_EQ(again->keys.size(), listed->keys.size());
}

}  // namespace
}  // namespace hsm::token
