// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_LIVE_KMS_H_
#define PKCS11_OPENSSL_LIVE_KMS_H_

#include <memory>

#include "pkcs11/kms.h"

// What of the provider a fork has to know. Keys keep their Kms whatever became
// of the provider, so it is not enough to go through the providers.
namespace pkcs11::openssl {

// Until it is destroyed, `kms` is one of those that TellChild() tells. Both
// happen inside the fork gate (fork_gate.h). Safe to call from any thread.
std::shared_ptr<Kms> WatchKms(std::unique_ptr<Kms> kms);

// In a child process, while pthread_atfork()'s handlers run: tells every Kms
// that is alive. Takes no lock: with the gate closed nobody is at the list.
void TellChild();

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_LIVE_KMS_H_
