// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CONNECTION_H_
#define PKCS11_MODULE_CONNECTION_H_

#include <string>

#include "base/result.h"
#include "kms/client/environment.h"
#include "kms/client/options.h"
#include "pkcs11/module/settings.h"

// How what pkcs11.toml says becomes a connection.
namespace pkcs11::module {

// The file to read: `told`, if it is not empty; else what
// CLAVIGER_PKCS11_CONFIG names; else that of the user or the system, if there
// is one; else none.
std::string FindConfigurationFile(const std::string& told,
                                  const kms::client::Environment& environment);

// What to connect with: as the settings say and, for what they leave open, the
// environment and AWS's shared files. Fails with kInvalidArgument, and with kIo
// if a file cannot be read.
base::Result<kms::client::Options> OptionsOf(
    const TokenSettings& settings, const kms::client::Environment& environment);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CONNECTION_H_
