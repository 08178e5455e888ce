// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_BYTES_H_
#define BASE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/wiping.h"

namespace base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// Views text as bytes and bytes as text. The view borrows.
ByteView AsBytes(std::string_view text);
std::string_view AsText(ByteView bytes);

// Lower-case hexadecimal. Decoding takes either case and fails with
// kInvalidArgument on an odd length or another character.
std::string HexEncode(ByteView bytes);
void HexAppend(ByteView bytes, std::string& out);
Result<Bytes> HexDecode(std::string_view text);

// Base64 of RFC 4648 section 4 (standard alphabet, padded). Decoding is strict:
// no white space, no missing or misplaced padding, and the unused bits of the
// last character must be zero, so that one value has one spelling. Fails with
// kInvalidArgument. The time depends on the length only where it succeeds.
std::string Base64Encode(ByteView bytes);
void Base64Append(ByteView bytes, WipingString& out);
Result<Bytes> Base64Decode(std::string_view text);
Result<Secret> Base64DecodeSecret(std::string_view text);

}  // namespace base

#endif  // BASE_BYTES_H_
