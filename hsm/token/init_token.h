// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_INIT_TOKEN_H_
#define HSM_TOKEN_INIT_TOKEN_H_

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace hsm::token {

// Makes a SoftHSM token called `label` (1 to 32 bytes) in an uninitialised
// slot, with both PINs, durably. Never touches a token that exists. Fails with
// kUnsupportedOperation if the module is not SoftHSM, kAlreadyExists if a token
// has that label, kInvalidArgument (label, configuration), kAccessDenied (a PIN
// that SoftHSM does not take: 4 to 255 bytes), kIo.
base::Status InitSoftHsmToken(const std::string& module, std::string_view label,
                              const base::Secret& so_pin,
                              const base::Secret& user_pin);

}  // namespace hsm::token

#endif  // HSM_TOKEN_INIT_TOKEN_H_
