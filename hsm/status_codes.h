// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_STATUS_CODES_H_
#define HSM_STATUS_CODES_H_

#include <cstdint>
#include <optional>

#include "base/error_code.h"

namespace hsm {

// The status byte of a reply: 0 is success, every other number one ErrorCode.
// The numbers are part of docs/protocol/worker.md and never change, whatever
// becomes of the order of base::ErrorCode.
inline constexpr std::uint8_t kStatusOk = 0;

std::uint8_t StatusNumber(base::ErrorCode code);

// Nothing for a number that no ErrorCode has (0 included).
std::optional<base::ErrorCode> ErrorOfStatus(std::uint8_t number);

}  // namespace hsm

#endif  // HSM_STATUS_CODES_H_
