// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/pin_check.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

base::Secret DigestOf(const base::Secret& pin) {
  return base::Secret::CopyOf(
      base::ByteView(base::ThreadHasher().Sha256(pin.Reveal())));
}

}  // namespace

PinCheck::PinCheck(const base::Secret& pin) : digest_(DigestOf(pin)) {}

base::Result<bool> PinCheck::Check(const base::Secret& guess) {
  if (wrong_ >= kMaxWrong) {
    return Error{ErrorCode::kLimitExceeded,
                 "too many wrong PINs in a row: restart the worker to have "
                 "them checked again"};
  }
  const base::Secret digest = DigestOf(guess);
  const bool is_right =
      base::ConstantTimeEqual(digest.Reveal(), digest_.Reveal());
  wrong_ = is_right ? 0 : wrong_ + 1;
  return is_right;
}

}  // namespace hsm::token
