// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_PIN_H_
#define PKCS11_MODULE_PIN_H_

#include <optional>
#include <string_view>

#include "base/sigv4_signer.h"

namespace pkcs11::module {

// Session tokens are long.
inline constexpr std::size_t kMaxPinBytes = 8192;

// The access key that a user name and a PIN stand for:
//   "ACCESSKEYID:SECRET[:SESSIONTOKEN]"  without a user name and `configured`;
//   "SECRET[:SESSIONTOKEN]"              with one of them, which is the access
//                                        key id. The user name goes first.
// Nothing for what is none of these.
std::optional<base::SigV4Credentials> ReadPin(std::string_view user_name,
                                              std::string_view pin,
                                              std::string_view configured);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_PIN_H_
