// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_LIFECYCLE_H_
#define PKCS11_MODULE_LIFECYCLE_H_

#include <memory>

#include "pkcs11/module/answer.h"
#include "pkcs11/module/module.h"

// What C_Initialize and C_Finalize, forks and the end of the process do to the
// one Module of this process.
//
// After a fork the child may go on as if nothing had happened (web servers do),
// unless the configuration is strict, or call C_Initialize, which succeeds and
// starts afresh. The connections of the parent are never written to by the
// child.
namespace pkcs11::module {

// Null before C_Initialize and after C_Finalize; also in a child that must
// initialise first (ForkMode::kStrict).
std::shared_ptr<Module> CurrentModule();

// Makes `module` the current one. Fails with CKR_CRYPTOKI_ALREADY_INITIALIZED
// if there is one that this process made.
Status Install(std::shared_ptr<Module> module);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_LIFECYCLE_H_
