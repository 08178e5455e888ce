// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_SESSIONS_H_
#define HSM_TOKEN_SESSIONS_H_

#include "base/result.h"
#include "hsm/token/ivs.h"
#include "hsm/token/quirks.h"
#include "hsm/token/session.h"

namespace hsm::token {

// Sessions are the two sessions of a worker. The *anchor* owns all session
// objects and stays open from login to the end: closing the last session of a
// process logs it out, and closing a session destroys its objects. Only calls
// that leave no operation behind go to it: making, deriving, copying,
// destroying, reading attributes. All others go to the *working* session, which
// is replaced after any failure.
//
// Not thread-safe. The module's functions must outlive it.
class Sessions {
 public:
  static constexpr int kCount = 2;

  static base::Result<Sessions> Open(const CK_FUNCTION_LIST& module,
                                     CK_SLOT_ID slot, const Quirks& quirks);

  Session& anchor() { return anchor_; }
  // Of the token.
  const Quirks& quirks() const { return *quirks_; }
  Ivs& ivs() { return ivs_; }

  // A session in which no operation is active. Valid until the next call.
  base::Result<Session*> Working();

 private:
  Sessions(const CK_FUNCTION_LIST& module, CK_SLOT_ID slot,
           const Quirks& quirks, Session anchor, Session working)
      : module_(&module),
        slot_(slot),
        quirks_(&quirks),
        anchor_(std::move(anchor)),
        working_(std::move(working)) {}

  const CK_FUNCTION_LIST* module_;
  CK_SLOT_ID slot_;
  const Quirks* quirks_;
  Ivs ivs_;
  Session anchor_;
  Session working_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_SESSIONS_H_
