// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_H_
#define BASE_JSON_H_

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/wiping.h"

namespace base {

// The JSON of requests, which may hold plaintext: strings and containers are
// overwritten when released. So is what ParseJson() is reading, which it reads
// with a scanner of its own: nlohmann's keeps a copy that it does not wipe.
//
// Objects iterate in the order of their keys' UTF-8 bytes.
using Json =
    nlohmann::basic_json<std::map, std::vector, WipingString, bool,
                         std::int64_t, std::uint64_t, double, WipingAllocator>;

// Parses one JSON text of RFC 8259. Stricter than most: an object that names a
// key twice is refused (two readers could disagree on its meaning), and so is
// nesting deeper than 32. Fails with kSerialization and the byte where.
Result<Json> ParseJson(std::string_view text);

// Views a string value; the caller has checked that it is one.
std::string_view TextOf(const Json& value);

// Appends `text` as the inside of a JSON string (without the quotes). Bytes
// that are not UTF-8 become U+FFFD, so that the result is always JSON.
void AppendJsonEscaped(std::string_view text, WipingString& out);

}  // namespace base

#endif  // BASE_JSON_H_
