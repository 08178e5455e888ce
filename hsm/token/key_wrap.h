// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_KEY_WRAP_H_
#define HSM_TOKEN_KEY_WRAP_H_

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

// AES key wrap with padding (RFC 5649) in this process: for what a token cannot
// unwrap, and to find out what it can.
namespace hsm::token {

// Fails with kInvalidCiphertext, whatever is wrong, also with the length of the
// wrapping key.
base::Result<base::Secret> UnwrapRfc5649(base::ByteView wrapping_key,
                                         base::ByteView wrapped);

// kInternal if OpenSSL cannot.
base::Result<base::Bytes> WrapRfc5649(base::ByteView wrapping_key,
                                      base::ByteView key);

}  // namespace hsm::token

#endif  // HSM_TOKEN_KEY_WRAP_H_
