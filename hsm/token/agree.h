// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_AGREE_H_
#define HSM_TOKEN_AGREE_H_

#include "hsm/messages.h"
#include "hsm/token/public_key.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// The x-coordinate of the private key `object` times the peer's point, as long
// as the field. Fails with kInvalidArgument if the key does not agree, and
// with kCorrupt if the token's answer cannot be a coordinate.
base::Result<base::Secret> Agree(Sessions& sessions, Algorithm algorithm,
                                 ObjectHandle object, const PublicKey& peer);

}  // namespace hsm::token

#endif  // HSM_TOKEN_AGREE_H_
