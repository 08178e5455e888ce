// SPDX-License-Identifier: Apache-2.0
// The provider in processes of many threads and many children, and at their
// end.
#include <gmock/gmock.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <latch>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include "pkcs11/openssl/shim.h"
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

TEST_F(ProcessTest, AThreadThatIsCancelledFinishesItsCall) {
  const PkeyOwner key =
      host_->Load(NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key"));
  base::Bytes signature;
  std::thread cancelled([&] {
    pthread_cancel(pthread_self());
    signature = Sign(host_->library(), key.get(), "SHA256", sample);
  });
  cancelled.join();
  EXPECT_TRUE(Verifies(PublicKey("key").get(), "SHA256", sample, signature));
}

// A HeldUp is a place where the host waits until the test says.
struct HeldUp {
  std::latch reached{1};
  std::latch released{1};

  void Wait() {
    if (!reached.try_wait()) {
      reached.count_down();
    }
    released.wait();
  }
};

// Whether a child can be made meanwhile.
bool MayForkWhile(HeldUp& held, const std::function<void()>& body) {
  std::thread host(body);
  held.reached.wait();
  auto forked = std::async(std::launch::async, [] {
    const pid_t child = fork();
    if (child == 0) {
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  });
  const bool done =
      forked.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  held.released.count_down();
  host.join();
  return done;
}

TEST_F(ProcessTest, AForkDoesNotWaitForWhatTheHostReads) {
  if (!MayFork()) {
    GTEST_SKIP() << "the sanitizer may deadlock in a child";
  }
  const std::unique_ptr<BIO_METHOD, OpensslFree<BIO_meth_free>> method(
      BIO_meth_new(BIO_TYPE_SOURCE_SINK, "a pipe without a writer"));
  BIO_meth_set_read(method.get(), [](BIO* bio, char*, int) {
    static_cast<HeldUp*>(BIO_get_data(bio))->Wait();
    return 0;
  });
  BIO_meth_set_gets(method.get(), [](BIO* bio, char*, int) {
    static_cast<HeldUp*>(BIO_get_data(bio))->Wait();
    return 0;
  });
  BIO_meth_set_ctrl(method.get(), [](BIO*, int, long, void*) { return 0L; });
  for (const char* const form : {"PEM", "DER"}) {
    HeldUp held;
    const std::unique_ptr<BIO, OpensslFree<BIO_free_all>> bio(
        BIO_new(method.get()));
    BIO_set_data(bio.get(), &held);
    BIO_set_init(bio.get(), 1);
    EXPECT_TRUE(MayForkWhile(held, [&] {
      EVP_PKEY* key = nullptr;
      const DecoderContext decoder(
          OSSL_DECODER_CTX_new_for_pkey(&key, form, nullptr, nullptr, 0,
                                        host_->library(), "provider=claviger"));
      OSSL_DECODER_from_bio(decoder.get(), bio.get());
    })) << form;
  }
  ERR_clear_error();
}

TEST_F(ProcessTest, AForkDoesNotWaitForTheHostsOwnFunctions) {
  if (!MayFork()) {
    GTEST_SKIP() << "the sanitizer may deadlock in a child";
  }
  const PkeyOwner key =
      host_->Load(NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key"));
  HeldUp held;
  EXPECT_TRUE(MayForkWhile(held, [&] {
    EVP_PKEY_export(
        key.get(), EVP_PKEY_PUBLIC_KEY,
        [](const OSSL_PARAM*, void* argument) {
          static_cast<HeldUp*>(argument)->Wait();
          return 1;
        },
        &held);
  }));
}

int Throws() { throw std::runtime_error("none is expected here"); }
int HasNoMemory() { throw std::bad_alloc(); }

TEST_F(ProcessTest, WhatIsThrownBecomesAnError) {
  EXPECT_EQ(Shim<&Throws>::Call(), 0);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), ERR_R_INTERNAL_ERROR);
  ERR_clear_error();
  EXPECT_EQ(Shim<&HasNoMemory>::Call(), 0);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), ERR_R_MALLOC_FAILURE);
  ERR_clear_error();
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
