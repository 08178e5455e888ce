// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_ERRORS_H_
#define PKCS11_ERRORS_H_

#include <string>

#include "base/error_code.h"
#include "pkcs11/p11_v3.h"

namespace pkcs11 {

// What an error of the KMS or of the way there is to the caller of a Cryptoki
// function that uses a key. Total. Never one of the *_HANDLE_INVALID for what
// may pass, such as a server that is down: callers would throw their handles
// away.
CK_RV RvOf(base::ErrorCode code);

// The same for functions that make, change or destroy objects, which may not
// return CKR_FUNCTION_REJECTED.
CK_RV RvOfObjectChange(base::ErrorCode code);

// "CKR_DEVICE_ERROR", or "CKR 0x..." for a value that we never return.
std::string RvName(CK_RV rv);

}  // namespace pkcs11

#endif  // PKCS11_ERRORS_H_
