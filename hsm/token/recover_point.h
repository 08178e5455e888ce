// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_RECOVER_POINT_H_
#define HSM_TOKEN_RECOVER_POINT_H_

#include "hsm/messages.h"
#include "hsm/token/public_key.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

// The public key of a private one that the token does not tell: `object` signs,
// and an ECDSA signature leaves few public keys possible (SEC 1, 4.1.6), of
// which a second signature leaves one. ECDH would not do: the x-coordinate of a
// product is the same for a point and its negative.
//
// `algorithm` is one that signs by ECDSA. Failures are those of signing;
// kCorrupt if no public key suits what the object signs.
base::Result<PublicKey> RecoverPublicKey(Sessions& sessions,
                                         Algorithm algorithm,
                                         ObjectHandle object);

}  // namespace hsm::token

#endif  // HSM_TOKEN_RECOVER_POINT_H_
