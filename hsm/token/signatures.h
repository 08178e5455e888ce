// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_SIGNATURES_H_
#define HSM_TOKEN_SIGNATURES_H_

#include "hsm/messages.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// Signs by the private key `object`. Fails with kInvalidArgument if the key
// does not sign by that scheme or the message is no digest of that hash, and
// with kCorrupt if the token's answer has the wrong size.
base::Result<base::Bytes> Sign(Sessions& sessions, ObjectHandle object,
                               const SignRequest& request);

}  // namespace hsm::token

#endif  // HSM_TOKEN_SIGNATURES_H_
