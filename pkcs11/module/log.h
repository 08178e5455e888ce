// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_LOG_H_
#define PKCS11_MODULE_LOG_H_

#include <string_view>

namespace pkcs11::module {

// Writes one line to standard error, from any thread: the module lives in
// other people's programs, whose loggers it must not touch. Control characters
// are replaced, since a message may hold what the server sent. Never pass
// plaintext, a PIN or a signature's message.
void LogLine(std::string_view text);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_LOG_H_
