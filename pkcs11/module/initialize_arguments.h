// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_INITIALIZE_ARGUMENTS_H_
#define PKCS11_MODULE_INITIALIZE_ARGUMENTS_H_

#include <string>

#include "pkcs11/module/answer.h"

namespace pkcs11::module {

// What C_Initialize was told that matters to us.
struct InitializeArguments {
  std::string config_file;  // Empty: look for it.
};

// Reads C_Initialize's argument, which may be null. Fails with
// CKR_ARGUMENTS_BAD, or with CKR_CANT_LOCK if the caller insists on mutexes of
// its own. We always lock with the system's, whatever the flags say, because
// callers have been seen to tell less than the truth; and create no threads.
//
// The reserved pointer is null or "config=/path", as p11-kit passes it
// (x-init-reserved).
Answer<InitializeArguments> ReadInitializeArguments(const void* raw);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_INITIALIZE_ARGUMENTS_H_
