// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_DISPATCH_H_
#define HSM_DISPATCH_H_

#include <cstdint>

#include "base/wiping.h"
#include "hsm/frame.h"
#include "hsm/token/token.h"

namespace hsm {

enum class Outcome : std::uint8_t {
  kReplied,    // Success or failure: the reply is appended.
  kTokenGone,  // The reply, kHsmUnavailable, is appended; nothing more works.
  kMalformed   // Not a request: no reply.
};

// Executes the request in `frame` on `token` and appends the reply to `out`.
Outcome Dispatch(token::Token& token, const Frame& frame,
                 base::WipingBytes& out);

}  // namespace hsm

#endif  // HSM_DISPATCH_H_
