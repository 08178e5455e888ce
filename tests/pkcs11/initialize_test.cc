// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

#include "pkcs11/module/initialize_arguments.h"
#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

CK_RV NoMutex(void**) { return CKR_OK; }
CK_RV NoMutexUse(void*) { return CKR_OK; }

CK_RV RvOfReading(const void* raw) {
  const auto arguments = ReadInitializeArguments(raw);
  return arguments.has_value() ? CKR_OK : arguments.error().rv;
}

TEST(InitializeArgumentsTest, MutexesAreAllOrNone) {
  EXPECT_EQ(RvOfReading(nullptr), CKR_OK);
  CK_C_INITIALIZE_ARGS arguments = {};
  EXPECT_EQ(RvOfReading(&arguments), CKR_OK);
  arguments.flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS;
  EXPECT_EQ(RvOfReading(&arguments), CKR_OK);
  arguments.CreateMutex = NoMutex;
  EXPECT_EQ(RvOfReading(&arguments), CKR_ARGUMENTS_BAD);
  arguments.DestroyMutex = NoMutexUse;
  arguments.LockMutex = NoMutexUse;
  EXPECT_EQ(RvOfReading(&arguments), CKR_ARGUMENTS_BAD);
  arguments.UnlockMutex = NoMutexUse;
  EXPECT_EQ(RvOfReading(&arguments), CKR_OK);
  arguments.flags = 0;
  EXPECT_EQ(RvOfReading(&arguments), CKR_CANT_LOCK);
}

TEST(InitializeArgumentsTest, ReservedIsNullOrNamesAFile) {
  CK_C_INITIALIZE_ARGS arguments = {};
  char good[] = "config=/etc/here.toml";
  arguments.pReserved = good;
  const auto read = ReadInitializeArguments(&arguments);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->config_file, "/etc/here.toml");
  char other[] = "configdir=/etc";
  char empty[] = "config=";
  for (void* reserved :
       {reinterpret_cast<void*>(1), reinterpret_cast<void*>(0xFFFF),
        static_cast<void*>(other), static_cast<void*>(empty)}) {
    arguments.pReserved = reserved;
    EXPECT_EQ(RvOfReading(&arguments), CKR_ARGUMENTS_BAD);
  }
}

// What a child of this process returns from `work`.
template <typename Work>
CK_RV InChild(const Work& work) {
  const pid_t child = fork();
  if (child == 0) {
    // Only the low byte fits.
    _exit(static_cast<int>(work() & 0xFFU));
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return static_cast<CK_RV>(WEXITSTATUS(status));
}

TEST(InitializeTest, AThreadThatIsCancelledFinishesItsCall) {
  char file[] = "config=/absent/pkcs11.toml";
  CK_C_INITIALIZE_ARGS arguments = {};
  arguments.pReserved = file;
  CK_RV rv = CKR_GENERAL_ERROR;
  std::thread cancelled([&] {
    pthread_cancel(pthread_self());
    rv = C_Initialize(&arguments);  // Opens a file.
  });
  cancelled.join();
  EXPECT_EQ(rv, CKR_OK);
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
}

class ForkTest : public CryptokiTest {
 protected:
  ForkTest() {
    kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
    key_ = Find(CKO_PRIVATE_KEY, "ec");
  }
  CK_RV SignOnce() const {
    base::Bytes signature;
    return Sign({CKM_ECDSA, nullptr, 0}, key_, base::Bytes(32, 1), &signature);
  }

  CK_OBJECT_HANDLE key_;
};

TEST_F(ForkTest, InitializingTwiceIsRefused) {
  EXPECT_EQ(C_Initialize(nullptr), CKR_CRYPTOKI_ALREADY_INITIALIZED);
  EXPECT_EQ(SignOnce(), CKR_OK);
}

TEST_F(ForkTest, TheChildGoesOnWithoutInitializing) {
  EXPECT_EQ(InChild([this] { return SignOnce(); }), CKR_OK);
  EXPECT_EQ(SignOnce(), CKR_OK);
}

TEST_F(ForkTest, TheChildStartsAfreshIfItInitializes) {
  EXPECT_EQ(InChild([this]() -> CK_RV {
              if (const CK_RV rv = C_Initialize(nullptr); rv != CKR_OK) {
                return rv;
              }
              CK_SESSION_INFO info;
              return C_GetSessionInfo(session_, &info);
            }),
            CKR_SESSION_HANDLE_INVALID & 0xFFU);
  EXPECT_EQ(SignOnce(), CKR_OK);
}

TEST_F(ForkTest, TheChildMayFinalizeAndTheParentSigns) {
  EXPECT_EQ(InChild([] { return C_Finalize(nullptr); }), CKR_OK);
  EXPECT_EQ(SignOnce(), CKR_OK);
}

}  // namespace
}  // namespace pkcs11::module
