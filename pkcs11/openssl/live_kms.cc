// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/live_kms.h"

#include <mutex>
#include <vector>

namespace pkcs11::openssl {
namespace {

constinit std::mutex mutex;
// Guarded by mutex. Never destroyed: keys may go after static objects.
constinit std::vector<Kms*>* live = nullptr;

void Forget(Kms* kms) {
  const std::lock_guard lock(mutex);
  std::erase(*live, kms);
}

}  // namespace

std::shared_ptr<Kms> WatchKms(std::unique_ptr<Kms> kms) {
  {
    const std::lock_guard lock(mutex);
    if (live == nullptr) {
      live = new std::vector<Kms*>;
    }
    live->push_back(kms.get());
  }
  return {kms.release(), [](Kms* gone) {
            Forget(gone);
            delete gone;
          }};
}

void TellChild() {
  if (live == nullptr) {
    return;
  }
  for (Kms* const kms : *live) {
    kms->AfterForkInChild();
  }
}

}  // namespace pkcs11::openssl
