// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/ivs.h"

namespace hsm::token {

using base::Error;
using base::ErrorCode;

base::Status Ivs::Note(ObjectHandle key, const Iv& iv) {
  if (iv == Iv{}) {
    return Error{ErrorCode::kCorrupt,
                 "the token, which makes the IVs, left one all zeros"};
  }
  Iv* const last = last_.Find(key);
  if (last == nullptr) {
    last_.Insert(key, iv);
    return {};
  }
  if (*last == iv) {
    return Error{ErrorCode::kCorrupt,
                 "the token made the same IV twice for one key"};
  }
  *last = iv;
  return {};
}

}  // namespace hsm::token
