// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_DISPATCH_H_
#define HSM_DISPATCH_H_

#include "base/wiping.h"
#include "hsm/connection.h"
#include "hsm/frame.h"
#include "hsm/token/token.h"

namespace hsm {

// Executes the request in `frame` on `token` and appends the reply to `out`.
Outcome Dispatch(token::Token& token, const Frame& frame,
                 base::WipingBytes& out);

}  // namespace hsm

#endif  // HSM_DISPATCH_H_
