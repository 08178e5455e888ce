// SPDX-License-Identifier: Apache-2.0
#include "policy/pattern.h"

#include <algorithm>
#include <array>

#include "policy/glob.h"
#include "policy/text.h"

namespace policy {
namespace {

// In Pattern::units_, which index of variables_ stands there.
constexpr GlobUnit kFirstVariable = 0x8000;
constexpr std::size_t kMostVariables = 0x7FFF;
constexpr std::size_t kLongestExpansion = 4096;

// Units on the stack.
class Expansion {
 public:
  std::size_t size() const { return size_; }
  GlobUnit operator[](std::size_t i) const { return units_[i]; }

  void Add(GlobUnit unit) {
    if (size_ < units_.size()) {
      units_[size_] = unit;
    } else {
      overflown_ = true;
    }
    size_ += overflown_ ? 0 : 1;
  }
  void Add(std::string_view text) {
    for (const char c : text) {
      Add(LiteralUnit(c));
    }
  }
  bool overflown() const { return overflown_; }

 private:
  // Left uninitialised: what is read was written.
  std::array<GlobUnit, kLongestExpansion> units_;
  std::size_t size_ = 0;
  bool overflown_ = false;
};

bool EqualIgnoringCase(const Expansion& pattern, std::string_view text) {
  if (pattern.size() != text.size()) {
    return false;
  }
  char pattern_before = 0;
  char text_before = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = static_cast<char>(pattern[i]);
    if (Folded(pattern_before, c) != Folded(text_before, text[i])) {
      return false;
    }
    pattern_before = c;
    text_before = text[i];
  }
  return true;
}

// The value of a variable; nullopt if it has none, or several.
std::optional<std::string_view> ValueOf(std::span<const ContextEntry> context,
                                        const ContextKey& key) {
  const ContextValues found = FindValues(context, key);
  if (found.count != 1 || found.multivalued) {
    return std::nullopt;
  }
  return context[found.first].value;
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return text;
}

// The length of the variable at the front of `text`, which starts with "${",
// up to and with the brace that ends it; 0 if none does. A default in quotes
// may hold a brace.
std::size_t VariableLength(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 2; i < text.size(); ++i) {
    if (text[i] == '\'') {
      quoted = !quoted;
    } else if (text[i] == '}' && !quoted) {
      return i + 1;
    }
  }
  const std::size_t brace = text.find('}');
  return brace == std::string_view::npos ? 0 : brace + 1;
}

struct VariableText {
  std::string_view key;
  std::optional<std::string_view> fallback;
};

// From what stands between the braces.
VariableText ReadVariable(std::string_view inside) {
  const std::size_t comma = inside.find(',');
  if (comma == std::string_view::npos) {
    return {inside, std::nullopt};
  }
  const std::string_view quoted = Trimmed(inside.substr(comma + 1));
  if (quoted.size() < 2 || !quoted.starts_with('\'') ||
      !quoted.ends_with('\'')) {
    // No default after all: a key that no request has.
    return {inside, std::nullopt};
  }
  return {Trimmed(inside.substr(0, comma)),
          quoted.substr(1, quoted.size() - 2)};
}

// Splits at the first five colons outside of variables.
std::vector<std::string_view> SplitPattern(std::string_view text,
                                           bool variables) {
  std::vector<std::string_view> parts;
  parts.reserve(6);
  std::size_t start = 0;
  std::size_t i = 0;
  while (i < text.size() && parts.size() < 5) {
    if (variables && text.substr(i).starts_with("${")) {
      i += std::max<std::size_t>(VariableLength(text.substr(i)), 1);
      continue;
    }
    if (text[i] == ':') {
      parts.push_back(text.substr(start, i - start));
      start = i + 1;
    }
    ++i;
  }
  parts.push_back(text.substr(start));
  return parts;
}

}  // namespace

Pattern::Pattern(std::string_view text, PatternSyntax syntax)
    : any_(syntax.wildcards && text == "*"), ignore_case_(syntax.ignore_case) {
  const bool wild =
      syntax.wildcards && FindWildcard(text) != std::string_view::npos;
  if (!wild &&
      !(syntax.variables && text.find("${") != std::string_view::npos)) {
    literal_ = ignore_case_ ? Fold(text) : std::string(text);
    return;
  }
  plain_ = false;
  for (std::size_t i = 0; i < text.size();) {
    if (syntax.variables && text.substr(i).starts_with("${")) {
      const std::size_t used = AddVariable(text.substr(i));
      i += used;
      if (used != 0) {
        continue;
      }
    }
    GlobUnit unit = LiteralUnit(text[i]);
    if (syntax.wildcards && (text[i] == '*' || text[i] == '?')) {
      unit = text[i] == '*' ? kAnyRun : kAnyOne;
    }
    units_.push_back(unit);
    ++i;
  }
}

