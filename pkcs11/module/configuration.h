// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CONFIGURATION_H_
#define PKCS11_MODULE_CONFIGURATION_H_

#include <string>

#include "kms/client/environment.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/module.h"

namespace pkcs11::module {

// Where to find one token, by the configuration.
struct TokenSettings {
  std::string label = "claviger";
  std::string endpoint;  // Empty: as the environment says.
  std::string region;    // Likewise.
  std::string ca_file;   // Likewise.
};

// Reads a configuration: a list of [[token]] with the members of TokenSettings.
// Fails with kInvalidArgument and "file:line: reason" for anything that is not
// understood.
base::Result<std::vector<TokenSettings>> ReadConfigurationFile(
    const std::string& path);

// The file to read: `told`, if it is not empty; else what
// CLAVIGER_PKCS11_CONFIG names; else that of the user or the system, if there
// is one; else none.
std::string FindConfigurationFile(const std::string& told,
                                  const kms::client::Environment& environment);

// What a Module is made of: the tokens of the configuration file or, without
// one, one token where the environment says. Asks no server. A configuration
// that cannot be used gives no tokens at all and a line in the log: never more
// than it meant to give.
Answer<Parts> Configure(const std::string& config_file);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CONFIGURATION_H_
