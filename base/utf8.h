// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_UTF8_H_
#define BASE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace base {

// The length of the UTF-8 sequence at the front of `text`, 0 if there is none
// (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
std::size_t Utf8Length(std::string_view text);

// Whether all of `text` is UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace base

#endif  // BASE_UTF8_H_
