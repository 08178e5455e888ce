// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_EXTERNAL_CIPHER_H_
#define HSM_TOKEN_EXTERNAL_CIPHER_H_

#include "hsm/messages.h"
#include "hsm/token/sessions.h"
#include "hsm/token/xaes.h"

// AES-256-GCM as the XKS proxy API wants it (v1.0.3, Encrypt and Decrypt): the
// AAD binds the metadata, and says how long both are. docs/protocol/xks.md has
// the formats of our metadata:
//   3 || version u32 || P12   kXaes256Gcm: the message key is derived with P12,
//                             as of XAES-256-GCM; the IV is its other half
//   1 || version u32          kAes256GcmCounter: the key itself, a random IV,
//                             and somebody who counts how often
namespace hsm::token {

// `object` is the key of the request. Errors are those of xaes.h and gcm.h;
// kCorrupt if what was made does not open, or does not open to what went in;
// kInvalidArgument if the AAD is too long.
base::Result<SealExternalReply> SealExternal(
    Sessions& sessions, Xaes& xaes, ObjectHandle object,
    const SealExternalRequest& request);
base::Result<base::Secret> OpenExternal(Sessions& sessions, Xaes& xaes,
                                        ObjectHandle object,
                                        const OpenExternalRequest& request);

}  // namespace hsm::token

#endif  // HSM_TOKEN_EXTERNAL_CIPHER_H_