// How much of `text` it is; 0 if it is none and "${" is meant literally.
std::size_t Pattern::AddVariable(std::string_view text) {
  const std::size_t length = VariableLength(text);
  if (length == 0) {
    return 0;
  }
  const std::string_view inside = text.substr(2, length - 3);
  if (inside == "*" || inside == "?" || inside == "$") {
    units_.push_back(LiteralUnit(inside.front()));
    return length;
  }
  if (variables_.size() == kMostVariables) {
    return 0;
  }
  const VariableText read = ReadVariable(inside);
  units_.push_back(static_cast<char16_t>(kFirstVariable + variables_.size()));
  variables_.push_back({ContextKey(read.key), std::nullopt});
  if (read.fallback) {
    variables_.back().fallback.emplace(*read.fallback);
  }
  return length;
}

bool Pattern::Resolves(std::span<const ContextEntry> context) const {
  return std::ranges::all_of(variables_, [&](const Variable& variable) {
    return variable.fallback || ValueOf(context, variable.key);
  });
}

Match Pattern::Matches(std::string_view text,
                       std::span<const ContextEntry> context) const {
  bool matches = any_;
  if (plain_) {
    matches = ignore_case_ ? FoldsTo(text, literal_) : text == literal_;
  } else if (has_variables() || ignore_case_) {
    return MatchesExpanded(text, context);
  } else if (!any_) {
    matches = MatchGlob(units_, text);
  }
  return matches ? Match::kYes : Match::kNo;
}

Match Pattern::MatchesExpanded(std::string_view text,
                               std::span<const ContextEntry> context) const {
  Expansion expansion;
  for (const char16_t unit : units_) {
    if (unit < kFirstVariable) {
      expansion.Add(unit);
      continue;
    }
    const Variable& variable = variables_[unit - kFirstVariable];
    const auto value = ValueOf(context, variable.key);
    if (!value && !variable.fallback) {
      return Match::kNo;
    }
    expansion.Add(value ? *value : std::string_view(*variable.fallback));
  }
  if (expansion.overflown()) {
    return Match::kError;
  }
  const bool matches = ignore_case_ ? EqualIgnoringCase(expansion, text)
                                    : MatchGlob(expansion, text);
  return matches ? Match::kYes : Match::kNo;
}

ArnPattern::ArnPattern(std::string_view text, PatternSyntax syntax) {
  const auto parts = SplitPattern(text, syntax.variables);
  if (parts.size() == 6) {
    parts_.reserve(6);
    for (const std::string_view part : parts) {
      parts_.emplace_back(part, syntax);
    }
  }
}

ArnPattern ArnPattern::Padded(std::string_view text, PatternSyntax syntax) {
  ArnPattern out;
  out.parts_.reserve(6);
  for (const std::string_view part : SplitPattern(text, syntax.variables)) {
    out.parts_.emplace_back(part, syntax);
  }
  while (out.parts_.size() < 6) {
    out.parts_.emplace_back("*", syntax);
  }
  return out;
}

bool ArnPattern::has_early_variables() const {
  return !parts_.empty() &&
         std::any_of(parts_.begin(), parts_.end() - 1,
                     [](const Pattern& part) { return part.has_variables(); });
}

Match ArnPattern::Matches(std::span<const std::string_view> parts,
                          std::span<const ContextEntry> context) const {
  if (parts_.empty()) {
    return Match::kNo;
  }
  Match all = Match::kYes;
  // From the end: the resource tells ARNs apart, what is before it rarely does.
  for (std::size_t i = parts_.size(); i-- > 0 && all != Match::kNo;) {
    all = And(all, parts_[i].Matches(parts[i], context));
  }
  return all;
}

bool ArnPattern::Resolves(std::span<const ContextEntry> context) const {
  return std::ranges::all_of(
      parts_, [&](const Pattern& part) { return part.Resolves(context); });
}

}  // namespace policy
