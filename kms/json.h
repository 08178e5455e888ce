// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_JSON_H_
#define KMS_JSON_H_

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "base/wiping.h"

namespace kms {

// The JSON of requests, which may hold plaintext: strings and containers are
// overwritten when released. nlohmann's lexer keeps the token that it is
// reading in a buffer of its own, which is not; see docs/mistakes.md.
using Json =
    nlohmann::basic_json<std::map, std::vector, base::WipingString, bool,
                         std::int64_t, std::uint64_t, double,
                         base::WipingAllocator>;

}  // namespace kms

#endif  // KMS_JSON_H_
