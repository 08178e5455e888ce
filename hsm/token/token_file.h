// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_TOKEN_FILE_H_
#define HSM_TOKEN_TOKEN_FILE_H_

#include <string>

#include "base/bytes.h"
#include "base/result.h"

// Care for SoftHSM's token.object, the file that holds a token's label and the
// PIN-wrapped key of all its objects. Every C_Login, with a good PIN or a bad
// one, truncates it to nothing and then writes it again: a process killed in
// between leaves a token that SoftHSM no longer knows, all keys lost. So we
// keep a copy, "token.object.claviger", beside it (SoftHSM looks only at names
// that end in ".object", and deletes the whole directory with the token).
//
// Call these with the TokenLock held.
namespace hsm::token {

// Whether `content` is a whole token.object: SoftHSM's object format to its
// last byte, with the label, serial number, flags and both wrapped PIN keys.
bool IsTokenObject(base::ByteView content);

// CKA_OS_TOKENSERIAL of a whole token.object.
base::Result<std::string> TokenSerial(base::ByteView content);

// Puts the copy back wherever a token of `token_directory` has a token.object
// that is missing, empty or torn, and a good copy; logs a warning for each.
// Fails with kIo; a token without a copy is left as it is.
base::Status RestoreTokenFiles(const std::string& token_directory);

// Copies the token.object of the token with this serial number, durably
// (written beside, fsync, rename, fsync of the directory), unless the copy is
// already equal. Fails with kCorrupt if it is not whole, kNotFound if there is
// no such token, kIo.
base::Status BackUpTokenFile(const std::string& token_directory,
                             const std::string& serial);

}  // namespace hsm::token

#endif  // HSM_TOKEN_TOKEN_FILE_H_
