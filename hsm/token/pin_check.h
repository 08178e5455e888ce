// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PIN_CHECK_H_
#define HSM_TOKEN_PIN_CHECK_H_

#include "base/result.h"
#include "base/secret.h"

namespace hsm::token {

// A PinCheck compares guesses with the PIN that a token was opened with. It
// keeps a digest of it, and asks no token. Move-only, not thread-safe.
class PinCheck {
 public:
  // Guesses in a row that may be wrong. A token would lock itself after as
  // many; whoever can ask a worker must not be able to try all PINs.
  static constexpr int kMaxWrong = 10;

  explicit PinCheck(const base::Secret& pin);

  // Whether `guess` is the PIN, in time that depends on its length only. Fails
  // with kLimitExceeded, right or wrong, after kMaxWrong wrong ones in a row.
  base::Result<bool> Check(const base::Secret& guess);

 private:
  base::Secret digest_;
  int wrong_ = 0;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_PIN_CHECK_H_
