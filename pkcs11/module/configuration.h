// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CONFIGURATION_H_
#define PKCS11_MODULE_CONFIGURATION_H_

#include <string>

#include "kms/client/endpoint.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/module.h"
#include "pkcs11/module/settings.h"

namespace pkcs11::module {

// What the server at `endpoint` is taken for.
Backend BackendAt(const kms::client::Endpoint& endpoint);

// What a Module is made of: the tokens of the configuration file or, without
// one, one token where the environment says. Asks no server. A configuration
// that cannot be used gives no tokens at all and a line on standard error and
// in the system's log: never more than it meant to give.
Answer<Parts> Configure(const std::string& config_file);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CONFIGURATION_H_
