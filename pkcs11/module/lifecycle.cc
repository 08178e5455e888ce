// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/lifecycle.h"

#include <openssl/crypto.h>
#include <unistd.h>

#include <utility>

#include "pkcs11/module/configuration.h"
#include "pkcs11/module/functions.h"
#include "pkcs11/module/initialize_arguments.h"
#include "pkcs11/module/log.h"
#include "pkcs11/module/state_lock.h"

namespace pkcs11::module {
namespace {

using Owner = std::shared_ptr<Module>;

// Never destroyed: the host may call us while its static objects go.
Owner& Current() {
  static Owner& current = *new Owner;
  return current;
}

bool IsInitialized(const StateLock&) {
  return Current() != nullptr && Current()->owner() == getpid();
}

// Lets go of a module. After OPENSSL_cleanup nothing of OpenSSL may be freed:
// then it stays, until the process is gone.
void Release(Owner module) {
  if (OPENSSL_init_crypto(0, nullptr) != 1) {
    static Owner& leaked = *new Owner;
    leaked = std::move(module);
  }
}

}  // namespace

Owner CurrentModule() {
  const StateLock lock;
  return Current() != nullptr && Current()->IsOurs() ? Current() : nullptr;
}

Status Install(Owner module) {
  WatchForks([](const StateLock& lock) {
    if (Current() != nullptr) {
      Current()->AfterForkInChild(lock);
    }
  });
  Owner inherited;
  {
    const StateLock lock;
    if (IsInitialized(lock)) {
      return Failure(CKR_CRYPTOKI_ALREADY_INITIALIZED);
    }
    inherited = std::exchange(Current(), std::move(module));
  }
  Release(std::move(inherited));
  return {};
}

Status Initialize(void* raw) {
  ASSIGN_OR_FAIL(const InitializeArguments arguments,
                 ReadInitializeArguments(raw));
  {
    const StateLock lock;
    if (IsInitialized(lock)) {
      return Failure(CKR_CRYPTOKI_ALREADY_INITIALIZED);
    }
  }
  // Whatever uses OpenSSL first makes it read its configuration, which may load
  // a provider or engine that initialises this very module: so that happens
  // here, with no lock held, and Install() looks again.
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  ASSIGN_OR_FAIL(Parts parts, Configure(arguments.config_file));
  return Install(std::make_shared<Module>(std::move(parts)));
}

Status Finalize(void* reserved) {
  if (reserved != nullptr) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  Owner module;
  {
    const StateLock lock;
    module = std::exchange(Current(), nullptr);
  }
  const bool is_ours = module != nullptr && module->IsOurs();
  Release(std::move(module));
  if (!is_ours) {
    return Failure(CKR_CRYPTOKI_NOT_INITIALIZED);
  }
  return {};
}

}  // namespace pkcs11::module
