// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/shapes.h"

#include <algorithm>

namespace kms::operations::shapes {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

// Whether every character is in U+0020..U+00FF or one of `also`. In UTF-8 the
// upper half of Latin-1 is C2 or C3 and one more byte.
bool IsLatin1(std::string_view text, std::string_view also) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && also.find(text[i]) == std::string_view::npos) {
      return false;
    }
    if (c < 0x80) {
      continue;
    }
    const bool pair = (c == 0xC2 || c == 0xC3) && i + 1 < text.size();
    if (!pair) {
      return false;
    }
    ++i;
  }
  return true;
}

}  // namespace

bool IsAliasName(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsAlphanumeric(c) || c == ':' || c == '/' || c == '_' || c == '-';
  });
}

bool IsMarker(std::string_view value) { return IsLatin1(value, ""); }

bool IsPolicyName(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsAlphanumeric(c) || c == '_';
  });
}

bool IsPolicy(std::string_view value) {
  return !value.empty() && IsLatin1(value, "\t\n\r");
}

bool IsXksKeyId(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace kms::operations::shapes
