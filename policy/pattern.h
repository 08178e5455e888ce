// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_PATTERN_H_
#define POLICY_PATTERN_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/context.h"
#include "policy/request.h"

// IAM User Guide, "IAM policy elements: Variables and tags".
namespace policy {

// What became of comparing: kError where that is impossible. A Deny counts
// kError as kYes, an Allow as kNo.
enum class Match : std::uint8_t { kNo, kYes, kError };

// Three-valued logic: an error counts only where the other side leaves it open.
constexpr Match Not(Match a) {
  if (a == Match::kError) {
    return a;
  }
  return a == Match::kYes ? Match::kNo : Match::kYes;
}
constexpr Match Or(Match a, Match b) {
  if (a == Match::kYes || b == Match::kYes) {
    return Match::kYes;
  }
  return a == Match::kError ? a : b;
}
constexpr Match And(Match a, Match b) { return Not(Or(Not(a), Not(b))); }

// How a Pattern reads its text.
struct PatternSyntax {
  bool wildcards = false;    // * and ? are wildcards.
  bool variables = false;    // ${...} is one (Version 2012-10-17).
  bool ignore_case = false;  // Not together with wildcards.
};

// A Pattern is a text with wildcards and policy variables, compiled. What a
// variable stands for is literal: no wildcard, no further variable. Matching
// allocates nothing. Immutable; safe to use from any thread.
class Pattern {
 public:
  Pattern(std::string_view text, PatternSyntax syntax);

  bool has_variables() const { return !variables_.empty(); }

  // Whether `text` matches. A variable without a value and without a default
  // makes a Pattern that nothing matches. kError if the text that variables
  // make is longer than 4096 bytes.
  Match Matches(std::string_view text,
                std::span<const ContextEntry> context) const;

  // Whether each of its variables has a value in `context`.
  bool Resolves(std::span<const ContextEntry> context) const;

  // Whether `is` holds for the key of one of its variables.
  template <typename Predicate>
  bool AnyVariable(Predicate is) const {
    return std::ranges::any_of(variables_, is, &Variable::key);
  }

 private:
  struct Variable {
    ContextKey key;
    std::optional<std::string> fallback;
  };

  std::size_t AddVariable(std::string_view text);
  Match MatchesExpanded(std::string_view text,
                        std::span<const ContextEntry> context) const;

  bool plain_ = true;  // No wildcards, no variables.
  bool any_ = false;   // A star and nothing else.
  bool ignore_case_;
  std::string literal_;   // If plain; folded if case is ignored.
  std::u16string units_;  // If not: GlobUnits, and kFirstVariable + index.
  std::vector<Variable> variables_;
};

// An ArnPattern compares the six parts of an ARN, each with a Pattern, so that
// a wildcard does not cross one of the first five colons.
class ArnPattern {
 public:
  // A text with fewer than six parts has none: it matches nothing.
  ArnPattern(std::string_view text, PatternSyntax syntax);
  // One that lacks parts gets "*" for them.
  static ArnPattern Padded(std::string_view text, PatternSyntax syntax);

  // Whether a variable stands before the fifth colon.
  bool has_early_variables() const;

  // `parts` are those of SplitArn.
  Match Matches(std::span<const std::string_view> parts,
                std::span<const ContextEntry> context) const;
  bool Resolves(std::span<const ContextEntry> context) const;
  template <typename Predicate>
  bool AnyVariable(Predicate is) const {
    return std::ranges::any_of(
        parts_, [&is](const Pattern& part) { return part.AnyVariable(is); });
  }

 private:
  ArnPattern() = default;

  std::vector<Pattern> parts_;  // Six, or none.
};

}  // namespace policy

#endif  // POLICY_PATTERN_H_
