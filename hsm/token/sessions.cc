// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/sessions.h"

#include <utility>

namespace hsm::token {

base::Result<Sessions> Sessions::Open(const CK_FUNCTION_LIST& module,
                                      CK_SLOT_ID slot, const Quirks& quirks) {
  ASSIGN_OR_RETURN(Session anchor, Session::Open(module, slot));
  ASSIGN_OR_RETURN(Session working, Session::Open(module, slot));
  return Sessions(module, slot, quirks, std::move(anchor), std::move(working));
}

base::Result<Session*> Sessions::Working() {
  if (working_.spoiled()) {
    ASSIGN_OR_RETURN(working_, Session::Open(*module_, slot_));
  }
  return &working_;
}

}  // namespace hsm::token
