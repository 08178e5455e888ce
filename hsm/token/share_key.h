// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_SHARE_KEY_H_
#define HSM_TOKEN_SHARE_KEY_H_

#include "hsm/messages.h"
#include "hsm/token/key_maker.h"

// A wrapping key on its way from one token to another.
namespace hsm::token {

// ShareWrappingKeyRequest, on the source.
base::Result<ShareWrappingKeyReply> ShareWrappingKey(
    Workshop workshop, const ShareWrappingKeyRequest& request);

// ReceiveWrappingKeyRequest, on the target.
base::Status ReceiveWrappingKey(Workshop workshop,
                                const ReceiveWrappingKeyRequest& request);

}  // namespace hsm::token

#endif  // HSM_TOKEN_SHARE_KEY_H_
