// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_CRYPTOKI_H_
#define HSM_TOKEN_CRYPTOKI_H_

// The one place of hsm/ that includes the PKCS#11 header, so that everyone sees
// the same names, and the one that says what a CK_RV means to us.
#include <p11-kit/pkcs11.h>

#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// PKCS#11 3.1 names that p11-kit 0.24's header lacks.
#define CKM_AES_KEY_WRAP_KWP (0x210BUL)
#define CKR_COPY_PROHIBITED (0x1AUL)
#define CKR_AEAD_DECRYPT_FAILED (0x42UL)

namespace hsm::token {

// An object on a token. Its value means nothing outside the process.
enum class ObjectHandle : CK_OBJECT_HANDLE {};

inline CK_OBJECT_HANDLE Raw(ObjectHandle handle) {
  return static_cast<CK_OBJECT_HANDLE>(handle);
}

// What `rv` means where no call site knows better. Total: a value that the
// standard does not name is kInternal.
base::ErrorCode CodeOf(CK_RV rv);

// Whether a failure with this code is the token's, whatever key it met: it says
// nothing of the key, nor of what the token can do.
bool IsOfToken(base::ErrorCode code);

// "CKR_DEVICE_ERROR (0x30)", or "CK_RV (0x...)" if the standard names it not.
std::string RvText(CK_RV rv);

// The Error of a failed `function`, say "C_Login", in the terms of CodeOf().
base::Error RvError(CK_RV rv, std::string_view function);

// Turns the return value of a module call into a Status.
base::Status Check(CK_RV rv, std::string_view function);

// Every row of the table behind CodeOf(), for tests.
struct RvMeaning {
  CK_RV rv;
  std::string_view name;
  base::ErrorCode code;
};
std::span<const RvMeaning> RvMeanings();

// Cryptoki takes pointers to non-const even for bytes that it only reads, and
// tokens take a null pointer for a size query or a bad argument: this one is
// never null.
CK_BYTE* Unconst(base::ByteView bytes);

// A blank-padded field of a CK_*_INFO.
std::string PaddedText(base::ByteView field);

}  // namespace hsm::token

#endif  // HSM_TOKEN_CRYPTOKI_H_
