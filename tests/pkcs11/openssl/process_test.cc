// SPDX-License-Identifier: Apache-2.0
// The provider in processes of many threads and many children, and at their
// end.
#include <gmock/gmock.h>
#include <openssl/crypto.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "tests/pkcs11/openssl/provider_testing.h"

namespace pkcs11::openssl {
namespace {

const base::Bytes sample = {'m'};

class ProcessTest : public ProviderTest {
 protected:
  // The allocator of g++ 12's address sanitizer does not take its locks for a
  // fork: a child waits for ever for one that a thread of the server held.
  static bool MayFork() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
  }

  // How a child ends that does this.
  static int InChild(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) {
      _exit(body());
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  bool Signs(EVP_PKEY* key, EVP_PKEY* plain) {
    return Verifies(plain, "SHA256", sample,
                    Sign(host_->library(), key, "SHA256", sample));
  }
};

TEST_F(ProcessTest, EightThreadsShareAKey) {
  constexpr int kThreads = 8;
  constexpr int kSignatures = 500;
  const std::string uri = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  const PkeyOwner shared = host_->Load(uri);
  const PkeyOwner plain = PublicKey("key");
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      // Some load a key of their own, all at once.
      const PkeyOwner own = host_->Load(uri);
      for (int n = 0; n < kSignatures; ++n) {
        good += Signs(n % 2 == 0 ? shared.get() : own.get(), plain.get());
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good.load(), kThreads * kSignatures) << Errors();
}

TEST_F(ProcessTest, EightChildrenAndTheirParentSign) {
  if (!MayFork()) {
    GTEST_SKIP() << "the sanitizer may deadlock in a child";
  }
  const PkeyOwner key =
      host_->Load(NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key"));
  const PkeyOwner plain = PublicKey("key");
  // So that there is a connection to inherit.
  ASSERT_TRUE(Signs(key.get(), plain.get()));
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(fork());
    if (children.back() == 0) {
      int good = 0;
      for (int n = 0; n < 20; ++n) {
        good += Signs(key.get(), plain.get());
      }
      _exit(good == 20 ? 0 : 1);
    }
    EXPECT_TRUE(Signs(key.get(), plain.get()));
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(Signs(key.get(), plain.get()));
}

// How many sockets this process has.
int Sockets() {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // The folder's own.
    const auto target = std::filesystem::read_symlink(entry, gone);
    count += target.string().starts_with("socket:") ? 1 : 0;
  }
  return count;
}

TEST_F(ProcessTest, AChildHasNoConnectionOfItsParent) {
  if (!MayFork()) {
    GTEST_SKIP() << "the sanitizer may deadlock in a child";
  }
  const std::string uri = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  const PkeyOwner plain = PublicKey("key");
  const auto child_has = [&] {
    const int before = Sockets();
    return before - InChild([] { return Sockets(); });
  };
  EXPECT_EQ(child_has(), 0);
  const PkeyOwner key = host_->Load(uri);
  const PkeyOwner other = host_->Load(uri + "?region=eu-west-1");
  EXPECT_EQ(child_has(), 2);
  // Keys call the KMS also when their provider is gone.
  host_->Unload();
  EXPECT_EQ(child_has(), 2);
}

TEST_F(ProcessTest, AHundredCyclesOfLoadingSigningAndFreeing) {
  const std::string uri = NewKey("RSA_2048", "SIGN_VERIFY", "key");
  const PkeyOwner plain = PublicKey("key");
  for (int i = 0; i < 100; ++i) {
    const PkeyOwner key = host_->Load(uri);
    ASSERT_TRUE(Signs(key.get(), plain.get())) << Errors();
  }
  for (int i = 0; i < 20; ++i) {
    host_ = nullptr;
    host_ = std::make_unique<Host>();
    ASSERT_TRUE(Signs(host_->Load(uri).get(), plain.get()));
  }
}

TEST_F(ProcessTest, AKeyMayOutliveItsProvider) {
  PkeyOwner key = host_->Load(NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key"));
  host_->Unload();
  const PkeyOwner plain = PublicKey("key");
  EXPECT_EQ(EVP_PKEY_eq(key.get(), plain.get()), 1);
  key = nullptr;
}

TEST_F(ProcessTest, AKeyMayOutliveOpenssl) {
  if (!MayFork()) {
    GTEST_SKIP() << "the sanitizer may deadlock in a child";
  }
  const std::string uri = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  PkeyOwner key = host_->Load(uri);
  ASSERT_TRUE(Signs(key.get(), PublicKey("key").get()));
  EXPECT_EQ(InChild([&] {
              OPENSSL_cleanup();
              key = nullptr;
              return 7;
            }),
            7);
  EXPECT_EQ(InChild([&] {
              host_->Unload();
              OPENSSL_cleanup();
              return 7;
            }),
            7);
  EXPECT_TRUE(Signs(key.get(), PublicKey("key").get()));
}

}  // namespace
}  // namespace pkcs11::openssl
