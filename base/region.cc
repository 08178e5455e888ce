// SPDX-License-Identifier: Apache-2.0
#include "base/region.h"

#include <algorithm>

namespace base {
namespace {

constexpr std::size_t kMaxSize = 32;

// Takes the characters that are `of` off the front; whether there were any.
bool TakeWhile(std::string_view& rest, bool (*of)(char)) {
  const auto end = std::ranges::find_if_not(rest, of);
  const bool any = end != rest.begin();
  rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()));
  return any;
}

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool IsRegionName(std::string_view text) {
  return text.size() <= kMaxSize && TakeRegionName(text) && text.empty();
}

bool TakeRegionName(std::string_view& rest) {
  int words = 0;
  while (TakeWhile(rest, IsLower)) {
    if (++words > 3 || !rest.starts_with('-')) {
      return false;
    }
    rest.remove_prefix(1);
  }
  return words >= 2 && TakeWhile(rest, IsDigit);
}

}  // namespace base
