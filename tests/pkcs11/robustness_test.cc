// SPDX-License-Identifier: Apache-2.0
// Many threads, many signatures, and an end at any moment.
#include <gmock/gmock.h>
#include <openssl/ecdsa.h>
#include <openssl/x509.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "pkcs11/owners.h"
#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

using testing::AnyOf;
using testing::Eq;

constexpr std::size_t kHalf = 32;  // Bytes of r and of s on P-256.

CK_MECHANISM Plain(CK_MECHANISM_TYPE type) { return {type, nullptr, 0}; }

class RobustnessTest : public CryptokiTest {
 protected:
  RobustnessTest() {
    kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
    private_key_ = Find(CKO_PRIVATE_KEY, "ec");
    public_key_ = Find(CKO_PUBLIC_KEY, "ec");
  }

  // The first CK_RV of a signature in a session that is not CKR_OK.
  CK_RV SignIn(CK_SESSION_HANDLE session, base::ByteView digest,
               base::Bytes* signature) const {
    CK_MECHANISM mechanism = Plain(CKM_ECDSA);
    const CK_RV rv = C_SignInit(session, &mechanism, private_key_);
    if (rv != CKR_OK) {
      return rv;
    }
    signature->assign(2 * kHalf, 0);
    CK_ULONG size = signature->size();
    return C_Sign(session, Unconst(digest), digest.size(), signature->data(),
                  &size);
  }

  CK_RV VerifyIn(CK_SESSION_HANDLE session, base::ByteView digest,
                 base::ByteView signature) const {
    CK_MECHANISM mechanism = Plain(CKM_ECDSA);
    const CK_RV rv = C_VerifyInit(session, &mechanism, public_key_);
    if (rv != CKR_OK) {
      return rv;
    }
    return C_Verify(session, Unconst(digest), digest.size(), Unconst(signature),
                    signature.size());
  }

  CK_OBJECT_HANDLE private_key_;
  CK_OBJECT_HANDLE public_key_;
};

