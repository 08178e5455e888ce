// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <openssl/evp.h>

#include <array>

namespace base {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

constexpr std::uint8_t kNotBase64 = 0xFF;

constexpr std::array<std::uint8_t, 256> MakeBase64Values() {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotBase64);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] =
        static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kBase64Values = MakeBase64Values();

Error NotBase64() {
  return {ErrorCode::kInvalidArgument,
          "not base64 of RFC 4648 section 4 (standard alphabet, padded)"};
}

std::size_t PaddingOf(std::string_view text) {
  if (text.empty() || text.back() != '=') {
    return 0;
  }
  return text[text.size() - 2] == '=' ? 2 : 1;
}

// The decoded size, if `text` has the form of base64 as far as length and
// padding tell.
Result<std::size_t> DecodedSize(std::string_view text) {
  if (text.size() % 4 != 0) {
    return NotBase64();
  }
  return text.size() / 4 * 3 - PaddingOf(text);
}

// Decodes into `out`, whose size is DecodedSize(text). A padding character
// counts as zero bits; everything else foreign is gathered in `bad` and judged
// at the end, so the loop has no early exit.
Status DecodeInto(std::string_view text, std::span<std::uint8_t> out) {
  const std::size_t padding = PaddingOf(text);
  unsigned bad = 0;
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const bool pad = i + k >= text.size() - padding;
      const std::uint8_t value =
          pad ? 0 : kBase64Values[static_cast<unsigned char>(text[i + k])];
      bad |= value & 0xC0U;
      group = group << 6 | (value & 0x3FU);
    }
    for (int shift = 16; shift >= 0; shift -= 8) {
      const auto byte = static_cast<std::uint8_t>(group >> shift);
      if (written < out.size()) {
        out[written++] = byte;
      } else {
        bad |= byte;  // Unused bits of the last character.
      }
    }
  }
  if (bad != 0) {
    return NotBase64();
  }
  return {};
}

}  // namespace

ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string HexEncode(ByteView bytes) {
  std::string text;
  HexAppend(bytes, text);
  return text;
}

void HexAppend(ByteView bytes, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + bytes.size() * 2);
  char* digit = out.data() + start;
  for (const std::uint8_t byte : bytes) {
    *digit++ = kHexDigits[byte >> 4];
    *digit++ = kHexDigits[byte & 0x0F];
  }
}

Result<Bytes> HexDecode(std::string_view text) {
  if (text.size() % 2 != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 "hexadecimal text has an odd number of digits"};
  }
  Bytes bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = HexValue(text[2 * i]);
    const int low = HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return Error{ErrorCode::kInvalidArgument,
                   "hexadecimal text holds another character"};
    }
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return bytes;
}

std::string Base64Encode(ByteView bytes) {
  // EVP_EncodeBlock ends its output with a NUL.
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                  static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

void Base64Append(ByteView bytes, WipingString& out) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4 + 1);
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + start),
                  bytes.data(), static_cast<int>(bytes.size()));
  out.pop_back();
}

Result<Bytes> Base64Decode(std::string_view text) {
  ASSIGN_OR_RETURN(const std::size_t size, DecodedSize(text));
  Bytes bytes(size);
  RETURN_IF_ERROR(DecodeInto(text, bytes));
  return bytes;
}

Result<Secret> Base64DecodeSecret(std::string_view text) {
  ASSIGN_OR_RETURN(const std::size_t size, DecodedSize(text));
  Secret secret(size);
  RETURN_IF_ERROR(DecodeInto(text, secret.Reveal()));
  return secret;
}

}  // namespace base
