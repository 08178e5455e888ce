// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_TOML_H_
#define PKCS11_MODULE_TOML_H_

// Compiled in: the module brings its own, whatever the host has loaded.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#endif  // PKCS11_MODULE_TOML_H_
