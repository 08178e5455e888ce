// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_GLOB_H_
#define POLICY_GLOB_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace policy {

// A GlobUnit is one unit of a pattern: a literal byte, or one of the two
// wildcards. Keeping them apart is what makes a star that came from a tag's
// value, or from ${*}, a mere character.
using GlobUnit = std::uint16_t;
inline constexpr GlobUnit kAnyRun = 256;
inline constexpr GlobUnit kAnyOne = 257;

constexpr GlobUnit LiteralUnit(char c) { return static_cast<unsigned char>(c); }

constexpr bool ContinuesCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// The end of the character of `text` that starts at `at`.
constexpr std::size_t EndOfCharacter(std::string_view text, std::size_t at) {
  do {
    ++at;
  } while (at < text.size() && ContinuesCharacter(text[at]));
  return at;
}

// Whether `text` matches `pattern`, which has size() and gives a GlobUnit for
// each index. kAnyOne stands for one character, not for one byte. Two
// pointers and one place to come back to: no recursion, no allocation.
template <typename Pattern>
bool MatchGlob(const Pattern& pattern, std::string_view text) {
  constexpr auto kNoStar = static_cast<std::size_t>(-1);
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = kNoStar;  // After the last kAnyRun seen,
  std::size_t resume = 0;      // and where in the text its run ends.
  while (t < text.size()) {
    if (p < pattern.size()) {
      const GlobUnit unit = pattern[p];
      if (unit == kAnyRun) {
        star = ++p;
        resume = t;
        continue;
      }
      if (unit == kAnyOne && !ContinuesCharacter(text[t])) {
        ++p;
        t = EndOfCharacter(text, t);
        continue;
      }
      if (unit == LiteralUnit(text[t])) {
        ++p;
        ++t;
        continue;
      }
    }
    if (star == kNoStar) {
      return false;
    }
    p = star;
    t = ++resume;
  }
  while (p < pattern.size() && pattern[p] == kAnyRun) {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace policy

#endif  // POLICY_GLOB_H_