// Whether OpenSSL, which is not asked through the module, takes r and s for a
// signature of the digest by the key in `spki`.
bool OpensslVerifies(base::ByteView spki, base::ByteView digest,
                     base::ByteView signature) {
  const unsigned char* at = spki.data();
  const PkeyOwner key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  const EcdsaSignature parsed(ECDSA_SIG_new());
  ECDSA_SIG_set0(parsed.get(), BN_bin2bn(signature.data(), kHalf, nullptr),
                 BN_bin2bn(signature.data() + kHalf, kHalf, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parsed.get(), &der);
  const PkeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  const bool good =
      EVP_PKEY_verify_init(context.get()) == 1 &&
      EVP_PKEY_verify(context.get(), der, static_cast<std::size_t>(size),
                      digest.data(), digest.size()) == 1;
  OPENSSL_free(der);
  return good;
}

// One signature in 128 has an r or an s whose first byte is zero; a signer that
// drops it makes signatures that are sometimes wrong.
TEST_F(RobustnessTest, SignaturesWithShortNumbersAreWhole) {
  const base::Bytes spki = Value(public_key_, CKA_PUBLIC_KEY_INFO);
  int with_short_number = 0;
  for (int i = 0; i < 2000; ++i) {
    const base::Bytes digest =
        Hashed("SHA256", base::AsBytes(std::to_string(i)));
    base::Bytes signature;
    ASSERT_EQ(SignIn(session_, digest, &signature), CKR_OK);
    ASSERT_TRUE(OpensslVerifies(spki, digest, signature))
        << base::HexEncode(signature);
    ASSERT_EQ(VerifyIn(session_, digest, signature), CKR_OK);
    with_short_number += signature[0] == 0 || signature[kHalf] == 0 ? 1 : 0;
  }
  EXPECT_GT(with_short_number, 0);
}

TEST_F(RobustnessTest, EightThreadsSignAThousandTimesEach) {
  const base::Bytes digest(32, 0x5A);
  std::array<int, 8> good{};
  std::vector<std::thread> threads;
  threads.reserve(good.size());
  for (int& count : good) {
    threads.emplace_back([&] {
      const CK_SESSION_HANDLE session = Open();
      base::Bytes signature;
      for (int i = 0; i < 1000; ++i) {
        // Verified now and then: that takes longer than signing.
        count += SignIn(session, digest, &signature) == CKR_OK &&
                         (i % 50 != 0 ||
                          VerifyIn(session, digest, signature) == CKR_OK)
                     ? 1
                     : 0;
      }
      C_CloseSession(session);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(good, testing::Each(1000));
}

// PKCS#11 leaves it to callers not to share a session between threads. Who does
// it all the same gets errors, and never another one's signature.
TEST_F(RobustnessTest, ThreadsThatShareASessionGetErrorsAtWorst) {
  std::atomic<int> wrong = 0;
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      const base::Bytes digest(32, 0x11);
      base::Bytes signature;
      for (int i = 0; i < 200; ++i) {
        const CK_RV rv = SignIn(session_, digest, &signature);
        good += rv == CKR_OK ? 1 : 0;
        wrong += rv == CKR_OK || rv == CKR_OPERATION_ACTIVE ||
                         rv == CKR_OPERATION_NOT_INITIALIZED
                     ? 0
                     : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(good, 0);
}

TEST_F(RobustnessTest, SessionsMayCloseUnderOperationsOfOtherThreads) {
  std::atomic<bool> stop = false;
  std::thread closer([&] {
    while (!stop) {
      C_CloseAllSessions(0);
    }
  });
  const base::Bytes digest(32, 0x22);
  for (int i = 0; i < 200; ++i) {
    const CK_SESSION_HANDLE session = Open();
    base::Bytes signature;
    EXPECT_THAT(SignIn(session, digest, &signature),
                AnyOf(Eq(CKR_OK), Eq(CKR_SESSION_HANDLE_INVALID)));
  }
  stop = true;
  closer.join();
}

TEST_F(RobustnessTest, FinalizeMayComeBetweenTheCallsOfOtherThreads) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> unexpected = 0;
  for (int thread = 0; thread < 4; ++thread) {
    // Opened here: a thread may come to run when all is over.
    threads.emplace_back([&, session = Open()] {
      const base::Bytes digest(32, 0x33);
      base::Bytes signature;
      CK_RV rv = CKR_OK;
      while (rv == CKR_OK) {
        rv = SignIn(session, digest, &signature);
      }
      unexpected += rv == CKR_CRYPTOKI_NOT_INITIALIZED ? 0 : 1;
    });
  }
  while (kms_->Calls("Sign") < 100) {
    std::this_thread::yield();
  }
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(unexpected, 0);
  EXPECT_EQ(C_Finalize(nullptr), CKR_CRYPTOKI_NOT_INITIALIZED);
}

// OpenSSL has locks, and a child must not wait for one that a thread of its
// parent held. Digests are fetched by name, each child another one first.
TEST_F(RobustnessTest, ForksDoNotComeInTheMidstOfOpenssl) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's allocator may deadlock in such a child";
#endif
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  threads.reserve(2);
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&] {
      const CK_SESSION_HANDLE session = Open();
      CK_MECHANISM mechanism = Plain(CKM_SHA256);
      while (!stop) {
        C_DigestInit(session, &mechanism);
        C_DigestInit(session, nullptr);
      }
    });
  }
  constexpr std::array<CK_MECHANISM_TYPE, 4> kOthers = {CKM_SHA384, CKM_SHA512,
                                                        CKM_SHA_1, CKM_SHA224};
  for (std::size_t i = 0; i < 100; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      CK_MECHANISM mechanism = Plain(kOthers[i % kOthers.size()]);
      _exit(C_DigestInit(session_, &mechanism) == CKR_OK ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
}

// The leak check of the asan preset looks at what is left.
TEST_F(RobustnessTest, FinalizeEndsWhateverIsGoingOn) {
  kms_->AddKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "aes");
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "mac");
  clock_->Advance(std::chrono::hours(1));
  CK_MECHANISM ecdsa = Plain(CKM_ECDSA_SHA256);
  CK_MECHANISM envelope = Plain(CKM_KMS_ENVELOPE);
  CK_MECHANISM hmac = Plain(CKM_SHA256_HMAC);
  const CK_OBJECT_HANDLE aes = Find(CKO_SECRET_KEY, "aes");
  const CK_OBJECT_HANDLE mac = Find(CKO_SECRET_KEY, "mac");
  const base::Bytes part(100, 0x44);
  EXPECT_EQ(C_SignInit(session_, &ecdsa, private_key_), CKR_OK);
  EXPECT_EQ(C_SignUpdate(session_, Unconst(part), part.size()), CKR_OK);
  EXPECT_EQ(C_VerifyInit(session_, &hmac, mac), CKR_OK);
  EXPECT_EQ(C_VerifyUpdate(session_, Unconst(part), part.size()), CKR_OK);
  EXPECT_EQ(C_EncryptInit(session_, &envelope, aes), CKR_OK);
  CK_ULONG none = 0;
  EXPECT_EQ(
      C_EncryptUpdate(session_, Unconst(part), part.size(), nullptr, &none),
      CKR_OK);
  EXPECT_EQ(C_DecryptInit(session_, &envelope, aes), CKR_OK);
  EXPECT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_OK);
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
  EXPECT_EQ(C_SignFinal(session_, nullptr, &none),
            CKR_CRYPTOKI_NOT_INITIALIZED);
}

}  // namespace
}  // namespace pkcs11::module
