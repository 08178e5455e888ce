// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_IMPORT_H_
#define HSM_TOKEN_IMPORT_H_

#include "hsm/token/import_source.h"
#include "hsm/token/wrapped_keys.h"

namespace hsm::token {

// Makes a token object of wrapped key material (ImportKeyRequest), with the
// token object `wrapping_key`. It is first tried as a session object: what is
// no key, or not one for `request.key.algorithm`, never becomes a token object.
// Then as MakeKey and MakeKeyPair; or, if the request names a key to store it
// by, as WrappedKeys::Keep.
//
// kInvalidCiphertext may also be what a dead token says: the caller asks.
base::Result<ImportKeyReply> ImportKey(Workshop workshop,
                                       WrappedKeys& wrapped_keys,
                                       ObjectHandle wrapping_key,
                                       const ImportKeyRequest& request);

}  // namespace hsm::token

#endif  // HSM_TOKEN_IMPORT_H_
