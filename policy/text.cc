// SPDX-License-Identifier: Apache-2.0
#include "policy/text.h"

#include <algorithm>

#include "policy/glob.h"

namespace policy {
namespace {

// Lowest and highest second byte of a sequence that starts with `first`.
struct SecondByte {
  unsigned low;
  unsigned high;
};

SecondByte SecondByteAfter(unsigned first) {
  switch (first) {
    case 0xE0:
      return {0xA0, 0xBF};
    case 0xED:
      return {0x80, 0x9F};
    case 0xF0:
      return {0x90, 0xBF};
    case 0xF4:
      return {0x80, 0x8F};
    default:
      return {0x80, 0xBF};
  }
}

std::size_t LengthFromFirst(unsigned first) {
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xC2 || first > 0xF4) {
    return 0;
  }
  if (first < 0xE0) {
    return 2;
  }
  return first < 0xF0 ? 3 : 4;
}

// Bytes for a glob's pattern without escapes or variables.
class PlainPattern {
 public:
  explicit PlainPattern(std::string_view text) : text_(text) {}
  std::size_t size() const { return text_.size(); }
  GlobUnit operator[](std::size_t i) const {
    const char c = text_[i];
    if (c == '*') {
      return kAnyRun;
    }
    return c == '?' ? kAnyOne : LiteralUnit(c);
  }

 private:
  std::string_view text_;
};

}  // namespace

std::size_t Utf8Length(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const unsigned first = static_cast<unsigned char>(text.front());
  const std::size_t length = LengthFromFirst(first);
  if (length == 0 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned byte = static_cast<unsigned char>(text[i]);
    const SecondByte range =
        i == 1 ? SecondByteAfter(first) : SecondByte{0x80, 0xBF};
    if (byte < range.low || byte > range.high) {
      return 0;
    }
  }
  return length;
}

bool IsLatin1Text(std::string_view text) {
  while (!text.empty()) {
    const unsigned first = static_cast<unsigned char>(text.front());
    const std::size_t length = Utf8Length(text);
    const bool good = first < 0x80 ? first >= 0x20 || first == '\t' ||
                                         first == '\n' || first == '\r'
                                   : first <= 0xC3 && length == 2;
    if (!good) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string Fold(std::string_view text) {
  std::string out(text);
  char before = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out[i] = Folded(before, text[i]);
    before = text[i];
  }
  return out;
}

bool GlobMatches(std::string_view pattern, std::string_view text) {
  return MatchGlob(PlainPattern(pattern), text);
}

std::optional<ArnParts> SplitArn(std::string_view text) {
  ArnParts parts;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      return std::nullopt;
    }
    parts[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  parts[5] = text;
  return parts;
}

bool IsAccountId(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace policy
