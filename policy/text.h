// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_TEXT_H_
#define POLICY_TEXT_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Texts as the policy language compares them. Everything here is a pure
// function, allocates only where it returns a std::string, and takes UTF-8.
namespace policy {

// The length of the UTF-8 sequence at the front of `text`; 0 if there is none
// (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
std::size_t Utf8Length(std::string_view text);

// Whether `text` holds only what the APIs take in a policy document: tab, line
// feed, carriage return and U+0020 to U+00FF.
bool IsLatin1Text(std::string_view text);

// The lower case of byte `c`, which follows byte `before`, of ASCII and of the
// letters of Latin-1 (U+00C0 to U+00DE but for the multiplication sign), whose
// two cases have the same length. Other letters have no case: a policy
// document cannot hold them.
constexpr char Folded(char before, char c) {
  if (c >= 'A' && c <= 'Z') {
    return static_cast<char>(c - 'A' + 'a');
  }
  const auto byte = static_cast<unsigned char>(c);
  const bool upper = static_cast<unsigned char>(before) == 0xC3 &&
                     byte >= 0x80 && byte <= 0x9E && byte != 0x97;
  return upper ? static_cast<char>(byte + 0x20) : c;
}

std::string Fold(std::string_view text);

// Whether `text`, folded, is `folded`. Inline, for it is what a decision spends
// most of its time on.
inline bool FoldsTo(std::string_view text, std::string_view folded) {
  if (text.size() != folded.size()) {
    return false;
  }
  char before = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    // What is folded already needs no folding.
    if (c != folded[i] && Folded(before, c) != folded[i]) {
      return false;
    }
    // INVARIANT: `folded` came from Fold(), so that c == folded[i] is not an
    // upper case letter.
    before = c;
  }
  return true;
}

// Where the first star or question mark is; npos if there is none.
constexpr std::size_t FindWildcard(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '*' || text[i] == '?') {
      return i;
    }
  }
  return std::string_view::npos;
}

// Whether `text` matches `pattern`, in which a star stands for any run of
// characters and a question mark for any one. Without recursion, in at most
// pattern * text steps.
bool GlobMatches(std::string_view pattern, std::string_view text);

// An ARN's six parts: "arn", partition, service, Region, account, resource. The
// last may hold colons. nullopt if there are fewer than five colons.
using ArnParts = std::array<std::string_view, 6>;
std::optional<ArnParts> SplitArn(std::string_view text);

// Whether `text` is twelve digits.
bool IsAccountId(std::string_view text);

}  // namespace policy

#endif  // POLICY_TEXT_H_
