// SPDX-License-Identifier: Apache-2.0
#include "policy/action.h"

#include <algorithm>

#include "policy/text.h"

namespace policy {
namespace {

constexpr std::string_view kKmsPrefix = "kms:";
constexpr std::size_t kLongestName = 40;

// One folded name of kKmsActions.
struct FoldedName {
  std::array<char, kLongestName> chars{};
  std::size_t size = 0;
  constexpr std::string_view text() const { return {chars.data(), size}; }
};

constexpr std::array<FoldedName, kKmsActions.size()> FoldNames() {
  std::array<FoldedName, kKmsActions.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const char c : kKmsActions[i]) {
      out[i].chars[out[i].size++] = Folded(0, c);
    }
  }
  return out;
}

constexpr std::array<FoldedName, kKmsActions.size()> kFolded = FoldNames();
static_assert(std::ranges::is_sorted(kFolded, {}, &FoldedName::text));

constexpr KmsActions BitAt(std::size_t i) { return KmsActions{1} << i; }

constexpr KmsActions kEveryAction = BitAt(kKmsActions.size()) - 1;

// `name` is folded and without "kms:".
KmsActions BitOf(std::string_view name) {
  const auto* const it =
      std::ranges::lower_bound(kFolded, name, {}, &FoldedName::text);
  return it != kFolded.end() && it->text() == name
             ? BitAt(static_cast<std::size_t>(it - kFolded.begin()))
             : 0;
}

// Of the names that start with `prefix`: they stand side by side.
KmsActions BitsWithPrefix(std::string_view prefix) {
  const auto* it =
      std::ranges::lower_bound(kFolded, prefix, {}, &FoldedName::text);
  KmsActions bits = 0;
  for (; it != kFolded.end() && it->text().starts_with(prefix); ++it) {
    bits |= BitAt(static_cast<std::size_t>(it - kFolded.begin()));
  }
  return bits;
}

// `name` is the part of a pattern after the colon, folded.
KmsActions BitsOfPattern(std::string_view name) {
  const std::size_t wildcard = FindWildcard(name);
  if (wildcard == std::string_view::npos) {
    return BitOf(name);
  }
  if (wildcard == name.size() - 1 && name.back() == '*') {
    return BitsWithPrefix(name.substr(0, wildcard));
  }
  KmsActions bits = 0;
  for (std::size_t i = 0; i < kFolded.size(); ++i) {
    bits |= GlobMatches(name, kFolded[i].text()) ? BitAt(i) : 0;
  }
  return bits;
}

bool IsServiceChar(char c) {
  const char lower = Folded(0, c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool IsNameChar(char c) {
  return IsServiceChar(c) || c == '_' || c == '*' || c == '?';
}

}  // namespace

KmsActions KmsActionBit(std::string_view action) {
  return RequestedAction(action.find(':') == std::string_view::npos
                             ? std::string(kKmsPrefix).append(action)
                             : action)
      .bit();
}

RequestedAction::RequestedAction(std::string_view action) {
  if (action.size() > buffer_.size()) {
    return;
  }
  for (std::size_t i = 0; i < action.size(); ++i) {
    buffer_[i] = Folded(0, action[i]);
  }
  folded_ = {buffer_.data(), action.size()};
  if (is_kms()) {
    bit_ = BitOf(folded_.substr(kKmsPrefix.size()));
  }
}

bool IsActionPattern(std::string_view pattern, bool only_kms) {
  if (pattern == "*") {
    return true;
  }
  const std::size_t colon = pattern.find(':');
  if (colon == std::string_view::npos || colon + 1 == pattern.size()) {
    return false;
  }
  const std::string_view service = pattern.substr(0, colon);
  if (!std::ranges::all_of(pattern.substr(colon + 1), IsNameChar)) {
    return false;
  }
  if (service == "*" || FoldsTo(service, "kms")) {
    return true;
  }
  return !only_kms && !service.empty() &&
         std::ranges::all_of(service, IsServiceChar);
}

void ActionMatcher::Add(std::string_view pattern) {
  std::string folded = Fold(pattern);
  const std::size_t colon = folded.find(':');
  KmsActions bits = 0;
  if (colon == std::string::npos) {
    bits = kEveryAction;
  } else if (folded.starts_with(kKmsPrefix) || folded.starts_with("*:")) {
    bits = BitsOfPattern(std::string_view(folded).substr(colon + 1));
  }
  kms_ |= bits;
  // The name of an action that has a bit names nothing else.
  const bool name = FindWildcard(folded) == std::string::npos;
  if (!name || bits == 0) {
    patterns_.push_back(std::move(folded));
  }
}

bool ActionMatcher::IsListed(const RequestedAction& action) const {
  return std::ranges::any_of(patterns_, [&](std::string_view pattern) {
    return GlobMatches(pattern, action.folded());
  });
}

}  // namespace policy
