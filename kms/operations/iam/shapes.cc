// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/iam/shapes.h"

#include <algorithm>

namespace kms::operations::iam::shapes {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c);
}

// Whether every character is a letter of ASCII, a digit or one of `also`.
bool ConsistsOf(std::string_view text, std::string_view also) {
  return std::ranges::all_of(text, [also](char c) {
    return IsAlphanumeric(c) || also.find(c) != std::string_view::npos;
  });
}

bool IsIn(std::string_view text, char first, char last) {
  return std::ranges::all_of(
      text, [first, last](char c) { return c >= first && c <= last; });
}

}  // namespace

bool IsName(std::string_view value) {
  return !value.empty() && ConsistsOf(value, "_+=,.@-");
}

bool IsPath(std::string_view value) {
  return value == "/" || (value.size() >= 3 && value.starts_with('/') &&
                          value.ends_with('/') && IsIn(value, '!', '~'));
}

bool IsPathPrefix(std::string_view value) {
  return value.starts_with('/') && IsIn(value, '!', '\x7F');
}

bool IsPolicyPath(std::string_view value) {
  return value.starts_with('/') && value.ends_with('/') &&
         value.find("//") == std::string_view::npos &&
         ConsistsOf(value, "/.,+@=_-");
}

bool IsRoleDescription(std::string_view value) {
  if (value.empty()) {
    return true;
  }
  // In UTF-8, U+0080 to U+00A0 are C2 80 to C2 A0.
  for (std::size_t i = 0; i + 1 < value.size(); ++i) {
    if (value[i] == '\xC2' &&
        static_cast<unsigned char>(value[i + 1]) <= 0xA0) {
      return false;
    }
  }
  return operations::shapes::IsPolicy(value) &&
         value.find('\x7F') == std::string_view::npos;
}

// What is beyond ASCII counts as a letter.
bool IsTagValue(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 ||
           ConsistsOf({&c, 1}, " _.:/=+-@");
  });
}

bool IsTagKey(std::string_view value) {
  return !value.empty() && IsTagValue(value);
}

bool IsWord(std::string_view value) {
  return !value.empty() && ConsistsOf(value, "_");
}

bool IsVersionId(std::string_view value) {
  if (!value.starts_with('v')) {
    return false;
  }
  value.remove_prefix(1);
  const std::size_t dot = value.find('.');
  const std::string_view number = value.substr(0, dot);
  return !number.empty() && number.front() != '0' &&
         std::ranges::all_of(number, IsDigit) &&
         (dot == std::string_view::npos ||
          ConsistsOf(value.substr(dot + 1), "-"));
}

}  // namespace kms::operations::iam::shapes
